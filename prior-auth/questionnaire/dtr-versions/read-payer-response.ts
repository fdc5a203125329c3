import type { QuestionnaireResponse } from '@medplum/fhirtypes';
import { extensionsByUrl } from '#fhir/base/extension.ts';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';
import { readQrContext, writeQrContext } from '#fhir/dtr/qr-context.ts';
import { mapAnswers, originCode, withOriginCode } from './answers.ts';

/**
 * A payer's draft or next questions, of either DTR version, in the one form that is worked on here: the coverage stands among the
 * qr-context (2.0.1), and an answer that the payer gave without an origin is the payer's (`auto-server`, 2.2.0), so that it is never taken for the record's.
 */
export function readPayerResponse(received: QuestionnaireResponse): QuestionnaireResponse {
  const coverages = extensionsByUrl(received, DTR_URLS.qrCoverage).flatMap(({ valueReference }) => valueReference?.reference ?? []);
  const context = [...new Set([...coverages, ...readQrContext(received)])];
  const others = (received.extension ?? []).filter(({ url }) => url !== DTR_URLS.qrCoverage && url !== DTR_URLS.qrContext);
  const extension = [...writeQrContext(context), ...others];
  const { extension: _extension, item: _item, ...root } = received;
  const item = mapAnswers(received.item, (answer) => (originCode(answer) === undefined ? withOriginCode(answer, 'auto-server') : answer));
  return { ...root, ...(extension.length > 0 ? { extension } : {}), ...(item ? { item } : {}) };
}
