import type { Coverage, HumanName, Organization, Patient, Practitioner } from '@medplum/fhirtypes';
import { type PriorAuthCase, standingAnswer } from '#prior-auth/case.ts';
import type { AskedItem } from '#prior-auth/panel-api.ts';
import type { InformationRequest } from '#prior-auth/payer-decision/information-request.ts';
import type { Packet, PacketFact, PacketSection } from '#prior-auth/packet.ts';
import { sayDecision } from '#prior-auth/payer-decision/decision-words.ts';
import type { SubmissionInput } from '#prior-auth/pas-bundle/submission-input.ts';
import type { EhrClient } from '../ehr/ehr-client.ts';
import { summarize } from '../ehr/source-summary.ts';
import { readAskedItems } from '../panel-api/asked-items.ts';
import type { PanelParts } from '../panel-api/panel-parts.ts';
import { gatherSubmission } from '../panel-api/submission-input.ts';
import type { StoredForm } from '../store/forms.ts';
import { answersOf } from './form-answers.ts';

/** The case as it would be sent, in words: for a payer that wants paper. Read now, as a submission is. */
export async function gatherPacket(parts: PanelParts, ehr: EhrClient, priorAuthCase: PriorAuthCase): Promise<Packet> {
  const [input, forms, asked = []] = await Promise.all([gatherSubmission(parts, ehr, priorAuthCase), parts.forms.list(priorAuthCase.id), readAskedItems(parts.store, priorAuthCase)]);
  const { patient, service, payer, id } = priorAuthCase;
  const born = patient.birthDate ? `born ${patient.birthDate}` : 'birth date not on record';
  return {
    title: 'Prior authorization request',
    caseNumber: id,
    madeAt: new Date(parts.now()).toISOString(),
    patient: `${patient.name}, ${born}, record number ${patient.medicalRecordNumber ?? 'not on record'}`,
    sections: [
      facts('Request', [['To', payer.name], ['Case number', id], ['State', stateWords(priorAuthCase)], ...decisionFacts(priorAuthCase), ['Reference of the payer’s determination', priorAuthCase.requirement.assertionId]]),
      facts('Patient', patientFacts(input.patient, patient.medicalRecordNumber)),
      facts('Coverage', coverageFacts(input.coverage, payer.name)),
      facts('Provider', providerFacts(input)),
      facts('Order', [
        ['Service', service.display],
        ['Codes', service.codings.map(({ code, display }) => [code, display].filter(Boolean).join(' · ')).join('; ')],
        ['Order in the record', service.order],
        ...summarize(input.order).flatMap(({ label, value }): Pair[] => (label === 'Order' || label === 'Code' ? [] : [[label, value]])),
      ]),
      ...(priorAuthCase.further ?? []).map((further, index) => facts(`Order ${index + 2}`, [['Service', further.display], ['Codes', further.codings.map(({ code, display }) => [code, display].filter(Boolean).join(' · ')).join('; ')], ['Quantity', further.quantity && [further.quantity.value, further.quantity.unit].filter((part) => part !== undefined).join(' ')], ['Order in the record', further.order]])),
      ...itemSections(priorAuthCase, asked),
      ...forms.map((form) => formSection(form)),
      { kind: 'list', title: 'Supporting documents and record entries', entries: input.supporting.map((resource) => `${resource.resourceType}: ${summarize(resource).map(({ label, value }) => `${label} ${value}`).join(', ')}`) },
    ],
  };
}

type Pair = readonly [label: string, value: string | undefined];

function facts(title: string, pairs: readonly Pair[]): PacketSection {
  return { kind: 'facts', title, facts: toFacts(pairs) };
}

function toFacts(pairs: readonly Pair[]): PacketFact[] {
  return pairs.flatMap(([label, value]) => (value ? [{ label, value }] : []));
}

function stateWords({ state }: PriorAuthCase): string {
  switch (state.kind) {
    case 'no-authorization-needed': return 'No authorization needed';
    case 'questionnaire': return `Forms not complete, required answers missing: ${state.missing}`;
    case 'ready': return 'Complete, not sent electronically';
    case 'queued': return 'On its way to the payer';
    case 'pended': return 'With the payer';
    case 'decided': return 'Decided by the payer';
    case 'held': return 'Held back, not sent yet';
    case 'cancelled': return 'Cancelled at the payer';
    case 'manual': return state.reference === undefined ? 'Handled by hand' : `Handled by hand, payer’s reference ${state.reference}`;
    case 'refused': return 'Sent back by the payer without a decision';
  }
}

function decisionFacts({ state }: PriorAuthCase): Pair[] {
  const decision = standingAnswer(state)?.decision;
  if (!decision) return [];
  const { entered } = decision;
  return [['Payer’s answer', sayDecision(decision).headline], ['Answered', decision.decidedAt], ['Authorization number', decision.preAuthRef], ['Source of the answer', entered ? `Entered by ${entered.by.name} on ${entered.at}, learned by ${entered.learnedBy}${entered.note ? `: ${entered.note}` : ''}` : 'The payer’s system']];
}

/** What was asked with what the payer said of it, and what it still wants. */
function itemSections({ state }: PriorAuthCase, asked: readonly AskedItem[]): PacketSection[] {
  const standing = standingAnswer(state);
  const said = standing ? sayDecision(standing.decision).items : [];
  const sequences = [...new Set([...asked, ...said].map(({ sequence }) => sequence))].sort((one, other) => one - other);
  const entries = sequences.map((sequence) => {
    const item = asked.find((each) => each.sequence === sequence);
    const { quantity, serviced } = item ?? {};
    const service = item ? [item.display, item.code && `(${item.code})`, quantity && `asked for ${[quantity.value, quantity.unit].filter((part) => part !== undefined).join(' ')}`, serviced && `from ${serviced.start ?? '…'} to ${serviced.end ?? '…'}`].filter(Boolean).join(' ') : 'Added by the payer';
    const answers = said.filter((each) => each.sequence === sequence).map(({ text, details }) => [text, ...details].join('; '));
    return `${sequence}. ${service}: ${item?.cancelled ? 'taken out' : answers.join(' / ') || 'no answer yet'}`;
  });
  const asks = standing?.kind === 'pended' ? (standing.asks ?? []) : [];
  return [
    ...(entries.length > 0 ? [{ kind: 'list', title: 'Items', entries } as const] : []),
    ...(asks.length > 0 ? [{ kind: 'list', title: 'What the payer asked for', entries: asks.map(askWords) } as const] : []),
  ];
}

function askWords({ sequence, wants, text, due, state }: InformationRequest): string {
  const what = wants.kind === 'questionnaire' ? 'a form of the payer' : `documents ${wants.codes.map(({ code }) => code).join(', ')}`.trim();
  return [`${sequence === null ? 'Whole request' : `Item ${sequence}`}: ${what}`, text && `“${text}”`, due && `by ${due}`, state].filter(Boolean).join(', ');
}

function patientFacts(patient: Patient, recordNumber: string | undefined): Pair[] {
  const [address] = patient.address ?? [];
  return [
    ['Name', nameOf(patient.name)], ['Date of birth', patient.birthDate], ['Gender', patient.gender], ['Record number', recordNumber],
    ['Address', address && (address.text ?? [...(address.line ?? []), address.city, address.state, address.postalCode].filter(Boolean).join(', '))],
    ['Telephone', patient.telecom?.find(({ system }) => system === 'phone')?.value],
  ];
}

function coverageFacts(coverage: Coverage, payer: string): Pair[] {
  const member = coverage.subscriberId ?? coverage.identifier?.find(({ type }) => type?.coding?.some(({ code }) => code === 'MB'))?.value;
  return [
    ['Payer', payer], ['Member number', member],
    ...(coverage.class ?? []).map(({ type, value, name }): Pair => [type?.coding?.[0]?.display ?? type?.coding?.[0]?.code ?? 'Class', [name, value].filter(Boolean).join(' ')]),
    ['Status', coverage.status], ['Relationship to subscriber', coverage.relationship?.coding?.[0]?.code ?? coverage.relationship?.text],
    ['Period', coverage.period && `${coverage.period.start ?? '…'} to ${coverage.period.end ?? '…'}`],
  ];
}

function providerFacts({ practitioner, organization, clinic }: SubmissionInput): Pair[] {
  const office: Organization | undefined = organization ?? clinic;
  return [
    ['Ordering clinician', practitioner && nameOf(practitioner.name)], ['NPI of the clinician', practitioner && npiOf(practitioner)],
    ['Organization', office?.name], ['NPI of the organization', office && npiOf(office)],
    ['Telephone', office?.telecom?.find(({ system }) => system === 'phone')?.value],
  ];
}

function npiOf({ identifier }: Practitioner | Organization): string | undefined {
  return identifier?.find(({ system }) => system === 'http://hl7.org/fhir/sid/us-npi')?.value;
}

function nameOf(names: readonly HumanName[] | undefined): string | undefined {
  const name = names?.find(({ use }) => use === 'official') ?? names?.[0];
  return name?.text ?? ([...(name?.prefix ?? []), ...(name?.given ?? []), name?.family, ...(name?.suffix ?? [])].filter(Boolean).join(' ') || undefined);
}

function formSection(form: StoredForm): PacketSection {
  const { questionnaire } = form.package;
  const { attestation, completed, missing, response, savedBy } = form;
  return {
    kind: 'form',
    title: questionnaire.title ?? form.formId,
    facts: toFacts([
      ['Form', form.formId], ['From', questionnaire.publisher],
      ['State', completed ? 'Complete' : `Not complete, required answers missing: ${missing}`],
      ['Last changed', [response.authored, savedBy?.name ?? response.author?.display].filter(Boolean).join(' by ')],
      ['Attestation', attestation ? `“${attestation.statement}” Stated by ${attestation.by.name} (${attestation.by.reference}) on ${attestation.at}` : completed ? 'None on record' : undefined],
    ]),
    answers: answersOf(questionnaire, response, new Map([savedBy, attestation?.by].flatMap((person) => (person ? [[person.reference, person.name] as const] : [])))),
  };
}
