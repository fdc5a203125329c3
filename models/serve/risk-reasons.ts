import type { DenialRiskFacts, DenialRiskReason, RiskSaying } from '#prior-auth/learning/denial-risk.ts';
import type { DenialRiskFeature } from '#prior-auth/learning/features.ts';
import type { PastDecisions, PastLevel } from '#prior-auth/learning/past-decisions.ts';
import { saySaying } from '#prior-auth/learning/risk-words.ts';
import type { CategoryEncoder } from '../model-file.ts';

/** Fields a person knows, and the features that stand for each. Contributions add up, so a field's is the exact sum of its features'. */
const FIELD_OF = {
  criteria_met_count: 'criteria',
  criteria_not_met_count: 'criteria',
  criteria_unknown_count: 'criteria',
  criteria_met_share: 'criteria',
  evidence_count: 'evidence',
  newest_evidence_age_days: 'evidence',
  urgent_flag: 'urgency',
  patient_age_band_years: 'age',
  has_reason_code_flag: 'reason-code',
  reason_code_count: 'reason-code',
  quantity_to_limit_ratio: 'quantity',
  requester_known_flag: 'requester',
  renewal_flag: 'renewal',
  asked_again_flag: 'asked-again',
  payer_denial_rate: 'payer-history',
  payer_decision_count: 'payer-history',
  payer_decision_days: 'payer-history',
  service_family_denial_rate: 'service-history',
  service_family_decision_count: 'service-history',
  payer_service_family_denial_rate: 'payer-history',
  payer_service_family_decision_count: 'payer-history',
  procedure_denial_rate: 'service-history',
  procedure_decision_count: 'service-history',
  procedure_decision_days: 'service-history',
  specialty_denial_rate: 'specialty-history',
  specialty_decision_count: 'specialty-history',
  payer_procedure_denial_rate: 'payer-history',
  payer_procedure_decision_count: 'payer-history',
  payer_procedure_decision_days: 'payer-history',
} as const satisfies Readonly<Record<DenialRiskFeature, string>>;

type Field = (typeof FIELD_OF)[DenialRiskFeature];

/** The field of each of a model's features; an encoder's rate and count belong to the history of what it encodes. */
export function fieldsOf(features: readonly string[], encoders: readonly CategoryEncoder[]): Field[] {
  const own = features.slice(0, features.length - 2 * encoders.length).map((name) => FIELD_OF[name as DenialRiskFeature]);
  const encoded = encoders.flatMap(({ fields }) => {
    const field: Field = fields.includes('payer') ? 'payer-history' : fields.includes('specialty') ? 'specialty-history' : 'service-history';
    return [field, field];
  });
  return [...own, ...encoded];
}

const MOST_REASONS = 5;
/** Log-odds; what moves the score by less is no reason. */
const LEAST_CONTRIBUTION = 0.02;

/** The strongest first. */
export function toReasons(contributions: Float64Array, fields: readonly Field[], facts: DenialRiskFacts, past: PastDecisions | null): DenialRiskReason[] {
  const sums = new Map<Field, number>();
  fields.forEach((field, feature) => sums.set(field, (sums.get(field) ?? 0) + (contributions[feature] as number)));
  return [...sums]
    .filter(([, contribution]) => Math.abs(contribution) >= LEAST_CONTRIBUTION)
    .sort(([, a], [, b]) => Math.abs(b) - Math.abs(a))
    .slice(0, MOST_REASONS)
    .map(([field, contribution]) => {
      const says = SAYINGS[field](facts, contribution > 0, past);
      return { feature: field, contribution, says, text: saySaying(says, 'en') };
    });
}

const SAYINGS: { readonly [F in Field]: (facts: DenialRiskFacts, raises: boolean, past: PastDecisions | null) => RiskSaying } = {
  criteria({ criteriaMet, criteriaNotMet, criteriaUnknown }) {
    const total = criteriaMet + criteriaNotMet + criteriaUnknown;
    if (total === 0) return { code: 'criteria-none' };
    if (criteriaNotMet > 0) return { code: 'criteria-not-met', count: criteriaNotMet, total };
    return criteriaUnknown > 0 ? { code: 'criteria-unknown', count: criteriaUnknown, total } : { code: 'criteria-all-met', total };
  },
  evidence: ({ newestEvidenceAgeDays: days }) => (days === null ? { code: 'evidence-none' } : { code: 'evidence-age', days }),
  urgency: ({ urgent }) => ({ code: urgent ? 'urgent' : 'routine' }),
  age: ({ patientAgeYears }, raises) => (patientAgeYears === null ? { code: 'age-unknown' } : { code: 'age', raises }),
  'reason-code': ({ hasReasonCode }) => ({ code: hasReasonCode ? 'diagnosis-named' : 'diagnosis-missing' }),
  quantity({ quantityToLimitRatio: ratio }) {
    if (ratio === null) return { code: 'quantity-no-limit' };
    return ratio > 1 ? { code: 'quantity-over', ratio } : { code: 'quantity-within' };
  },
  requester: ({ requesterKnown }) => ({ code: requesterKnown ? 'requester-known' : 'requester-unknown' }),
  renewal: ({ renewal }) => ({ code: renewal ? 'renewal' : 'no-renewal' }),
  'asked-again': ({ askedAgain }) => ({ code: askedAgain ? 'asked-again' : 'first-asked' }),
  'payer-history': (_facts, raises, past) => ({ code: 'payer-history', raises, ...seen(past, 'payer_service_family') }),
  'service-history': (_facts, raises, past) => ({ code: 'service-history', raises, ...seen(past, 'service_family') }),
  'specialty-history': (_facts, raises, past) => ({ code: 'specialty-history', raises, ...seen(past, 'specialty') }),
};

function seen(past: PastDecisions | null, level: PastLevel): { readonly rate: number | null; readonly decisions: number | null; readonly simulated?: true } {
  const { denialRate = Number.NaN, decisionCount = Number.NaN } = past?.levels[level] ?? {};
  return { rate: Number.isNaN(denialRate) ? null : denialRate, decisions: Number.isNaN(decisionCount) ? null : decisionCount, ...(past?.simulated ? { simulated: true } : {}) };
}
