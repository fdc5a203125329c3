import type { Extension, QuestionnaireResponse } from '@medplum/fhirtypes';
import { extensionsByUrl } from '#fhir/base/extension.ts';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';
import { readQrContext } from '#fhir/dtr/qr-context.ts';

/** Coverages and all else that a response was filled in for, wherever the version it came in keeps the coverage. */
export function contextReferences(response: QuestionnaireResponse): string[] {
  const coverages = extensionsByUrl(response, DTR_URLS.qrCoverage).flatMap(({ valueReference }) => valueReference?.reference ?? []);
  return [...new Set([...coverages, ...readQrContext(response)])];
}

export function otherExtensions({ extension }: QuestionnaireResponse): Extension[] {
  return (extension ?? []).filter(({ url }) => url !== DTR_URLS.qrCoverage && url !== DTR_URLS.qrContext);
}
