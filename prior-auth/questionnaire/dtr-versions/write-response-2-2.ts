import type { QuestionnaireResponse } from '@medplum/fhirtypes';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';
import { writeQrContext } from '#fhir/dtr/qr-context.ts';
import { mapAnswers, originCode, withOriginCode } from './answers.ts';
import { contextReferences, otherExtensions } from './context-references.ts';

/** DTR 2.2.0: an extension of its own for the coverage, `auto-client` for what the record gave and `auto-server` for what the payer gave, a profile of its own for adaptive forms. */
export function writeResponse22(response: QuestionnaireResponse): QuestionnaireResponse {
  const context = contextReferences(response);
  const isCoverage = (reference: string) => /(^|\/)Coverage\//.test(reference);
  const coverages = context.filter(isCoverage).map((reference) => ({ url: DTR_URLS.qrCoverage, valueReference: { reference } }));
  const item = mapAnswers(response.item, (answer) => (originCode(answer) === 'auto' ? withOriginCode(answer, 'auto-client') : answer));
  return {
    ...response,
    meta: { ...response.meta, profile: [response.questionnaire?.startsWith('#') ? DTR_URLS.adaptiveResponse : DTR_URLS.questionnaireResponse] },
    extension: [...coverages, ...writeQrContext(context.filter((reference) => !isCoverage(reference))), ...otherExtensions(response)],
    ...(item ? { item } : {}),
  };
}
