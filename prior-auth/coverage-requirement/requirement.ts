import {
  COVERED_CODES as COVERED,
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
  /** Version-specific canonicals, "url|version". */
  readonly questionnaires: readonly string[];
  /** YYYY-MM-DD, the day of the determination. */
  readonly date: string;
  readonly assertionId: string;
  readonly satisfiedPaId?: string;
  /** The policy revision that decided, absent when a foreign service answered without naming one. */
  readonly policy?: PolicyReference;
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
}

export interface EvidenceReference {
  /** Relative reference, "Observation/123". */
  readonly reference: string;
  readonly display: string;
  /** ISO date or dateTime of the evidence, when the record gives one. */
  readonly date?: string;
}
