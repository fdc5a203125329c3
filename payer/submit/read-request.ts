import type { Bundle, Claim, OperationOutcomeIssue } from '@medplum/fhirtypes';
import { extensionByUrl } from '#fhir/base/extension.ts';
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
/** Far more than a request needs; every entry is held against its profile while others wait. */
const MOST_ENTRIES = 1_000;

/**
 * Reads a request or inquiry bundle, held against `profile`.
 * @throws PayerError 400 for what is no Bundle, 422 for what breaks the profile or the guide.
 */
export function readPasBundle(body: unknown, validator: Validator, profile: string): PasRequest {
  if (!isBundle(body)) throw new PayerError(400, { code: 'structure', text: 'The body must be a FHIR Bundle.', expression: 'Bundle' });
  if (Array.isArray(body.entry) && body.entry.length > MOST_ENTRIES) throw new PayerError(422, { code: 'too-costly', text: `A bundle may have ${MOST_ENTRIES} entries at most.`, expression: 'Bundle.entry' });
  const report = validator.validate(body, { profile });
  const errors = report.issues.filter((issue) => issue.severity === 'error');
  if (errors.length > 0) {
    throw new PayerError(422, errors.slice(0, MOST_PROBLEMS).map(({ code, path, message }) => ({ code: toIssueType(code), rule: code, text: message, expression: path })));
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

/** Updates and cancels are not taken yet; read as new requests they would be answered wrongly. */
export function refuseUpdates({ claim }: PasRequest): void {
  const place = 'Bundle.entry[0].resource';
  const refuse = (expression: string): never => {
    throw new PayerError(422, { code: 'not-supported', text: 'This payer does not take updates and cancellations of earlier requests yet. Send a new request.', expression });
  };
  if (claim.related?.length) refuse(`${place}.related`);
  claim.item?.forEach((item, i) => {
    if (item.modifierExtension?.some(({ url }) => url === PAS_EXTENSIONS.infoCancelled)) refuse(`${place}.item[${i}].modifierExtension`);
    if (extensionByUrl(item, PAS_EXTENSIONS.infoChanged)) refuse(`${place}.item[${i}].extension`);
  });
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
  return referencesIn(first?.resource)
    .filter((reference) => !entryOf(bundle, reference, first?.fullUrl))
    .map((): Problem => ({ code: 'not-found', text: 'The Claim refers to a resource that is not in the bundle.', expression: 'Bundle.entry[0].resource' }));
}
