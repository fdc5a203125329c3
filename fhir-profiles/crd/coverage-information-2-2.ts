import type { CodeableConcept, Coding, ContactDetail, Extension, Period, Quantity } from '@medplum/fhirtypes';
import { CRD_URLS } from './canonical-urls.ts';

/** What a CRD 2.2 service asserts about one resource under one coverage. */
export interface CoverageInformation22 {
  /** Literal reference of the client's Coverage. */
  readonly coverage: string;
  readonly covered: string;
  readonly paNeeded?: string;
  readonly docNeeded: readonly string[];
  readonly docPurpose: readonly string[];
  readonly infoNeeded: readonly string[];
  readonly billingCodes: readonly Coding[];
  readonly reasons: readonly CodeableConcept[];
  readonly details: readonly CoverageDetail22[];
  readonly dependencies: readonly string[];
  readonly questionnaires: readonly string[];
  /** YYYY-MM-DD. */
  readonly date: string;
  readonly assertionId: string;
  readonly satisfiedPaId?: string;
  readonly contacts: readonly ContactDetail[];
  /** YYYY-MM-DD. */
  readonly expiryDate?: string;
}

interface CoverageDetail22 {
  readonly category: 'cat-limitation' | 'cat-decisional' | 'cat-other';
  readonly code: CodeableConcept;
  readonly value: string | boolean | Quantity | Period | { readonly url: string };
  readonly qualification?: string;
}

export function writeCoverageInformation22(information: CoverageInformation22): Extension {
  const all = <T>(url: string, values: readonly T[], value: (each: T) => Omit<Extension, 'url'>): Extension[] => values.map((each) => ({ url, ...value(each) }));
  const maybe = <T>(value: T | undefined): readonly T[] => (value === undefined ? [] : [value]);
  const code = (valueCode: string) => ({ valueCode });
  const reference = (literal: string) => ({ valueReference: { reference: literal } });
  return {
    url: CRD_URLS.coverageInformation,
    extension: [
      ...all('coverage', [information.coverage], reference),
      ...all('covered', [information.covered], code),
      ...all('pa-needed', maybe(information.paNeeded), code),
      ...all('doc-needed', information.docNeeded, code),
      ...all('doc-purpose', information.docPurpose, code),
      ...all('info-needed', information.infoNeeded, code),
      ...all('billingCode', information.billingCodes, (valueCoding) => ({ valueCoding })),
      ...all('reason', information.reasons, (valueCodeableConcept) => ({ valueCodeableConcept })),
      ...all('detail', information.details, (detail) => ({ extension: partsOf(detail) })),
      ...all('dependency', information.dependencies, reference),
      ...all('questionnaire', information.questionnaires, (valueCanonical) => ({ valueCanonical })),
      { url: 'date', valueDate: information.date },
      { url: 'coverage-assertion-id', valueString: information.assertionId },
      ...all('satisfied-pa-id', maybe(information.satisfiedPaId), (valueString) => ({ valueString })),
      ...all('contact', information.contacts, (valueContactDetail) => ({ valueContactDetail })),
      ...all('expiry-date', maybe(information.expiryDate), (valueDate) => ({ valueDate })),
    ],
  };
}

function partsOf({ category, code, value, qualification }: CoverageDetail22): Extension[] {
  return [
    { url: 'category', valueCode: category },
    { url: 'code', valueCodeableConcept: code },
    { url: 'value', ...valueOf(value) },
    ...(qualification === undefined ? [] : [{ url: 'qualification', valueString: qualification }]),
  ];
}

function valueOf(value: CoverageDetail22['value']): Omit<Extension, 'url'> {
  if (typeof value === 'string') return { valueString: value };
  if (typeof value === 'boolean') return { valueBoolean: value };
  if ('url' in value) return { valueUrl: value.url };
  return 'start' in value || 'end' in value ? { valuePeriod: value } : { valueQuantity: value };
}
