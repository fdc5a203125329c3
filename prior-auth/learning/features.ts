import type { DenialRiskFacts } from './denial-risk.ts';

/**
 * The features of the denial-risk model: names with units, in the fixed order of the model's input. Serving and training both read this list
 * and nothing else; a model names the list it was trained on and is refused when it differs. Unknown stays NaN.
 */
export const DENIAL_RISK_FEATURES = [
  'criteria_met_count',
  'criteria_not_met_count',
  'criteria_unknown_count',
  'criteria_met_share',
  'urgent_flag',
  'patient_age_years',
  'newest_evidence_age_days',
  'has_reason_code_flag',
  'quantity_to_limit_ratio',
  'requester_known_flag',
  'payer_denial_rate',
  'service_family_denial_rate',
  'payer_service_family_denial_rate',
] as const;

export type DenialRiskFeature = (typeof DENIAL_RISK_FEATURES)[number];

/** Past denial shares, 0..1, as they stood before the scored order: smoothed towards the overall share. Keys "payer", "family", "payer|family". */
export interface DenialHistory {
  readonly byPayer: Readonly<Record<string, number>>;
  readonly byFamily: Readonly<Record<string, number>>;
  readonly byPayerAndFamily: Readonly<Record<string, number>>;
}

/** One row of model input, in the order of DENIAL_RISK_FEATURES; float32 as the model compares it. */
export function toFeatureRow(facts: DenialRiskFacts, history: DenialHistory): Float32Array {
  const criteria = facts.criteriaMet + facts.criteriaNotMet + facts.criteriaUnknown;
  const byName: Readonly<Record<DenialRiskFeature, number>> = {
    criteria_met_count: facts.criteriaMet,
    criteria_not_met_count: facts.criteriaNotMet,
    criteria_unknown_count: facts.criteriaUnknown,
    criteria_met_share: criteria === 0 ? Number.NaN : facts.criteriaMet / criteria,
    urgent_flag: flag(facts.urgent),
    patient_age_years: facts.patientAgeYears ?? Number.NaN,
    newest_evidence_age_days: facts.newestEvidenceAgeDays ?? Number.NaN,
    has_reason_code_flag: flag(facts.hasReasonCode),
    quantity_to_limit_ratio: facts.quantityToLimitRatio ?? Number.NaN,
    requester_known_flag: flag(facts.requesterKnown),
    payer_denial_rate: rate(history.byPayer, facts.payerId),
    service_family_denial_rate: rate(history.byFamily, facts.serviceFamily),
    payer_service_family_denial_rate:
      facts.payerId === null || facts.serviceFamily === null ? Number.NaN : rate(history.byPayerAndFamily, `${facts.payerId}|${facts.serviceFamily}`),
  };
  return Float32Array.from(DENIAL_RISK_FEATURES, (name) => byName[name]);
}

function flag(value: boolean | null): number {
  return value === null ? Number.NaN : Number(value);
}

function rate(table: Readonly<Record<string, number>>, key: string | null): number {
  return key === null ? Number.NaN : (table[key] ?? Number.NaN);
}
