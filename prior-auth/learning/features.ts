import type { DenialRiskFacts } from './denial-risk.ts';
import { type PastDecisions, pastKeys, type PastLevel } from './past-decisions.ts';

/**
 * The features of the denial-risk model: names with units, in the fixed order of the model's input. Serving and training both read this list
 * and nothing else; a model names the list it was trained on and is refused when it differs. Unknown stays NaN.
 * _count: number; _share, _rate: 0..1; _flag: 0 or 1; _days, _years: days, years; _ratio: 1 = at the limit.
 */
export const DENIAL_RISK_FEATURES = [
  'criteria_met_count',
  'criteria_not_met_count',
  'criteria_unknown_count',
  'criteria_met_share',
  'evidence_count',
  'newest_evidence_age_days',
  'urgent_flag',
  'patient_age_band_years',
  'has_reason_code_flag',
  'reason_code_count',
  'quantity_to_limit_ratio',
  'requester_known_flag',
  'renewal_flag',
  'asked_again_flag',
  'payer_denial_rate',
  'payer_decision_count',
  'payer_decision_days',
  'service_family_denial_rate',
  'service_family_decision_count',
  'payer_service_family_denial_rate',
  'payer_service_family_decision_count',
  'procedure_denial_rate',
  'procedure_decision_count',
  'procedure_decision_days',
  'specialty_denial_rate',
  'specialty_decision_count',
  'payer_procedure_denial_rate',
  'payer_procedure_decision_count',
  'payer_procedure_decision_days',
] as const;

export type DenialRiskFeature = (typeof DENIAL_RISK_FEATURES)[number];

/** What a value of a feature may be; anything else is a fault of whoever computed it. Unknown (NaN) is always allowed. */
export const FEATURE_RANGES: Readonly<Record<DenialRiskFeature, readonly [least: number, most: number]>> = {
  criteria_met_count: [0, 500],
  criteria_not_met_count: [0, 500],
  criteria_unknown_count: [0, 500],
  criteria_met_share: [0, 1],
  evidence_count: [0, 100_000],
  newest_evidence_age_days: [0, 45_000],
  urgent_flag: [0, 1],
  patient_age_band_years: [0, 85],
  has_reason_code_flag: [0, 1],
  reason_code_count: [0, 1000],
  quantity_to_limit_ratio: [0, 1_000_000],
  requester_known_flag: [0, 1],
  renewal_flag: [0, 1],
  asked_again_flag: [0, 1],
  payer_denial_rate: [0, 1],
  payer_decision_count: [0, 1e9],
  payer_decision_days: [0, 3660],
  service_family_denial_rate: [0, 1],
  service_family_decision_count: [0, 1e9],
  payer_service_family_denial_rate: [0, 1],
  payer_service_family_decision_count: [0, 1e9],
  procedure_denial_rate: [0, 1],
  procedure_decision_count: [0, 1e9],
  procedure_decision_days: [0, 3660],
  specialty_denial_rate: [0, 1],
  specialty_decision_count: [0, 1e9],
  payer_procedure_denial_rate: [0, 1],
  payer_procedure_decision_count: [0, 1e9],
  payer_procedure_decision_days: [0, 3660],
};

/** First years of the age bands: no age goes into a model more finely than this. */
export const AGE_BANDS = [0, 1, 5, 10, 18, 25, 35, 45, 55, 65, 75, 85] as const;

/** First year of the band that an age in completed years falls in. */
export function ageBandYears(years: number | null): number | null {
  return years === null || !(years >= 0) ? null : (AGE_BANDS.findLast((from) => years >= from) ?? null);
}

/**
 * Past denial shares that a model brings, 0..1, smoothed: what it falls back on where no decision is on record yet. Keys as in `pastKeys`.
 */
export interface DenialHistory {
  readonly byPayer: Readonly<Record<string, number>>;
  readonly byFamily: Readonly<Record<string, number>>;
  readonly byPayerAndFamily: Readonly<Record<string, number>>;
}

/** One row of model input, in the order of DENIAL_RISK_FEATURES; float32 as the model compares it. */
export function toFeatureRow(facts: DenialRiskFacts, past: PastDecisions | DenialHistory): Float32Array {
  const criteria = facts.criteriaMet + facts.criteriaNotMet + facts.criteriaUnknown;
  const shareOf = 'levels' in past ? (level: PastLevel) => past.levels[level] : storedShares(facts, past);
  const payer = shareOf('payer');
  const family = shareOf('service_family');
  const payerFamily = shareOf('payer_service_family');
  const procedure = shareOf('procedure');
  const specialty = shareOf('specialty');
  const payerProcedure = shareOf('payer_procedure');
  const byName: Readonly<Record<DenialRiskFeature, number>> = {
    criteria_met_count: facts.criteriaMet,
    criteria_not_met_count: facts.criteriaNotMet,
    criteria_unknown_count: facts.criteriaUnknown,
    criteria_met_share: criteria === 0 ? Number.NaN : facts.criteriaMet / criteria,
    evidence_count: facts.evidenceCount ?? Number.NaN,
    newest_evidence_age_days: facts.newestEvidenceAgeDays ?? Number.NaN,
    urgent_flag: flag(facts.urgent),
    patient_age_band_years: ageBandYears(facts.patientAgeYears) ?? Number.NaN,
    has_reason_code_flag: flag(facts.hasReasonCode),
    reason_code_count: facts.reasonCodeCount ?? Number.NaN,
    quantity_to_limit_ratio: facts.quantityToLimitRatio ?? Number.NaN,
    requester_known_flag: flag(facts.requesterKnown),
    renewal_flag: flag(facts.renewal),
    asked_again_flag: flag(facts.askedAgain),
    payer_denial_rate: payer.denialRate,
    payer_decision_count: payer.decisionCount,
    payer_decision_days: payer.decisionDays,
    service_family_denial_rate: family.denialRate,
    service_family_decision_count: family.decisionCount,
    payer_service_family_denial_rate: payerFamily.denialRate,
    payer_service_family_decision_count: payerFamily.decisionCount,
    procedure_denial_rate: procedure.denialRate,
    procedure_decision_count: procedure.decisionCount,
    procedure_decision_days: procedure.decisionDays,
    specialty_denial_rate: specialty.denialRate,
    specialty_decision_count: specialty.decisionCount,
    payer_procedure_denial_rate: payerProcedure.denialRate,
    payer_procedure_decision_count: payerProcedure.decisionCount,
    payer_procedure_decision_days: payerProcedure.decisionDays,
  };
  return Float32Array.from(DENIAL_RISK_FEATURES, (name) => byName[name]);
}

function storedShares(facts: DenialRiskFacts, stored: DenialHistory): (level: PastLevel) => PastDecisions['levels'][PastLevel] {
  const keys = pastKeys(facts);
  const tables: Partial<Record<PastLevel, Readonly<Record<string, number>>>> = { payer: stored.byPayer, service_family: stored.byFamily, payer_service_family: stored.byPayerAndFamily };
  return (level) => ({ denialRate: tables[level]?.[keys[level] ?? ''] ?? Number.NaN, decisionCount: Number.NaN, decisionDays: Number.NaN });
}

function flag(value: boolean | null | undefined): number {
  return value === null || value === undefined ? Number.NaN : Number(value);
}
