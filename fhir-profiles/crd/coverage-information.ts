import type { CodeableConcept, Coding, Extension, Period, Quantity } from '@medplum/fhirtypes';

import type { Extensible } from '../base/extension.ts';
import { extensionByUrl, extensionsByUrl } from '../base/extension.ts';
import type { CoveredCode, DocNeededCode, DocPurposeCode, InfoNeededCode, PaNeededCode } from '../generated/code-sets.ts';
import { CRD_URLS } from './canonical-urls.ts';

/** What a CRD 2.0.1 service asserts about one order under one coverage. */
export interface CoverageInformation {
  /** Literal reference of the client's Coverage. */
  readonly coverage: string;
  readonly covered: CoveredCode;
  readonly paNeeded?: PaNeededCode;
  readonly docNeeded?: DocNeededCode;
  readonly docPurpose?: readonly DocPurposeCode[];
  readonly infoNeeded?: readonly InfoNeededCode[];
  readonly billingCodes?: readonly Coding[];
  readonly reasons?: readonly CodeableConcept[];
  readonly details?: readonly CoverageDetail[];
  /** Literal references of orders that must be authorized too. */
  readonly dependencies?: readonly string[];
  /** Canonicals, `url|version`. */
  readonly questionnaires?: readonly string[];
  /** Literal references of QuestionnaireResponses already filled. */
  readonly responses?: readonly string[];
  /** YYYY-MM-DD. */
  readonly date: string;
  readonly assertionId: string;
  readonly satisfiedPaId?: string;
  readonly contacts?: readonly { readonly system?: 'phone' | 'fax' | 'email' | 'url' | 'pager' | 'sms' | 'other'; readonly value: string }[];
}

interface CoverageDetail {
  readonly code: CodeableConcept;
  readonly value: string | boolean | Period | Quantity;
  readonly qualification?: string;
}

/** As received, from this version or a later one: codes are unchecked text, required parts may be missing. */
export interface ReceivedCoverageInformation {
  readonly coverage?: string;
  readonly covered?: string;
  readonly paNeeded?: string;
  /** 2.1 and later repeat it. */
  readonly docNeeded: readonly string[];
  readonly docPurpose: readonly string[];
  readonly infoNeeded: readonly string[];
  readonly reasons: readonly CodeableConcept[];
  readonly details: readonly Partial<CoverageDetail>[];
  readonly questionnaires: readonly string[];
  readonly responses: readonly string[];
  readonly date?: string;
  readonly assertionId?: string;
  readonly satisfiedPaId?: string;
  /** YYYY-MM-DD, the last day on which the answer holds. 2.1 and later. */
  readonly expiryDate?: string;
}

/** Every coverage-information on a resource, one per coverage and rule, in its order. */
export function readCoverageInformation(resource: Extensible): ReceivedCoverageInformation[] {
  return extensionsByUrl(resource, CRD_URLS.coverageInformation).map((information) => {
    const one = (url: string): Extension | undefined => extensionByUrl(information, url);
    const all = <T>(url: string, value: (extension: Extension) => T | undefined): T[] =>
      extensionsByUrl(information, url).flatMap((extension) => value(extension) ?? []);
    return defined({
      coverage: one('coverage')?.valueReference?.reference,
      covered: one('covered')?.valueCode,
      paNeeded: one('pa-needed')?.valueCode,
      docNeeded: all('doc-needed', (extension) => extension.valueCode),
      docPurpose: all('doc-purpose', (extension) => extension.valueCode),
      infoNeeded: all('info-needed', (extension) => extension.valueCode),
      reasons: all('reason', (extension) => extension.valueCodeableConcept),
      details: all('detail', readDetail),
      questionnaires: all('questionnaire', (extension) => extension.valueCanonical),
      responses: all('response', (extension) => extension.valueReference?.reference),
      date: one('date')?.valueDate,
      assertionId: one('coverage-assertion-id')?.valueString,
      satisfiedPaId: one('satisfied-pa-id')?.valueString,
      expiryDate: one('expiry-date')?.valueDate,
    });
  });
}

function readDetail(detail: Extension): Partial<CoverageDetail> {
  const value = extensionByUrl(detail, 'value');
  return defined({
    code: extensionByUrl(detail, 'code')?.valueCodeableConcept,
    value: value?.valueString ?? value?.valueBoolean ?? value?.valuePeriod ?? value?.valueQuantity,
    qualification: extensionByUrl(detail, 'qualification')?.valueString,
  });
}

/** Without the keys whose value is undefined. */
function defined<T extends object>(facts: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as T;
}

export function writeCoverageInformation(information: CoverageInformation): Extension {
  const codes = (url: string, values: readonly string[] = []): Extension[] => values.map((valueCode) => ({ url, valueCode }));
  const references = (url: string, values: readonly string[] = []): Extension[] =>
    values.map((reference) => ({ url, valueReference: { reference } }));
  const { paNeeded, docNeeded, satisfiedPaId } = information;
  return {
    url: CRD_URLS.coverageInformation,
    extension: [
      ...references('coverage', [information.coverage]),
      { url: 'covered', valueCode: information.covered },
      ...codes('pa-needed', paNeeded === undefined ? [] : [paNeeded]),
      ...codes('doc-needed', docNeeded === undefined ? [] : [docNeeded]),
      ...codes('doc-purpose', information.docPurpose),
      ...codes('info-needed', information.infoNeeded),
      ...(information.billingCodes ?? []).map((valueCoding) => ({ url: 'billingCode', valueCoding })),
      ...(information.reasons ?? []).map((valueCodeableConcept) => ({ url: 'reason', valueCodeableConcept })),
      ...(information.details ?? []).map(writeDetail),
      ...references('dependency', information.dependencies),
      ...(information.questionnaires ?? []).map((valueCanonical) => ({ url: 'questionnaire', valueCanonical })),
      ...references('response', information.responses),
      { url: 'date', valueDate: information.date },
      { url: 'coverage-assertion-id', valueString: information.assertionId },
      ...(satisfiedPaId === undefined ? [] : [{ url: 'satisfied-pa-id', valueString: satisfiedPaId }]),
      ...(information.contacts ?? []).map((valueContactPoint) => ({ url: 'contact', valueContactPoint })),
    ],
  };
}

function writeDetail({ code, value, qualification }: CoverageDetail): Extension {
  return {
    url: 'detail',
    extension: [
      { url: 'code', valueCodeableConcept: code },
      { url: 'value', ...detailValue(value) },
      ...(qualification === undefined ? [] : [{ url: 'qualification', valueString: qualification }]),
    ],
  };
}

function detailValue(value: CoverageDetail['value']): Partial<Extension> {
  if (typeof value === 'string') return { valueString: value };
  if (typeof value === 'boolean') return { valueBoolean: value };
  return 'start' in value || 'end' in value ? { valuePeriod: value } : { valueQuantity: value };
}
