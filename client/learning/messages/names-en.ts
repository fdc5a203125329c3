import type { DenialRiskFeature } from '#prior-auth/learning/features.ts';
import type { ThresholdName } from '#prior-auth/learning-api.ts';

export const featureNames: Readonly<Record<DenialRiskFeature, string>> = {
  criteria_met_count: 'Criteria met',
  criteria_not_met_count: 'Criteria not met',
  criteria_unknown_count: 'Criteria not found in the record',
  criteria_met_share: 'Share of criteria met',
  evidence_count: 'Pieces of evidence',
  newest_evidence_age_days: 'Age of the newest evidence, days',
  urgent_flag: 'Urgent',
  patient_age_band_years: 'Age band of the patient, first year',
  has_reason_code_flag: 'Has a reason code',
  reason_code_count: 'Reason codes',
  quantity_to_limit_ratio: 'Quantity to the policy’s limit',
  requester_known_flag: 'Requester known',
  renewal_flag: 'Renewal',
  asked_again_flag: 'Asked again after a denial',
  payer_denial_rate: 'Past denials of the payer',
  payer_decision_count: 'Past decisions of the payer',
  payer_decision_days: 'Days the payer took',
  service_family_denial_rate: 'Past denials of the service family',
  service_family_decision_count: 'Past decisions of the service family',
  payer_service_family_denial_rate: 'Past denials of payer and service family',
  payer_service_family_decision_count: 'Past decisions of payer and service family',
  procedure_denial_rate: 'Past denials of the procedure',
  procedure_decision_count: 'Past decisions of the procedure',
  procedure_decision_days: 'Days taken for the procedure',
  specialty_denial_rate: 'Past denials of the specialty',
  specialty_decision_count: 'Past decisions of the specialty',
  payer_procedure_denial_rate: 'Past denials of payer and procedure',
  payer_procedure_decision_count: 'Past decisions of payer and procedure',
  payer_procedure_decision_days: 'Days the payer took for the procedure',
};

export const groupNames: Readonly<Record<string, string>> = { patient_age: 'Age of the patient', patient_sex: 'Sex of the patient', payer: 'Payer', service_family: 'Service family' };

export const thresholds: Readonly<Record<ThresholdName, { readonly name: string; readonly reason: string }>> = {
  'input-drift': { name: 'Input drift', reason: 'A population stability index above 0.2 is commonly read as a changed population. Below 200 known values chance alone comes near it.' },
  'score-drift': { name: 'Score drift', reason: 'As for the inputs: the model is asked about other orders than it was tested on.' },
  'label-drift': { name: 'Drift of decisions', reason: 'Payers deny 10 percentage points more or fewer than where the model was tested, and the interval leaves the old share out.' },
  'calibration-error': { name: 'Calibration error', reason: 'A risk shown as 30 % should come true in 25 to 35 of 100. What chance alone gives for so many rows is taken off.' },
  'auc-fall': { name: 'Fall of the area under ROC', reason: 'It is 0.05 below that of the model’s own test, by more than chance.' },
  'parity-gap': { name: 'Demographic parity', reason: 'The share called high risk differs by more than 20 points between two groups of people, whole interval. A difference may be the payers’ own: a person must judge.' },
  'odds-gap': { name: 'Equalised odds', reason: 'Denials are recognised, or approvals wrongly called high risk, 20 points more often in one group than another, whole interval.' },
  'unknown-share-rise': { name: 'More unknown values', reason: 'A field that the record used to bring is now missing in 20 more of 100 orders: most often an interface that changed.' },
  'latency-p99-ms': { name: 'Time of a score, ms (99 %)', reason: 'The time promised for a score with its reasons.' },
};
