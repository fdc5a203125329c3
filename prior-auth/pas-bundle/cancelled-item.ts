import type { ClaimItem } from '@medplum/fhirtypes';
import { PAS_EXTENSIONS } from '#fhir/pas/canonical-urls.ts';

export function isCancelled({ modifierExtension }: ClaimItem): boolean {
  return modifierExtension?.some(({ url, valueBoolean }) => url === PAS_EXTENSIONS.infoCancelled && valueBoolean === true) ?? false;
}
