import type { Extension, QuestionnaireResponse } from '@medplum/fhirtypes';

import { extensionsByUrl } from '../base/extension.ts';
import { DTR_URLS } from './canonical-urls.ts';

/** The references a QuestionnaireResponse was filled for: in DTR 2.0.1 at least one Coverage and one order, Encounter or Appointment. */
export function readQrContext(response: Pick<QuestionnaireResponse, 'extension'>): string[] {
  return extensionsByUrl(response, DTR_URLS.qrContext).flatMap(({ valueReference }) =>
    valueReference?.reference === undefined ? [] : [valueReference.reference],
  );
}

export function writeQrContext(references: readonly string[]): Extension[] {
  return references.map((reference) => ({ url: DTR_URLS.qrContext, valueReference: { reference } }));
}
