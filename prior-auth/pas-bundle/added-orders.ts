import type { BundleEntry, Claim, ClaimCareTeam, ClaimDiagnosis, ClaimItem } from '@medplum/fhirtypes';
import type { SubmissionKeys } from './build-submission.ts';
import type { BundleContents, IdSource } from './bundle-contents.ts';
import { writeNamedProviders } from './care-team.ts';
import type { DiagnosisMap } from './diagnosis-map.ts';
import { findDiagnoses } from './diagnoses.ts';
import { problem, type Written } from './members.ts';
import { writeOrder } from './order-copy.ts';
import type { PasDialect } from './pas-dialect.ts';
import type { RequestChange } from './request-change.ts';
import { readServiceLine } from './service-line.ts';
import { askedOrders, type SubmissionInput, type SubmissionProblem } from './submission-input.ts';
import { chooseSupporting, type SupportingChoice, writeResponse, writeSupporting } from './supporting.ts';
import { writeDiagnosis, writeItem, writeMember } from './write-claim.ts';

/** What an update adds to a request. */
export interface AddedOrders {
  readonly kind: 'written';
  readonly items: readonly ClaimItem[];
  readonly keys: SubmissionKeys['items'];
  /** Urns of supporting information that was not sent before. */
  readonly information: readonly string[];
  readonly diagnosis: readonly ClaimDiagnosis[];
  /** Members of the care team that the request did not have yet. */
  readonly careTeam: readonly ClaimCareTeam[];
  readonly supporting: SupportingChoice;
  readonly notSent: readonly string[];
  readonly unmapped: readonly string[];
  readonly entries: readonly BundleEntry[];
}

interface Addition {
  readonly sent: Claim;
  readonly contents: BundleContents;
  readonly ids: IdSource;
  readonly change: RequestChange;
  readonly sentKeys: SubmissionKeys;
  readonly nextSequence: number;
  readonly dialect: PasDialect;
  readonly diagnosisMap: DiagnosisMap;
  readonly refused?: Readonly<Record<string, string>> | undefined;
}

/** Orders that join a request, and forms and evidence that it did not carry yet: its patient, clinician and clinic are those of the request. */
export function writeAddedOrders(input: SubmissionInput, { sent, contents, ids, change, sentKeys, nextSequence, dialect, diagnosisMap, refused }: Addition): AddedOrders | { readonly kind: 'incomplete'; readonly problems: readonly SubmissionProblem[] } {
  const problems: SubmissionProblem[] = [];
  const take = <T>(outcome: Written<T>): T | undefined => {
    if (outcome.kind === 'written') return outcome.resource;
    problems.push(outcome.problem);
    return undefined;
  };
  const patient = sent.patient.reference ?? '';
  const sentNames = sentKeys.names ?? {};
  const role = sentKeys.clinician;
  const practitioner = input.practitioner && sentNames[`Practitioner/${input.practitioner.id}`];
  const links = { patient, requester: role ?? sent.provider.reference ?? '', practitioner, isClinician: role !== undefined, contents, dialect };
  const unmapped: string[] = [];
  const isNew = (resource: { readonly resourceType: string; readonly id?: string | undefined }): boolean => resource.id !== undefined && sentNames[`${resource.resourceType}/${resource.id}`] === undefined;

  const known = [...(sent.diagnosis ?? [])];
  const diagnosis: ClaimDiagnosis[] = [];
  const sequencesOf = (order: (typeof orders)[number]): number[] => {
    const found = findDiagnoses(order, input, diagnosisMap);
    if (found.kind === 'problem') {
      problems.push(...found.problems);
      return [];
    }
    unmapped.push(...found.unmapped);
    return found.diagnoses.flatMap((each) => {
      const standing = [...known, ...diagnosis].find(({ diagnosisCodeableConcept }) => diagnosisCodeableConcept?.coding?.some(({ code }) => code === each.code));
      if (standing) return [standing.sequence];
      const sequence = Math.max(0, ...[...known, ...diagnosis].map((one) => one.sequence)) + 1;
      diagnosis.push(writeDiagnosis(each, sequence));
      return [sequence];
    });
  };
  const orders = askedOrders(input).filter(({ service }) => change.add.includes(service.order));
  for (const missing of change.add.filter((reference) => !orders.some(({ service }) => service.order === reference))) {
    problems.push(problem('ORDER_NOT_FOUND', `The order ${missing} that is to be added was not found.`, 'Choose the order again in the panel.').problem);
  }
  const responses = input.questionnaireResponses.filter(isNew).map((response) => ({ response, urn: contents.reserve(`QuestionnaireResponse/${response.id}`) }));
  const chosen = chooseSupporting(input, dialect, refused);
  const supporting = { ...chosen, sent: chosen.sent.filter(({ resource }) => isNew(resource)) };
  const evidence = supporting.sent.map(({ reference, resource }) => ({ resource, urn: contents.reserve(reference) }));
  const named = writeNamedProviders(orders.map(({ order }) => order), input.supporting, { contents, dialect, clinician: role && practitioner ? { practitioner, role } : undefined });
  const careTeam: ClaimCareTeam[] = [];
  const memberOf = (provider: string): number => {
    const members = [...(sent.careTeam ?? []), ...careTeam];
    const standing = members.find((member) => member.provider.reference === provider);
    if (standing) return standing.sequence;
    const sequence = Math.max(0, ...members.map((member) => member.sequence)) + 1;
    careTeam.push(writeMember(provider, sequence, false));
    return sequence;
  };
  const written = orders.map((each, index) => {
    const line = readServiceLine(each, input.supporting);
    if (line.kind === 'problem') {
      problems.push(line.problem);
      return undefined;
    }
    const urn = contents.reserve(each.service.order);
    const order = take(writeOrder(each.order, line.line, links));
    if (order) contents.add(urn, order);
    const facts = { sequence: nextSequence + index, line: line.line, order: urn, traceNumber: ids(), diagnoses: sequencesOf(each) };
    return { item: writeItem(facts, { careTeam: [...new Set([...(role ? [role] : []), ...(named.ofOrders[index] ?? [])])].map(memberOf), information: [] }, dialect), key: { sequence: facts.sequence, traceNumber: facts.traceNumber, order: each.service.order } };
  });
  for (const { response, urn } of responses) contents.add(urn, writeResponse(response, patient), { keepUnresolved: true });
  for (const { resource, urn } of evidence) {
    const copy = take(writeSupporting(resource, input, dialect));
    if (copy) contents.add(urn, copy);
  }
  if (problems.length > 0) return { kind: 'incomplete', problems };
  return {
    kind: 'written',
    items: written.flatMap((each) => (each ? [each.item] : [])),
    keys: written.flatMap((each) => (each ? [each.key] : [])),
    information: [...responses, ...evidence].map(({ urn }) => urn),
    diagnosis,
    careTeam,
    supporting,
    notSent: named.notSent,
    unmapped,
    entries: contents.entries(),
  };
}
