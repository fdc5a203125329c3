import type { Bundle, Claim, OperationOutcomeIssue } from '@medplum/fhirtypes';
import { PAS_PROFILES } from '#fhir/pas/canonical-urls.ts';
import type { IssueCode } from '#fhir/validation/validator.ts';
import type { PasEndpoint } from '../pas-version.ts';
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
/** Far more than a request needs; every entry is held against its profile while others wait. */
const MOST_ENTRIES = 1_000;

/** What a payer does not know must not keep it from answering (PAS §errors); a modifier that is not known must. */
const UNKNOWN_IS_NO_ERROR: readonly IssueCode[] = ['unknown-element', 'extension-unknown', 'extension-part-unknown'];

/** A Claim and, in an update of 2.2.1, the Claim that it replaces. */
const MOST_CLAIMS = { '2.0.1': 1, '2.2.1': 2 } as const;

/**
 * Reads a request or inquiry bundle in the endpoint's version.
 * @throws PayerError 400 for what is no Bundle, 422 for what breaks the profile or the guide.
 */
export function readPasBundle(body: unknown, { validator, version }: PasEndpoint, kind: 'request' | 'inquiry'): PasRequest {
  if (!isBundle(body)) throw new PayerError(400, { code: 'structure', text: 'The body must be a FHIR Bundle.', expression: 'Bundle' });
  if (Array.isArray(body.entry) && body.entry.length > MOST_ENTRIES) throw new PayerError(422, { code: 'too-costly', text: `A bundle may have ${MOST_ENTRIES} entries at most.`, expression: 'Bundle.entry' });
  const report = validator.validate(body, { profile: kind === 'request' ? PAS_PROFILES.requestBundle : PAS_PROFILES.inquiryRequestBundle });
  const errors = report.issues.filter(({ severity, code }) => severity === 'error' && !UNKNOWN_IS_NO_ERROR.includes(code));
  if (errors.length > 0) {
    throw new PayerError(422, errors.slice(0, MOST_PROBLEMS).map(({ code, path, message }) => ({ code: toIssueType(code), rule: code, text: message, expression: path })));
  }
  const problems: Problem[] = [];
  if (body.identifier?.value === undefined) problems.push({ code: 'required', text: 'Bundle.identifier needs a value: a repeated request is known by it.', expression: 'Bundle.identifier.value' });
  const [first, ...others] = body.entry ?? [];
  if (first?.resource?.resourceType !== 'Claim' || first.fullUrl === undefined) {
    throw new PayerError(422, { code: 'structure', text: 'The first entry must be the Claim, with its fullUrl.', expression: 'Bundle.entry[0]' });
  }
  const mostClaims = kind === 'request' ? MOST_CLAIMS[version] : 1;
  if (others.filter(({ resource }) => resource?.resourceType === 'Claim').length >= mostClaims) {
    problems.push({ code: 'structure', text: mostClaims === 1 ? 'This bundle holds one Claim.' : 'An update holds its Claim and the one just before, no earlier one.', expression: 'Bundle.entry' });
  }
  problems.push(...missingParts(body));
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

function isBundle(body: unknown): body is Bundle {
  return typeof body === 'object' && body !== null && 'resourceType' in body && body.resourceType === 'Bundle';
}

type IssueType = OperationOutcomeIssue['code'];

/** FHIR issue types for the validator's codes, by how those begin. */
const ISSUE_TYPES: readonly (readonly [prefix: string, type: IssueType])[] = [
  ['cardinality-min', 'required'],
  ['slice-min', 'required'],
  ['binding-', 'code-invalid'],
  ['code-', 'code-invalid'],
  ['invariant', 'invariant'],
  ['extension-', 'extension'],
  ['modifier-extension-', 'extension'],
  ['bundle-duplicate', 'duplicate'],
  ['bundle-dangling', 'not-found'],
  ['primitive-', 'value'],
  ['value-', 'value'],
  ['fixed-', 'value'],
  ['pattern', 'value'],
];

function toIssueType(code: string): IssueType {
  return ISSUE_TYPES.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'structure';
}

/** An absolute reference may lead out of a bundle, but not from the Claim: who is meant, and what was ordered, must be there to be read. */
function missingParts(bundle: Bundle): readonly Problem[] {
  const [first] = bundle.entry ?? [];
  const { related: _related, ...claim } = first?.resource?.resourceType === 'Claim' ? first.resource : {};
  return referencesIn(claim)
    .filter((reference) => !entryOf(bundle, reference, first?.fullUrl))
    .map((): Problem => ({ code: 'not-found', text: 'The Claim refers to a resource that is not in the bundle.', expression: 'Bundle.entry[0].resource' }));
}
