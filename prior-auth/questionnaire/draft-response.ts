import type { Questionnaire, QuestionnaireResponse } from '@medplum/fhirtypes';
import { extensionsByUrl, withExtensions } from '#fhir/base/extension.ts';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';
import { writeIntendedUse } from '#fhir/dtr/intended-use.ts';
import { readQrContext, writeQrContext } from '#fhir/dtr/qr-context.ts';
import type { DOC_PURPOSE } from '../coverage-requirement/requirement.ts';
import type { FormAuthor } from './form.ts';

const DISPLAY = 'http://hl7.org/fhir/StructureDefinition/display';

export interface DraftResponseInput {
  readonly questionnaire: Questionnaire;
  /** The payer's draft, when the package has one: its root extensions and answers are kept. */
  readonly draft?: QuestionnaireResponse | undefined;
  /** Relative references. */
  readonly patient: string;
  readonly coverage: string;
  readonly order: string;
  readonly purposes: readonly (typeof DOC_PURPOSE)[number][];
  readonly author: FormAuthor;
  /** ISO instant with offset. */
  readonly authored: string;
}

/** A response with everything the DTR 2.0.1 profile wants at its root; the payer's own intendedUse wins over ours (default withpa). */
export function draftResponse(input: DraftResponseInput): QuestionnaireResponse {
  const { questionnaire, draft, patient, coverage, order, author, authored } = input;
  const canonical = questionnaire.url ? `${questionnaire.url}${questionnaire.version ? `|${questionnaire.version}` : ''}` : draft?.questionnaire;
  const context = [...new Set([coverage, order, ...(draft ? readQrContext(draft) : []).filter((reference) => /^[A-Z]\w+\/[\w\-.]+$/.test(reference))])];
  const withContext = { extension: withExtensions(draft, DTR_URLS.qrContext, writeQrContext(context)) };
  const purposes = input.purposes.length > 0 ? input.purposes : (['withpa'] as const);
  const uses = extensionsByUrl(draft, DTR_URLS.intendedUse);
  const extension = uses.length > 0 ? withContext.extension : withExtensions(withContext, DTR_URLS.intendedUse, purposes.map(writeIntendedUse));
  const title = questionnaire.title ?? questionnaire.name;
  const { basedOn: _basedOn, partOf: _partOf, id: _id, ...kept } = draft ?? {};
  return {
    ...kept,
    resourceType: 'QuestionnaireResponse',
    meta: { profile: [DTR_URLS.questionnaireResponse] },
    extension,
    ...(canonical ? { questionnaire: canonical } : {}),
    ...(title ? { _questionnaire: { extension: [{ url: DISPLAY, valueString: title }] } } : {}),
    status: 'in-progress',
    subject: { reference: patient },
    authored,
    author: { reference: author.reference, ...(author.display ? { display: author.display } : {}) },
  };
}
