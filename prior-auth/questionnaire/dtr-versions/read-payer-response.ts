import type { QuestionnaireResponse } from '@medplum/fhirtypes';
import { writeQrContext } from '#fhir/dtr/qr-context.ts';
import { mapAnswers, originCode, withOriginCode } from './answers.ts';
import { contextReferences, otherExtensions } from './context-references.ts';

/**
 * A payer's draft or next questions, of either DTR version, in the one form that is worked on here: the coverage stands among the
 * qr-context (2.0.1), and an answer that the payer gave without an origin is the payer's (`auto-server`, 2.2.0), so that it is never taken for the record's.
 */
export function readPayerResponse(received: QuestionnaireResponse): QuestionnaireResponse {
  const extension = [...writeQrContext(contextReferences(received)), ...otherExtensions(received)];
  const { extension: _extension, item: _item, ...root } = received;
  const item = mapAnswers(received.item, (answer) => (originCode(answer) === undefined ? withOriginCode(answer, 'auto-server') : answer));
  return { ...root, ...(extension.length > 0 ? { extension } : {}), ...(item ? { item } : {}) };
}
