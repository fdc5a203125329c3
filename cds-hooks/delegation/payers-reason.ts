import type { CodeableConcept, Extension } from '@medplum/fhirtypes';
import { extensionsByUrl } from '#fhir/base/extension.ts';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import type { Reason22Code, ReasonCode } from '#fhir/generated/code-sets.ts';
import { conditionalOn } from '#prior-auth/coverage-requirement/determine.ts';
import { type CoverageRequirement, UNDETERMINED_CAUSES, type UndeterminedCause } from '#prior-auth/coverage-requirement/requirement.ts';

/** Our words for CRD's reason codes: a payer may send the code alone. */
const WORDS: { readonly [C in ReasonCode | Reason22Code | UndeterminedCause]: string } = {
  'gold-card': 'The payer does not ask this provider for an authorization (gold card).',
  'detail-code': 'The payer needs a more detailed code.',
  'auth-out-network': 'The payer asks for an authorization outside of its network.',
  technical: 'The payer could not determine it for technical reasons.',
  'no-member-found': 'The payer does not find this member.',
  'no-active-coverage': 'The coverage is not active at the payer.',
  'coverage-not-found': 'The payer does not find this coverage, or more than one that fits.',
};

/**
 * What a payer's codes for reasons say, and its `indeterminate` (CRD 2.2), as a requirement says it: nothing certain is `conditional` on OTH, with its cause.
 * `requirement` is what was read of the same coverage-information.
 */
export function withPayersReason(requirement: CoverageRequirement, information: Extension): CoverageRequirement {
  const given = extensionsByUrl(information, 'reason').flatMap(({ valueCodeableConcept }) => valueCodeableConcept ?? []);
  const codes = given.flatMap(codesOf);
  const reasons = given.flatMap((reason) => reason.text ?? reason.coding?.[0]?.display ?? codesOf(reason).map((code) => WORDS[code])[0] ?? reason.coding?.[0]?.code ?? []);
  const cause = UNDETERMINED_CAUSES.find((each) => codes.includes(each)) ?? (isIndeterminate(information, 'covered') || isIndeterminate(information, 'pa-needed') ? 'technical' : undefined);
  if (cause) {
    const { coverage, date, assertionId, contacts = [], details = [] } = requirement;
    return { coverage, date, assertionId, docPurpose: [], questionnaires: [], contacts, details, ...conditionalOn('OTH', ''), reasons: reasons.length > 0 ? reasons : [WORDS[cause]], cause };
  }
  const detailed = codesIn(information, 'info-needed').includes('detail-code');
  const openDocuments = isIndeterminate(information, 'doc-needed');
  const words = [...reasons, ...(detailed && !codes.includes('detail-code') ? [WORDS['detail-code']] : []), ...(openDocuments && reasons.length === 0 ? [WORDS.technical] : [])];
  const [first] = given[0] ? codesOf(given[0]) : [];
  return {
    ...requirement,
    reasons: words,
    ...(first ? { reasonCode: first } : {}),
    ...(openDocuments && requirement.infoNeeded.length === 0 ? { infoNeeded: ['OTH'] } : {}),
  };
}

function codesOf({ coding = [] }: CodeableConcept): readonly (keyof typeof WORDS)[] {
  return coding.flatMap(({ system, code }) => (system === CRD_URLS.codesTemp && code !== undefined && Object.hasOwn(WORDS, code) ? [code as keyof typeof WORDS] : []));
}

function codesIn(information: Extension, element: string): readonly (string | undefined)[] {
  return extensionsByUrl(information, element).map(({ valueCode }) => valueCode);
}

function isIndeterminate(information: Extension, element: string): boolean {
  return codesIn(information, element).includes('indeterminate');
}
