import { randomUUID } from 'node:crypto';
import type { BundleEntry, CommunicationRequest, Extension, Identifier, Resource, Task, TaskInput } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { PAS_EXTENSIONS, PAS_PROFILES } from '#fhir/pas/canonical-urls.ts';
import type { PasEndpoint } from '../pas-version.ts';
import { entryOf } from '../submit/bundle-references.ts';
import type { PasRequest } from '../submit/read-request.ts';
import type { Ask } from './ask.ts';

/** LOINC: a questionnaire of the payer's own. */
const PAYER_QUESTIONNAIRE = '102089-0';
const CONTROL_NUMBERS = 'https://payer.openpriorauth.org/attachment-control-number';

export interface AskEntries {
  /** The CommunicationRequests, each once, as ClaimResponse.communicationRequest wants them. */
  readonly messages: readonly BundleEntry[];
  readonly tasks: readonly BundleEntry[];
}

/** What is asked, as each version wants it (PAS §7.5, §7.6): CommunicationRequests for the answer, and one Task for each ask. */
export function askEntries(asks: readonly Ask[], request: PasRequest, endpoint: PasEndpoint, authoredOn: string): AskEntries {
  const parties = partiesOf(request);
  const inEntry = (resource: Resource): BundleEntry => ({ fullUrl: `urn:uuid:${resource.id}`, resource });
  return {
    messages: asks.flatMap((ask) => messagesOf(ask, parties, endpoint, authoredOn)).map(inEntry),
    tasks: asks.map((ask) => inEntry(taskOf(ask, parties, endpoint, authoredOn))),
  };
}

interface Parties {
  readonly patient: string;
  readonly insurer: string;
  readonly provider: string;
  readonly providerIsOrganization: boolean;
  readonly insurerIdentifier: Identifier;
  readonly providerIdentifier: Identifier;
  readonly claim: Identifier | undefined;
  readonly claimUrl: string;
}

function partiesOf({ bundle, claim, claimUrl }: PasRequest): Parties {
  const at = (reference: string | undefined) => entryOf(bundle, reference, claimUrl);
  const [insurer, provider] = [at(claim.insurer?.reference), at(claim.provider?.reference)];
  return {
    patient: at(claim.patient?.reference)?.fullUrl ?? '',
    insurer: insurer?.fullUrl ?? '',
    provider: provider?.fullUrl ?? '',
    providerIsOrganization: provider?.resource?.resourceType === 'Organization',
    insurerIdentifier: identifierOf(insurer?.resource),
    providerIdentifier: identifierOf(provider?.resource),
    claim: claim.identifier?.[0],
    claimUrl,
  };
}

function identifierOf(resource: Resource | undefined): Identifier {
  const { identifier }: { identifier?: Identifier[] } = resource?.resourceType === 'Organization' || resource?.resourceType === 'PractitionerRole' ? resource : {};
  const { system, value } = identifier?.find((one) => one.system === CODE_SYSTEMS.npi) ?? identifier?.[0] ?? {};
  return { system: system ?? 'urn:ietf:rfc:3986', value: value ?? 'unknown' };
}

const line = (ask: Ask): Extension => ({ url: PAS_EXTENSIONS.serviceLineNumber, valuePositiveInt: ask.sequence });

/** One for each code: 2.2.1 allows one payload and one category. */
function messagesOf(ask: Ask, parties: Parties, { version }: PasEndpoint, authoredOn: string): CommunicationRequest[] {
  const codes = ask.wants.kind === 'questionnaire' ? [{ system: CODE_SYSTEMS.loinc, code: PAYER_QUESTIONNAIRE }] : ask.wants.codes;
  return codes.map((wanted): CommunicationRequest => {
    const content = version === '2.2.1' || ask.wants.kind === 'questionnaire' ? wanted.code : (ask.text ?? wanted.code);
    const isReport = wanted.system === CODE_SYSTEMS.x12ReportType;
    const payload = [{ ...(version === '2.0.1' ? { extension: [line(ask)] } : {}), contentString: content }];
    return {
      resourceType: 'CommunicationRequest',
      id: randomUUID(),
      meta: { profile: [PAS_PROFILES.communicationRequest] },
      ...(version === '2.2.1' ? { extension: [line(ask)] } : {}),
      identifier: [{ system: CONTROL_NUMBERS, value: ask.controlNumber }],
      status: 'active',
      ...(isReport ? { category: [{ coding: [wanted] }] } : {}),
      // A report type is no LOINC code: in 2.2.1 the category alone says what is wanted.
      ...(isReport && version === '2.2.1' ? {} : { payload }),
      authoredOn,
      ...(ask.due === undefined ? {} : { occurrencePeriod: { end: ask.due } }),
      requester: { reference: parties.insurer },
      ...(parties.providerIsOrganization ? { sender: { reference: parties.provider }, recipient: [{ reference: parties.provider }] } : {}),
    };
  });
}

function taskOf(ask: Ask, parties: Parties, endpoint: PasEndpoint, authoredOn: string): Task {
  const isForm = ask.wants.kind === 'questionnaire';
  return {
    resourceType: 'Task',
    id: randomUUID(),
    meta: { profile: [PAS_PROFILES.task] },
    identifier: [{ system: CONTROL_NUMBERS, value: ask.controlNumber }],
    status: 'requested',
    intent: 'order',
    code: temp(isForm ? 'attachment-request-questionnaire' : 'attachment-request-code'),
    ...(ask.text === undefined ? {} : { description: ask.text }),
    for: { reference: parties.patient },
    authoredOn,
    requester: { identifier: parties.insurerIdentifier },
    owner: { identifier: parties.providerIdentifier },
    reasonCode: temp('priorAuthorization'),
    // Only ClaimResponse.request may lead out of the answer: the Claim is named, not pointed at.
    reasonReference: parties.claim ? { type: 'Claim', identifier: parties.claim } : { reference: parties.claimUrl },
    ...(ask.due === undefined ? {} : { restriction: { period: { end: ask.due } } }),
    input: [{ type: temp('payer-url'), valueUrl: endpoint.fhirBase }, ...wantedInputs(ask, endpoint)],
  };
}

function wantedInputs({ wants, sequence }: Ask, { version }: PasEndpoint): TaskInput[] {
  const extension: Extension[] = [version === '2.2.1' ? { url: PAS_EXTENSIONS.serviceLineNumber, valuePositiveInt: sequence } : { url: PAS_EXTENSIONS.paLineNumber, valueInteger: sequence }];
  if (wants.kind === 'attachment') return wants.codes.map((coding): TaskInput => ({ extension, type: temp('attachments-needed'), valueCodeableConcept: { coding: [coding] } }));
  return version === '2.2.1'
    ? [{ extension, type: temp('questionnaire-context'), valueString: wants.context }]
    : [{ extension, type: temp('questionnaires-needed'), valueIdentifier: { system: CONTROL_NUMBERS, value: wants.context } }];
}

function temp(code: string) {
  return { coding: [{ system: CODE_SYSTEMS.pasTemp, code }] };
}
