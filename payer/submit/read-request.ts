import type { Bundle, Claim, OperationOutcomeIssue } from '@medplum/fhirtypes';
import { PAS_EXTENSIONS } from '#fhir/pas/canonical-urls.ts';
import type { Validator } from '#fhir/validation/validator.ts';
import { PayerError, type Problem } from '../payer-error.ts';
import { entryOf, referencesIn } from './bundle-references.ts';

/** A PAS bundle that has passed the profile and the guide's rules between entries. */
export interface PasRequest {
  readonly bundle: Bundle;
  readonly identifier: { readonly system: string; readonly value: string };
  readonly claim: Claim;
  readonly claimUrl: string;
}

const MOST_PROBLEMS = 50;

/**
 * Reads a request or inquiry bundle, held against `profile`.
 * @throws PayerError 400 for what is no Bundle, 422 for what breaks the profile or the guide.
 */
export function readPasBundle(body: unknown, validator: Validator, profile: string): PasRequest {
  if (!isBundle(body)) throw new PayerError(400, { code: 'structure', text: 'The body must be a FHIR Bundle.', expression: 'Bundle' });
  const report = validator.validate(body, { profile });
  const errors = report.issues.filter((issue) => issue.severity === 'error');
  if (errors.length > 0) {
    throw new PayerError(422, errors.slice(0, MOST_PROBLEMS).map(({ code, path, message }) => ({ code: toIssueType(code), text: message, expression: path })));
  }
  const problems: Problem[] = [];
  if (body.identifier?.value === undefined) problems.push({ code: 'required', text: 'Bundle.identifier needs a value: a repeated request is known by it.', expression: 'Bundle.identifier.value' });
  const [first, ...others] = body.entry ?? [];
  if (first?.resource?.resourceType !== 'Claim' || first.fullUrl === undefined) {
    throw new PayerError(422, { code: 'structure', text: 'The first entry must be the Claim, with its fullUrl.', expression: 'Bundle.entry[0]' });
  }
  if (others.some((entry) => entry.resource?.resourceType === 'Claim')) {
    problems.push({ code: 'structure', text: 'A PAS 2.0.1 bundle holds one Claim.', expression: 'Bundle.entry' });
  }
  problems.push(...repeatedUrls(body), ...missingEntries(body), ...brokenSequences(first.resource));
  if (problems.length > 0) throw new PayerError(422, problems.slice(0, MOST_PROBLEMS));
  return pasRequestOf(body);
}

/** The view of a bundle that has been read before. */
export function pasRequestOf(bundle: Bundle): PasRequest {
  const first = bundle.entry?.[0];
  const { system = '', value = '' } = bundle.identifier ?? {};
  if (first?.resource?.resourceType !== 'Claim' || first.fullUrl === undefined) throw new Error('A stored request does not begin with its Claim.');
  return { bundle, identifier: { system, value }, claim: first.resource, claimUrl: first.fullUrl };
}

/** Updates and cancels are not taken yet; read as new requests they would be answered wrongly. */
export function refuseUpdates({ claim }: PasRequest): void {
  if (claim.related?.length) {
    throw new PayerError(422, { code: 'not-supported', text: 'This payer does not take updates of earlier requests yet. Send a new request.', expression: 'Bundle.entry[0].resource.related' });
  }
  const cancelled = claim.item?.findIndex((item) => item.modifierExtension?.some(({ url }) => url === PAS_EXTENSIONS.infoCancelled)) ?? -1;
  if (cancelled >= 0) {
    throw new PayerError(422, { code: 'not-supported', text: 'This payer does not take cancellations yet.', expression: `Bundle.entry[0].resource.item[${cancelled}].modifierExtension` });
  }
}

function isBundle(body: unknown): body is Bundle {
  return typeof body === 'object' && body !== null && 'resourceType' in body && body.resourceType === 'Bundle';
}

const ISSUE_TYPES: readonly string[] = ['structure', 'required', 'value', 'invariant', 'code-invalid', 'extension', 'not-found', 'business-rule'] satisfies OperationOutcomeIssue['code'][];

function toIssueType(code: string): OperationOutcomeIssue['code'] {
  return ISSUE_TYPES.includes(code) ? (code as OperationOutcomeIssue['code']) : 'invalid';
}

function repeatedUrls(bundle: Bundle): readonly Problem[] {
  const seen = new Set<string>();
  return (bundle.entry ?? []).flatMap(({ fullUrl = '' }, i): Problem[] => {
    if (seen.has(fullUrl)) return [{ code: 'duplicate', text: 'Two entries have the same fullUrl.', expression: `Bundle.entry[${i}].fullUrl` }];
    seen.add(fullUrl);
    return [];
  });
}

/** All that the Claim names must be in the bundle, and so must the people and organizations behind its coverages and roles. */
function missingEntries(bundle: Bundle): readonly Problem[] {
  return (bundle.entry ?? []).flatMap(({ resource, fullUrl }, i) => {
    const type = resource?.resourceType;
    if (type !== 'Claim' && type !== 'Coverage' && type !== 'PractitionerRole') return [];
    return referencesIn(resource)
      .filter((reference) => !entryOf(bundle, reference, fullUrl))
      .map((reference): Problem => ({ code: 'not-found', text: `The ${type} refers to ${nameOf(reference)}, which is not in the bundle.`, expression: `Bundle.entry[${i}].resource` }));
  });
}

/** A urn or a type and id: enough to find the place, without what else a reference might carry. */
function nameOf(reference: string): string {
  return /urn:uuid:[0-9a-f-]{36}$/i.exec(reference)?.[0] ?? /[A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64}$/.exec(reference)?.[0] ?? 'a resource';
}

function brokenSequences(claim: Claim): readonly Problem[] {
  const numbers = (list: readonly { sequence?: number }[] | undefined) => new Set((list ?? []).map(({ sequence }) => sequence));
  const known = { diagnosisSequence: numbers(claim.diagnosis), informationSequence: numbers(claim.supportingInfo), careTeamSequence: numbers(claim.careTeam) };
  const seen = new Set<number>();
  return (claim.item ?? []).flatMap((item, i) => {
    const place = `Bundle.entry[0].resource.item[${i}]`;
    const problems: Problem[] = [];
    if (item.sequence !== undefined && seen.has(item.sequence)) problems.push({ code: 'duplicate', text: 'Two items have the same sequence.', expression: `${place}.sequence` });
    if (item.sequence !== undefined) seen.add(item.sequence);
    for (const element of ['diagnosisSequence', 'informationSequence', 'careTeamSequence'] as const) {
      if (item[element]?.some((number) => !known[element].has(number))) {
        problems.push({ code: 'not-found', text: `${element} names a number that the Claim does not have.`, expression: `${place}.${element}` });
      }
    }
    return problems;
  });
}
