import type { Extension, QuestionnaireResponse } from '@medplum/fhirtypes';

import { CODE_SYSTEMS } from '../base/code-systems.ts';
import { extensionsByUrl } from '../base/extension.ts';
import type { DocPurposeCode } from '../generated/code-sets.ts';
import { DTR_URLS } from './canonical-urls.ts';

export function readIntendedUse(response: Pick<QuestionnaireResponse, 'extension'>): string[] {
  return extensionsByUrl(response, DTR_URLS.intendedUse).flatMap(
    ({ valueCodeableConcept }) => valueCodeableConcept?.coding?.flatMap(({ code }) => (code === undefined ? [] : [code])) ?? [],
  );
}

export function writeIntendedUse(use: DocPurposeCode): Extension {
  const system = use === 'OTH' ? CODE_SYSTEMS.nullFlavor : CODE_SYSTEMS.crdTemp;
  return { url: DTR_URLS.intendedUse, valueCodeableConcept: { coding: [{ system, code: use }] } };
}
