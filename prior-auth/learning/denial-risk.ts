/** A denial-risk score as every screen and card shows it. `simulated` is true as long as no real payer decision has trained the model. */
export interface DenialRisk {
  /** Calibrated probability that the payer denies, 0..1. */
  readonly probability: number;
  readonly band: 'low' | 'medium' | 'high';
  /** Strongest first; log-odds contributions summed back to fields people know. */
  readonly reasons: readonly DenialRiskReason[];
  /** What a person can change about the request, most helpful first; each was scored again and found lower. Absent: nothing found. */
  readonly lowering?: readonly LoweringStep[];
  readonly modelVersion: string;
  readonly simulated: boolean;
  /** Of what past decisions the score took into account. Absent: none; the model's own stored shares were used. */
  readonly history?: { /** ISO instant up to which decisions were seen. */ readonly asOf: string; /** How many, in the window. */ readonly decisions: number; /** They are those of a sandbox payer. */ readonly simulated?: true };
}

export interface DenialRiskReason {
  readonly feature: string;
  /** Plain words, e.g. "Two of the payer's criteria are not found in the record". */
  readonly text: string;
  /** The same as a code with its values, for other languages; absent in scores of before there were any. */
  readonly says?: RiskSaying;
  /** Log-odds; positive raises the risk. */
  readonly contribution: number;
}

/** A reason as a code with its values. `raises`: the fact counts against the request. Rates are 0..1. */
export type RiskSaying =
  | { readonly code: 'criteria-none' }
  | { readonly code: 'criteria-all-met'; readonly total: number }
  | { readonly code: 'criteria-not-met' | 'criteria-unknown'; readonly count: number; readonly total: number }
  | { readonly code: 'evidence-none' }
  | { readonly code: 'evidence-age'; readonly days: number }
  | { readonly code: 'urgent' | 'routine' }
  | { readonly code: 'age-unknown' }
  | { readonly code: 'age'; readonly raises: boolean }
  | { readonly code: 'diagnosis-named' | 'diagnosis-missing' }
  | { readonly code: 'quantity-no-limit' | 'quantity-within' }
  | { readonly code: 'quantity-over'; readonly ratio: number }
  | { readonly code: 'requester-known' | 'requester-unknown' }
  | { readonly code: 'renewal' | 'no-renewal' }
  | { readonly code: 'asked-again' | 'first-asked' }
  | { readonly code: 'payer-history' | 'service-history' | 'specialty-history'; readonly raises: boolean; readonly rate: number | null; readonly decisions: number | null; /** The decisions are a sandbox payer's. */ readonly simulated?: true };

/** What would lower the risk, and to what. */
export interface LoweringStep {
  readonly change: LoweringChange;
  /** Calibrated, 0..1, when this alone is changed. */
  readonly probability: number;
}

export type LoweringChange =
  | { readonly code: 'document-criteria'; readonly count: number }
  | { readonly code: 'newer-evidence'; readonly days: number }
  | { readonly code: 'name-diagnosis' | 'within-limit' | 'name-requester' };

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
  /** The code that would be billed, with its system in short: "hcpcs:E0601", "cpt:70551". */
  readonly procedure?: string | null;
  /** NUCC taxonomy code of the ordering clinician. */
  readonly requesterSpecialty?: string | null;
  /** Distinct resources of the record that stand for a criterion. */
  readonly evidenceCount?: number;
  readonly reasonCodeCount?: number;
  /** The request takes up an authorization that runs out; null before there is a case. */
  readonly renewal?: boolean | null;
  /** The same order was denied before; null before there is a case. */
  readonly askedAgain?: boolean | null;
}
