import type { DenialRiskFacts, DenialRiskReason } from '#prior-auth/learning/denial-risk.ts';
import { DENIAL_RISK_FEATURES, type DenialRiskFeature } from '#prior-auth/learning/features.ts';

/** Fields a person knows, and the features that stand for each. Contributions add up, so a field's is the exact sum of its features'. */
const FIELDS = {
  criteria: ['criteria_met_count', 'criteria_not_met_count', 'criteria_unknown_count', 'criteria_met_share', 'evidence_count'],
  urgency: ['urgent_flag'],
  age: ['patient_age_band_years'],
  'evidence-age': ['newest_evidence_age_days'],
  'reason-code': ['has_reason_code_flag', 'reason_code_count'],
  quantity: ['quantity_to_limit_ratio'],
  requester: ['requester_known_flag'],
  'earlier-request': ['renewal_flag', 'asked_again_flag'],
  'payer-history': [
    'payer_denial_rate', 'payer_decision_count', 'payer_decision_days', 'service_family_denial_rate', 'service_family_decision_count', 'payer_service_family_denial_rate',
    'payer_service_family_decision_count', 'procedure_denial_rate', 'procedure_decision_count', 'procedure_decision_days', 'specialty_denial_rate', 'specialty_decision_count',
    'payer_procedure_denial_rate', 'payer_procedure_decision_count', 'payer_procedure_decision_days',
  ],
} as const satisfies Readonly<Record<string, readonly DenialRiskFeature[]>>;

type Field = keyof typeof FIELDS;

const WORDS: { readonly [F in Field]: (facts: DenialRiskFacts, raises: boolean) => string } = {
  criteria: (facts) => {
    const total = facts.criteriaMet + facts.criteriaNotMet + facts.criteriaUnknown;
    if (total === 0) return 'No criteria of the payer are known for this order';
    if (facts.criteriaNotMet > 0) return `${facts.criteriaNotMet} of ${total} payer criteria not met by the record`;
    if (facts.criteriaUnknown > 0) return `${facts.criteriaUnknown} of ${total} payer criteria not found in the record`;
    return `All ${total} payer criteria met by the record`;
  },
  urgency: (facts) => (facts.urgent ? 'Ordered as urgent' : 'Ordered as routine'),
  age: (facts, raises) => (facts.patientAgeYears === null ? 'Age not on record' : `The patient's age ${raises ? 'raises' : 'lowers'} it slightly`),
  'evidence-age': (facts) => (facts.newestEvidenceAgeDays === null ? 'No dated evidence found for the criteria' : `Newest evidence is ${facts.newestEvidenceAgeDays} days old`),
  'reason-code': (facts) => (facts.hasReasonCode ? 'The order names a diagnosis' : 'The order names no diagnosis'),
  quantity: (facts) => {
    const ratio = facts.quantityToLimitRatio;
    if (ratio === null) return 'No quantity limit applies';
    return ratio > 1 ? `Asks for ${ratio.toFixed(1)} times what the policy grants at first` : 'The quantity is within the policy’s limit';
  },
  requester: (facts) => (facts.requesterKnown ? 'The ordering clinician is identified' : 'The ordering clinician is not identified'),
  'earlier-request': (facts) => (facts.renewal ? 'It renews an authorization' : facts.askedAgain ? 'The same order was denied before' : 'A first request for this order'),
  'payer-history': (_facts, raises) => `This payer's past decisions on this kind of service ${raises ? 'raise' : 'lower'} it`,
};

/** The strongest reasons first, each in words a clinician knows; fields that move the score by less than 0.02 log-odds are left out. */
export function toReasons(contributions: Float64Array, facts: DenialRiskFacts, most: number): DenialRiskReason[] {
  return (Object.keys(FIELDS) as Field[])
    .map((field) => {
      const features: readonly DenialRiskFeature[] = FIELDS[field];
      const contribution = features.reduce((sum, name) => sum + (contributions[DENIAL_RISK_FEATURES.indexOf(name)] as number), 0);
      return { feature: field, contribution, text: WORDS[field](facts, contribution > 0) };
    })
    .filter((reason) => Math.abs(reason.contribution) >= 0.02)
    .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
    .slice(0, most);
}
