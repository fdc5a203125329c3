import type { Extension, Questionnaire, QuestionnaireItem, QuestionnaireResponse, QuestionnaireResponseItem } from '@medplum/fhirtypes';
import { extensionsByUrl } from '#fhir/base/extension.ts';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';

/** Before the first question: the response names a contained copy of the form, derived from the payer's (SDC adaptive). */
export function adaptiveDraft(draft: QuestionnaireResponse, questionnaire: Questionnaire): QuestionnaireResponse {
  const id = questionnaire.id ?? 'adaptive-form';
  const { url, version } = questionnaire;
  const derivedFrom = questionnaire.derivedFrom ?? (url ? [version ? `${url}|${version}` : url] : undefined);
  const contained: Questionnaire = { ...questionnaire, id, ...(derivedFrom ? { derivedFrom } : {}) };
  const { item: _item, ...root } = draft;
  return { ...root, questionnaire: `#${id}`, contained: [contained] };
}

/** The questions asked so far. Undefined for a response that contains none. */
export function containedQuestionnaire({ questionnaire, contained }: QuestionnaireResponse): Questionnaire | undefined {
  return contained?.find((resource): resource is Questionnaire => resource.resourceType === 'Questionnaire' && `#${resource.id}` === questionnaire)
    ?? contained?.find((resource): resource is Questionnaire => resource.resourceType === 'Questionnaire');
}

export type NextQuestions =
  | { readonly kind: 'asked' | 'completed'; readonly response: QuestionnaireResponse; /** linkIds that were not there before. */ readonly added: ReadonlySet<string> }
  | { readonly kind: 'unreadable'; readonly why: string };

/**
 * Joins the payer's next questions to our response. The form is the payer's, exactly as received; whom and what it is about stays ours;
 * an answer given here is never replaced, unless the question is read-only and so the payer's to answer (a score).
 */
export function takeNextQuestions(ours: QuestionnaireResponse, theirs: QuestionnaireResponse): NextQuestions {
  const form = containedQuestionnaire(theirs);
  if (!form?.id) return { kind: 'unreadable', why: 'it contains no Questionnaire' };
  if (theirs.status !== 'completed' && theirs.status !== 'in-progress') return { kind: 'unreadable', why: `its status is ${theirs.status}` };
  const before = new Set(linkIdsOf(containedQuestionnaire(ours)?.item));
  const asked = linkIdsOf(form.item);
  const readOnly = new Set(itemsOf(form.item).filter((item) => item.readOnly).map(({ linkId }) => linkId));
  const item = mergeItems(ours.item ?? [], theirs.item ?? [], readOnly);
  const { item: _item, ...root } = ours;
  const coverage = extensionsByUrl(theirs, CRD_URLS.coverageInformation);
  const extension: Extension[] = [...(ours.extension ?? []).filter(({ url }) => url !== CRD_URLS.coverageInformation), ...coverage];
  return {
    kind: theirs.status === 'completed' ? 'completed' : 'asked',
    response: { ...root, status: theirs.status, questionnaire: `#${form.id}`, contained: theirs.contained ?? [], extension, ...(item.length > 0 ? { item } : {}) },
    added: new Set(asked.filter((linkId) => !before.has(linkId))),
  };
}

function mergeItems(ours: readonly QuestionnaireResponseItem[], theirs: readonly QuestionnaireResponseItem[], readOnly: ReadonlySet<string | undefined>): QuestionnaireResponseItem[] {
  const linkIds = [...new Set([...ours, ...theirs].map(({ linkId }) => linkId))];
  return linkIds.flatMap((linkId) => {
    const [mine, payers] = [ours, theirs].map((items) => items.filter((item) => item.linkId === linkId)) as [QuestionnaireResponseItem[], QuestionnaireResponseItem[]];
    if (mine.length === 0 || (readOnly.has(linkId) && payers.length > 0)) return payers;
    return mine.map((item, index) => {
      const other = payers[index];
      if (!other || item.answer?.length) return item;
      const inner = mergeItems(item.item ?? [], other.item ?? [], readOnly);
      return { ...item, ...(other.answer ? { answer: other.answer } : {}), ...(inner.length > 0 ? { item: inner } : {}) };
    });
  });
}

function itemsOf(items: readonly QuestionnaireItem[] | undefined): QuestionnaireItem[] {
  return (items ?? []).flatMap((item) => [item, ...itemsOf(item.item)]);
}

function linkIdsOf(items: readonly QuestionnaireItem[] | undefined): string[] {
  return itemsOf(items).flatMap(({ linkId }) => linkId ?? []);
}
