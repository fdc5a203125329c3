import type { QuestionnaireResponse } from '@medplum/fhirtypes';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';
import { writeQrContext } from '#fhir/dtr/qr-context.ts';
import { mapAnswers, originCode, withOriginCode } from './answers.ts';
import { contextReferences, otherExtensions } from './context-references.ts';

/** DTR 2.0.1: the coverage among the qr-context, and one code for everything that no person entered. */
export function writeResponse201(response: QuestionnaireResponse): QuestionnaireResponse {
  const item = mapAnswers(response.item, (answer) => (originCode(answer)?.startsWith('auto-') ? withOriginCode(answer, 'auto') : answer));
  const adaptive = response.questionnaire?.startsWith('#') === true;
  return {
    ...response,
    meta: { ...response.meta, profile: [DTR_URLS.questionnaireResponse, ...(adaptive ? [DTR_URLS.sdcAdaptiveResponse] : [])] },
    extension: [...writeQrContext(contextReferences(response)), ...otherExtensions(response)],
    ...(item ? { item } : {}),
  };
}
