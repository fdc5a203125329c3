import type { QuestionnaireResponse } from '@medplum/fhirtypes';
import { withExtensions } from '#fhir/base/extension.ts';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';
import { readQrContext, writeQrContext } from '#fhir/dtr/qr-context.ts';
import { mapAnswers, originCode, withOriginCode } from './answers.ts';

/** DTR 2.2.0: an extension of its own for the coverage, `auto-client` for what the record gave and `auto-server` for what the payer gave, a profile of its own for adaptive forms. */
export function writeResponse22(response: QuestionnaireResponse): QuestionnaireResponse {
  const context = readQrContext(response);
  const isCoverage = (reference: string) => /(^|\/)Coverage\//.test(reference);
  const coverage = context.filter(isCoverage).map((reference) => ({ url: DTR_URLS.qrCoverage, valueReference: { reference } }));
  const others = withExtensions(response, DTR_URLS.qrContext, writeQrContext(context.filter((reference) => !isCoverage(reference))));
  const item = mapAnswers(response.item, (answer) => (originCode(answer) === 'auto' ? withOriginCode(answer, 'auto-client') : answer));
  const profile = response.questionnaire?.startsWith('#') ? DTR_URLS.adaptiveResponse : DTR_URLS.questionnaireResponse;
  return { ...response, meta: { ...response.meta, profile: [profile] }, extension: withExtensions({ extension: others }, DTR_URLS.qrCoverage, coverage), ...(item ? { item } : {}) };
}
