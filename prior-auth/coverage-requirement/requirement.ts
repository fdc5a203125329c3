/**
 * What a payer asks for one order, neutral of CRD version. Produced by `determine` (cds-hooks side, from policies)
 * and by `readRequirement` (panel side, from the coverage-information extension that travelled on the order).
 */
export const COVERED = ['covered', 'not-covered', 'conditional'] as const;
export const PA_NEEDED = ['no-auth', 'auth-needed', 'satisfied', 'performpa', 'conditional'] as const;
export const DOC_NEEDED = ['clinical', 'admin', 'both', 'conditional'] as const;
export const DOC_PURPOSE = ['withpa', 'withclaim', 'withorder', 'retain-doc', 'OTH'] as const;
export const INFO_NEEDED = ['performer', 'location', 'timeframe', 'contract-window', 'OTH'] as const;

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
