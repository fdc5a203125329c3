import type { CodeableConcept, Period, Quantity } from '@medplum/fhirtypes';
import {
  COVERED_CODES as COVERED,
  DETAIL_CODES,
  type DetailCode,
  DOC_NEEDED_CODES as DOC_NEEDED,
  DOC_PURPOSE_CODES as DOC_PURPOSE,
  INFO_NEEDED_CODES as INFO_NEEDED,
  PA_NEEDED_CODES as PA_NEEDED,
} from '#fhir/generated/code-sets.ts';

/**
 * What a payer asks for one order, neutral of CRD version. Produced by `determine` (cds-hooks side, from policies)
 * and by `readRequirement` (panel side, from the coverage-information extension that travelled on the order).
 */
export { COVERED, DOC_NEEDED, DOC_PURPOSE, INFO_NEEDED, PA_NEEDED };

export interface CoverageRequirement {
  /** Relative reference, "Coverage/123". */
  readonly coverage: string;
  readonly covered: (typeof COVERED)[number];
  readonly paNeeded?: (typeof PA_NEEDED)[number];
  readonly docNeeded?: (typeof DOC_NEEDED)[number];
  readonly docPurpose: readonly (typeof DOC_PURPOSE)[number][];
  readonly infoNeeded: readonly (typeof INFO_NEEDED)[number][];
  readonly reasons: readonly string[];
  /** CRD's own code for the first reason, where the payer gave one ("gold-card"). */
  readonly reasonCode?: string;
  /** Version-specific canonicals, "url|version". */
  readonly questionnaires: readonly string[];
  /** YYYY-MM-DD, the day of the determination. */
  readonly date: string;
  readonly assertionId: string;
  readonly satisfiedPaId?: string;
  /** Set where nothing certain can be said and the cause has a name. The rest then says `conditional` on OTH, with the reason in words. */
  readonly cause?: UndeterminedCause;
  readonly billingCodes?: readonly { readonly system: string; readonly code: string; readonly display?: string }[];
  readonly details?: readonly RequirementDetail[];
  /** "Type/id" of other orders that must be authorized too. */
  readonly dependencies?: readonly string[];
  /** Whom to ask about this answer. */
  readonly contacts?: readonly RequirementContact[];
  /** YYYY-MM-DD, the last day on which the answer holds. Later versions only. */
  readonly expiryDate?: string;
  /** doc-needed and info-needed as a later version wrote them, where 2.0.1 has not a code for each. */
  readonly inLaterCodes?: { readonly docNeeded: readonly string[]; readonly infoNeeded: readonly string[] };
  /** The policy revision that decided, absent when a foreign service answered without naming one. */
  readonly policy?: PolicyReference;
}

/** Asked for, or open. */
export function mayNeedAuthorization(paNeeded: CoverageRequirement['paNeeded']): boolean {
  return paNeeded === 'auth-needed' || paNeeded === 'performpa' || paNeeded === 'conditional';
}

/** doc-needed and info-needed as 2.2 writes them: as they came, where they came so; else `both` is a code for each of the two. */
export function inLaterCodes({ inLaterCodes: received, docNeeded, infoNeeded }: CoverageRequirement): NonNullable<CoverageRequirement['inLaterCodes']> {
  return received ?? { docNeeded: docNeeded === undefined ? [] : eachDocNeeded(docNeeded), infoNeeded };
}

/** From 2.1 on doc-needed repeats and there is no `both`. */
export function eachDocNeeded(code: string): readonly string[] {
  return code === 'both' ? ['clinical', 'admin'] : [code];
}

/** CRD 2.2 has a code for each; 2.0.1 has words only. */
export const UNDETERMINED_CAUSES = ['technical', 'no-member-found', 'no-active-coverage', 'coverage-not-found'] as const;
export type UndeterminedCause = (typeof UNDETERMINED_CAUSES)[number];

type SharedDetail = Exclude<DetailCode, 'auth-out-network-only'>;
/** The coverage details that both 2.0.1 and 2.2 have, in a code system of each version's own. 2.2 has dropped one. */
export const SHARED_DETAILS: readonly SharedDetail[] = DETAIL_CODES.filter((code) => code !== 'auth-out-network-only');

export interface RequirementDetail {
  /** One of CRD's coverage details that every version has ("allowed-quantity"), or whoever answered's own concept. */
  readonly code: SharedDetail | CodeableConcept;
  readonly value: string | boolean | Quantity | Period | { readonly url: string };
  readonly qualification?: string;
  /** What kind of fact it is. Later versions only; `other` when absent. */
  readonly category?: 'limitation' | 'decisional' | 'other';
}

export interface RequirementContact {
  readonly name?: string;
  readonly telecom: readonly { readonly system: 'phone' | 'fax' | 'email' | 'url'; readonly value: string }[];
}

export interface PolicyReference {
  readonly policyId: string;
  readonly revision: string;
}

/** A policy criterion held against a record. `unknown` means the record does not say; it is never read as met. */
export interface CriterionFinding {
  readonly criterionId: string;
  /** Plain words a clinician reads. */
  readonly label: string;
  readonly status: 'met' | 'not-met' | 'unknown';
  readonly evidence: readonly EvidenceReference[];
  /** With `unknown`: what it looks at could not all be read. That it is not there is not known. */
  readonly unread?: true;
  /** The record holds more evidence, too old and too much to be looked at. */
  readonly olderLeftOut?: boolean;
}

export interface EvidenceReference {
  /** Relative reference, "Observation/123". */
  readonly reference: string;
  readonly display: string;
  /** ISO date or dateTime of the evidence, when the record gives one. */
  readonly date?: string;
}
