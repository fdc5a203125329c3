// Written by `npm run profiles:generate` from the packages named in ig.lock.json. Do not edit.

/** http://hl7.org/fhir/us/davinci-crd/ValueSet/coverageInfo, crd-2.0.1 */
export const COVERED_CODES = ['not-covered', 'covered', 'conditional'] as const;
export type CoveredCode = (typeof COVERED_CODES)[number];

/** http://hl7.org/fhir/us/davinci-crd/ValueSet/coveragePaDetail, crd-2.0.1 */
export const PA_NEEDED_CODES = ['no-auth', 'auth-needed', 'satisfied', 'performpa', 'conditional'] as const;
export type PaNeededCode = (typeof PA_NEEDED_CODES)[number];

/** http://hl7.org/fhir/us/davinci-crd/ValueSet/AdditionalDocumentation, crd-2.0.1 */
export const DOC_NEEDED_CODES = ['clinical', 'admin', 'both', 'conditional'] as const;
export type DocNeededCode = (typeof DOC_NEEDED_CODES)[number];

/** http://hl7.org/fhir/us/davinci-crd/ValueSet/DocReason, crd-2.0.1 */
export const DOC_PURPOSE_CODES = ['withpa', 'withclaim', 'withorder', 'retain-doc', 'OTH'] as const;
export type DocPurposeCode = (typeof DOC_PURPOSE_CODES)[number];

/** http://hl7.org/fhir/us/davinci-crd/ValueSet/informationNeeded, crd-2.0.1 */
export const INFO_NEEDED_CODES = ['performer', 'location', 'timeframe', 'contract-window', 'OTH'] as const;
export type InfoNeededCode = (typeof INFO_NEEDED_CODES)[number];

/** http://hl7.org/fhir/us/davinci-crd/ValueSet/coverageAssertionReasons, crd-2.0.1 */
export const REASON_CODES = ['gold-card', 'detail-code'] as const;
export type ReasonCode = (typeof REASON_CODES)[number];

/** http://hl7.org/fhir/us/davinci-crd/ValueSet/coverageDetail, crd-2.0.1 */
export const DETAIL_CODES = ['allowed-quantity', 'allowed-period', 'in-network-copay', 'out-network-copay', 'auth-out-network-only', 'concurrent-review', 'appropriate-use-needed'] as const;
export type DetailCode = (typeof DETAIL_CODES)[number];

/** http://hl7.org/fhir/us/davinci-crd/ValueSet/cardType, crd-2.0.1 */
export const CARD_TYPE_CODES = ['appropriate-use', 'claim', 'clinical-reminder', 'contraindication', 'cost', 'coverage-info', 'duplicate-therapy', 'guideline', 'insurance', 'limits', 'network', 'off-guideline', 'therapy-alternatives-opt', 'therapy-alternatives-req'] as const;
export type CardTypeCode = (typeof CARD_TYPE_CODES)[number];

/** http://hl7.org/fhir/us/davinci-crd/ValueSet/coverageInfo, crd-2.2.0-preview */
export const COVERED22_CODES = ['not-covered', 'covered', 'conditional', 'indeterminate'] as const;
export type Covered22Code = (typeof COVERED22_CODES)[number];

/** http://hl7.org/fhir/us/davinci-crd/ValueSet/coveragePaDetail, crd-2.2.0-preview */
export const PA_NEEDED22_CODES = ['no-auth', 'auth-needed', 'satisfied', 'performpa', 'conditional', 'indeterminate'] as const;
export type PaNeeded22Code = (typeof PA_NEEDED22_CODES)[number];

/** http://hl7.org/fhir/us/davinci-crd/ValueSet/AdditionalDocumentation, crd-2.2.0-preview */
export const DOC_NEEDED22_CODES = ['clinical', 'admin', 'patient', 'conditional', 'indeterminate'] as const;
export type DocNeeded22Code = (typeof DOC_NEEDED22_CODES)[number];

/** http://hl7.org/fhir/us/davinci-crd/ValueSet/informationNeeded, crd-2.2.0-preview */
export const INFO_NEEDED22_CODES = ['performer', 'location', 'timeframe', 'contract-window', 'detail-code', 'OTH'] as const;
export type InfoNeeded22Code = (typeof INFO_NEEDED22_CODES)[number];

/** http://hl7.org/fhir/us/davinci-crd/ValueSet/coverageAssertionReasons, crd-2.2.0-preview */
export const REASON22_CODES = ['gold-card', 'no-member-found', 'no-active-coverage', 'coverage-not-found', 'auth-out-network'] as const;
export type Reason22Code = (typeof REASON22_CODES)[number];

/** http://hl7.org/fhir/us/davinci-crd/ValueSet/coverageDetailCategories, crd-2.2.0-preview */
export const DETAIL_CATEGORY22_CODES = ['cat-limitation', 'cat-decisional', 'cat-other'] as const;
export type DetailCategory22Code = (typeof DETAIL_CATEGORY22_CODES)[number];

/** http://hl7.org/fhir/us/davinci-dtr/ValueSet/informationOrigins, dtr-2.0.1 */
export const INFORMATION_ORIGIN_CODES = ['auto', 'override', 'manual'] as const;
export type InformationOriginCode = (typeof INFORMATION_ORIGIN_CODES)[number];
