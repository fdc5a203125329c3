import type { ClaimResponseItemAdjudication, CodeableConcept, Extension } from '@medplum/fhirtypes';

import { CODE_SYSTEMS } from '../base/code-systems.ts';
import { extensionByUrl, extensionsByUrl } from '../base/extension.ts';
import { PAS_EXTENSIONS } from './canonical-urls.ts';

/** What the reviewAction extension says, undecided: an absent or unknown code is the reader's to judge, and never an approval. */
export interface ReviewAction {
  /** X12 306, such as A1; undefined when there is none. */
  readonly code?: string;
  /** HCR02, the authorization number. */
  readonly number?: string;
  readonly reasonCodes: readonly { readonly system?: string; readonly code?: string; readonly text?: string }[];
  readonly secondSurgicalOpinion?: boolean;
}

/** The review action of one adjudication; undefined when it carries none. */
export function readReviewAction(adjudication: Pick<ClaimResponseItemAdjudication, 'extension'>): ReviewAction | undefined {
  const action = extensionByUrl(adjudication, PAS_EXTENSIONS.reviewAction);
  if (!action) return undefined;
  const code = reviewActionCode(action);
  const number = extensionByUrl(action, 'number')?.valueString;
  const secondOpinion = extensionByUrl(action, 'secondSurgicalOpinionFlag')?.valueBoolean;
  return {
    ...(code === undefined ? {} : { code }),
    ...(number === undefined ? {} : { number }),
    reasonCodes: extensionsByUrl(action, 'reasonCode').flatMap((reason) => conceptFacts(reason.valueCodeableConcept)),
    ...(secondOpinion === undefined ? {} : { secondSurgicalOpinion: secondOpinion }),
  };
}

/** The short url `reviewActionCode` and `code` are written by some payers although the guide demands the full one. */
function reviewActionCode(action: Extension): string | undefined {
  for (const url of [PAS_EXTENSIONS.reviewActionCode, 'reviewActionCode', 'code']) {
    const codings = extensionByUrl(action, url)?.valueCodeableConcept?.coding ?? [];
    const coding = codings.find((candidate) => candidate.system === CODE_SYSTEMS.x12ReviewAction) ?? codings[0];
    const code = coding?.code?.trim();
    if (code) return code;
  }
  return undefined;
}

function conceptFacts(concept: CodeableConcept | undefined): ReviewAction['reasonCodes'][number][] {
  if (!concept) return [];
  if (!concept.coding?.length) return concept.text === undefined ? [] : [{ text: concept.text }];
  return concept.coding.map(({ system, code, display }) => {
    const text = concept.text ?? display;
    return { ...(system === undefined ? {} : { system }), ...(code === undefined ? {} : { code }), ...(text === undefined ? {} : { text }) };
  });
}

/** The extension a payer writes on an adjudication (PAS 2.0.1 and 2.2.1 agree on it). */
export function writeReviewAction(action: {
  readonly code: string;
  readonly number?: string;
  readonly reasonCodes?: readonly CodeableConcept[];
}): Extension {
  return {
    url: PAS_EXTENSIONS.reviewAction,
    extension: [
      ...(action.number === undefined ? [] : [{ url: 'number', valueString: action.number }]),
      ...(action.reasonCodes ?? []).map((reason) => ({ url: 'reasonCode', valueCodeableConcept: reason })),
      {
        url: PAS_EXTENSIONS.reviewActionCode,
        valueCodeableConcept: { coding: [{ system: CODE_SYSTEMS.x12ReviewAction, code: action.code }] },
      },
    ],
  };
}
