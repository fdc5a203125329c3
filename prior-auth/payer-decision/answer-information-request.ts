import type { Bundle, Identifier, Parameters, ParametersParameter, Resource } from '@medplum/fhirtypes';
import { PriorAuthError } from '../errors.ts';
import { cleanCopy } from '../pas-bundle/clean-copy.ts';
import type { PasVersion } from '../pas-bundle/request-change.ts';
import type { SubmissionProblem } from '../pas-bundle/submission-input.ts';
import type { InformationRequest } from './information-request.ts';

/** One thing that answers an ask: a document, a completed form, a result. */
export interface AskedContent {
  readonly resource: Resource;
  /** Which of the kinds asked for it is; not needed where the payer asked for one. */
  readonly code?: { readonly system: string; readonly code: string };
}

/** How an answer goes: by CDex `$submit-attachment`, or with an update of the request. A form of 2.0.1 goes with an update where the payer named no address for attachments. */
export function answersBy({ wants, payerUrl }: Pick<InformationRequest, 'wants' | 'payerUrl'>, version: PasVersion): 'attachment' | 'update' {
  return wants.kind === 'questionnaire' && version === '2.0.1' && payerUrl === undefined ? 'update' : 'attachment';
}

export type AttachmentRequest =
  | { readonly kind: 'built'; readonly parameters: Parameters; readonly trackingId: string }
  | { readonly kind: 'incomplete'; readonly problems: readonly SubmissionProblem[] };

/**
 * The input of CDex `$submit-attachment` for a prior authorization. Who sends and whose member it is are those of the request that was sent. `fallbackId` is the tracking
 * id where the payer gave no control number. References into our record do not leave: the patient is named by the member number, all others go.
 */
export function buildAttachment(ask: InformationRequest, contents: readonly AskedContent[], { sent, administrativeReference, fallbackId }: { readonly sent: Bundle; readonly administrativeReference?: string | undefined; readonly fallbackId: string }): AttachmentRequest {
  const problems = contents.flatMap(problemsOf);
  if (contents.length === 0) problems.push({ code: 'ATTACHMENT_MISSING', message: 'Nothing was chosen to answer with.', nextStep: 'Choose a document or complete the form.' });
  if (problems.length > 0) return { kind: 'incomplete', problems };
  const parties = partiesOf(sent);
  const onlyCode = ask.wants.kind === 'attachment' && ask.wants.codes.length === 1 ? ask.wants.codes[0] : undefined;
  const trackingId = ask.control?.value ?? fallbackId;
  const attachments = contents.map(({ resource, code = onlyCode }): ParametersParameter => ({
    name: 'Attachment',
    part: [
      ...(ask.sequence === null ? [] : [{ name: 'LineItem', valueString: String(ask.sequence) }]),
      ...(code ? [{ name: 'Code', valueCodeableConcept: { coding: [{ ...(code.system ? { system: code.system } : {}), code: code.code }] } }] : []),
      { name: 'Content', resource: withoutOurReferences(resource, parties.member) },
    ],
  }));
  const parameter: ParametersParameter[] = [
    { name: 'TrackingId', valueIdentifier: { system: ask.control?.system ?? 'https://openpriorauth.org/pas/attachment', value: trackingId } },
    ...(administrativeReference ? [{ name: 'AdminRefNumber', valueIdentifier: { value: administrativeReference } }] : []),
    { name: 'AttachTo', valueCode: 'preauthorization' },
    ...(parties.payer ? [{ name: 'PayerId', valueIdentifier: parties.payer }] : []),
    ...(parties.organization ? [{ name: 'OrganizationId', valueIdentifier: parties.organization }] : []),
    ...(parties.provider ? [{ name: 'ProviderId', valueIdentifier: parties.provider }] : []),
    { name: 'MemberId', valueIdentifier: parties.member },
    ...attachments,
    { name: 'Final', valueBoolean: true },
  ];
  return { kind: 'built', parameters: { resourceType: 'Parameters', parameter }, trackingId };
}

/** A document's address lies in our record, where the payer cannot read: its content must be in it. */
function problemsOf({ resource }: AskedContent): SubmissionProblem[] {
  if (resource.resourceType === 'DocumentReference' && (resource.content ?? []).some(({ attachment }) => attachment?.data === undefined)) {
    return [{ code: 'ATTACHMENT_WITHOUT_CONTENT', message: 'The content of a chosen document could not be read from the record.', nextStep: 'Choose it again, or choose another document.' }];
  }
  if (resource.resourceType === 'QuestionnaireResponse' && resource.status !== 'completed' && resource.status !== 'amended') {
    return [{ code: 'FORM_NOT_COMPLETED', message: 'The form that the payer asks for is not completed.', nextStep: 'Answer what is missing and complete the form.' }];
  }
  return [];
}

function partiesOf(sent: Bundle): { readonly member: Identifier; readonly payer?: Identifier; readonly organization?: Identifier; readonly provider?: Identifier } {
  const resources = (sent.entry ?? []).flatMap(({ resource }) => resource ?? []);
  const identifierOf = (type: Resource['resourceType'], profile?: string): Identifier | undefined => {
    const found = resources.find((resource) => resource.resourceType === type && (profile === undefined || resource.meta?.profile?.some((one) => one.endsWith(profile))));
    return (found as { readonly identifier?: readonly Identifier[] } | undefined)?.identifier?.[0];
  };
  const member = identifierOf('Patient', 'beneficiary') ?? identifierOf('Coverage');
  if (!member) throw new PriorAuthError('PAS_BUNDLE_INVALID', 'The stored request names no member.');
  const payer = identifierOf('Organization', 'insurer');
  const organization = identifierOf('Organization', 'requestor');
  const provider = identifierOf('Practitioner');
  return { member, ...(payer ? { payer } : {}), ...(organization ? { organization } : {}), ...(provider ? { provider } : {}) };
}

function withoutOurReferences(resource: Resource, { system = '', value = '' }: Identifier): Resource {
  const { id: _id, meta: _meta, ...rest } = resource;
  return cleanCopy(rest as Resource, (reference) => (/^Patient\/|\/Patient\//.test(reference) ? { identifier: { system, value } } : undefined));
}
