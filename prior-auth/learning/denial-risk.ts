/** A denial-risk score as every screen and card shows it. `simulated` is true as long as no real payer decision has trained the model. */
export interface DenialRisk {
  /** Calibrated probability that the payer denies, 0..1. */
  readonly probability: number;
  readonly band: 'low' | 'medium' | 'high';
  /** Strongest first; log-odds contributions summed back to fields people know. */
  readonly reasons: readonly DenialRiskReason[];
  readonly modelVersion: string;
  readonly simulated: boolean;
}

export interface DenialRiskReason {
  readonly feature: string;
  /** Plain words, e.g. "Two of the payer's criteria are not found in the record". */
  readonly text: string;
  /** Log-odds; positive raises the risk. */
  readonly contribution: number;
}

/** What the score may look at. Everything unknown stays null; nothing is guessed. Units are in the names. */
export interface DenialRiskFacts {
  readonly payerId: string | null;
  readonly policyId: string | null;
  /** Policy family, e.g. "dme-respiratory", "cardiac-imaging". */
  readonly serviceFamily: string | null;
  readonly criteriaMet: number;
  readonly criteriaNotMet: number;
  readonly criteriaUnknown: number;
  readonly urgent: boolean | null;
  readonly patientAgeYears: number | null;
  /** Days between the newest evidence for a criterion and the order. */
  readonly newestEvidenceAgeDays: number | null;
  readonly hasReasonCode: boolean;
  /** Requested over the policy's limit, 1 = exactly at the limit; null when the policy has none. */
  readonly quantityToLimitRatio: number | null;
  readonly paNeeded: boolean | null;
  readonly requesterKnown: boolean;
}
