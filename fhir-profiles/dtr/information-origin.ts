import type { Extension, QuestionnaireResponseItemAnswer } from '@medplum/fhirtypes';

import { CODE_SYSTEMS } from '../base/code-systems.ts';
import { extensionByUrl, extensionsByUrl } from '../base/extension.ts';
import type { InformationOriginCode } from '../generated/code-sets.ts';
import { DTR_URLS } from './canonical-urls.ts';

/** Where one answer came from. DTR 2.0.1 dtrx-1: an author exists if, and only if, a person overrode or typed the answer. */
export type InformationOrigin =
  | { readonly source: 'auto' }
  | { readonly source: Exclude<InformationOriginCode, 'auto'>; readonly practitioner: string; readonly display?: string;
      /** NUCC provider taxonomy code. */
      readonly roleCode?: string };

/** As received: the binding is extensible, and 2.2.0 has `auto-client` and `auto-server`. */
export interface ReceivedInformationOrigin {
  readonly source: string;
  /** Reference of the author, when one is named. */
  readonly practitioner?: string;
}

export function readInformationOrigin(answer: Pick<QuestionnaireResponseItemAnswer, 'extension'>): ReceivedInformationOrigin | undefined {
  const origin = extensionByUrl(answer, DTR_URLS.informationOrigin);
  const source = extensionByUrl(origin, 'source')?.valueCode;
  if (source === undefined) return undefined;
  const [author] = extensionsByUrl(origin, 'author');
  const practitioner = extensionByUrl(author, 'practitioner')?.valueReference?.reference;
  return { source, ...(practitioner === undefined ? {} : { practitioner }) };
}

export function writeInformationOrigin(origin: InformationOrigin): Extension {
  return {
    url: DTR_URLS.informationOrigin,
    extension: [
      { url: 'source', valueCode: origin.source },
      ...(origin.source === 'auto'
        ? []
        : [{
            url: 'author',
            extension: [
              ...(origin.roleCode === undefined ? [] : [{ url: 'role', valueCodeableConcept: { coding: [{ system: CODE_SYSTEMS.nuccTaxonomy, code: origin.roleCode }] } }]),
              { url: 'practitioner', valueReference: { reference: origin.practitioner, ...(origin.display === undefined ? {} : { display: origin.display }) } },
            ],
          }]),
    ],
  };
}
