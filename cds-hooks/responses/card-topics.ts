import type { CardTypeCode } from '#fhir/generated/code-sets.ts';
import type { PolicyResponse } from '#prior-auth/coverage-requirement/policy-response.ts';

/** Words for CRD's card types, where a client shows them. */
export const TOPIC_WORDS: { readonly [C in CardTypeCode]: string } = {
  'appropriate-use': 'Appropriate use',
  claim: 'Claim',
  'clinical-reminder': 'Clinical reminder',
  contraindication: 'Contraindication',
  cost: 'Cost',
  'coverage-info': 'Coverage information',
  'duplicate-therapy': 'Duplicate therapy',
  guideline: 'Guideline',
  insurance: 'Insurance',
  limits: 'Limits',
  network: 'Network',
  'off-guideline': 'Off guideline',
  'therapy-alternatives-opt': 'Therapy alternatives',
  'therapy-alternatives-req': 'Required therapy alternatives',
};

const BY_TYPE: { readonly [T in PolicyResponse['type']]: CardTypeCode } = {
  'external-reference': 'guideline',
  instructions: 'guideline',
  'propose-alternate': 'therapy-alternatives-opt',
  'additional-orders': 'guideline',
  'form-completion': 'claim',
  'update-coverage': 'insurance',
  'launch-app': 'guideline',
};

export function topicOf({ type, topic }: Pick<PolicyResponse, 'type' | 'topic'>): CardTypeCode {
  return topic ?? BY_TYPE[type];
}
