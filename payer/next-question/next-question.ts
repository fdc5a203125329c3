import type { QuestionnaireItem, QuestionnaireResponse, QuestionnaireResponseItem } from '@medplum/fhirtypes';
import { PayerError } from '../payer-error.ts';
import type { KeptDetermination } from '../questionnaire-package/determination-record.ts';
import type { ServedAt } from '../questionnaires/serve-form.ts';
import { adaptiveQuestionnaire } from './adaptive-questionnaire.ts';
import type { AnswerValues } from './adaptive-expression.ts';
import { payerAnswer } from './answer-value.ts';
import { determine } from './determine.ts';
import { itemsOf, linkIdsOf, walk } from './question-path.ts';
import { readAnswers } from './read-answers.ts';
import type { NextRequest } from './read-next-request.ts';

export type NextQuestion =
  | { readonly kind: 'more'; readonly response: QuestionnaireResponse }
  | { readonly kind: 'completed'; readonly response: QuestionnaireResponse; readonly determinations: readonly KeptDetermination[] };

/**
 * SDC $next-question: the response with the next questions added, or completed when there are none. The payer completes; nobody else does.
 * PayerError 400 when a question on the way is not answered, or not as it must be.
 */
export function nextQuestion(request: NextRequest, at: ServedAt, nowMs: number): NextQuestion {
  const { response, adaptive, asked } = request;
  const { version, payerOrigin } = at.dtr;
  const { values, problems } = readAnswers(itemsOf(asked), response.item ?? [], version);
  const walked = walk(adaptive, asked, values);
  // Questions that a changed answer has led away from need no answer any more.
  const left = new Set(linkIdsOf(itemsOf(asked.slice(walked.kept.length))));
  const faults = problems.filter(({ linkId }) => !left.has(linkId));
  if (faults.length > 0) throw new PayerError(400, faults);

  const { goal } = walked;
  const path = goal.kind === 'ask' ? [...walked.kept, goal.step] : walked.kept;
  const items = itemsOf(path);
  const next = withQuestions(request, items, responseItems(items, response.item ?? [], walked.values, payerOrigin));
  if (goal.kind === 'ask') return { kind: 'more', response: next };
  const determination = adaptive.determinations[goal.determination];
  return { kind: 'completed', ...determine(request, { ...next, status: 'completed' }, determination ?? undefined, version, nowMs) };
}

function withQuestions({ response, contained, form }: NextRequest, items: readonly QuestionnaireItem[], answered: QuestionnaireResponseItem[]): QuestionnaireResponse {
  return {
    ...response,
    contained: (response.contained ?? []).map((one) => (one === contained ? adaptiveQuestionnaire(form, items, contained.id) : one)),
    item: answered,
  };
}

/** An item for every question, with the answers given; what the payer reckons takes the place of what was there. */
function responseItems(questions: readonly QuestionnaireItem[], given: readonly QuestionnaireResponseItem[], payerValues: AnswerValues, origin: string): QuestionnaireResponseItem[] {
  return questions.filter(({ type }) => type !== 'display').flatMap((question): QuestionnaireResponseItem[] => {
    const { linkId, text, type } = question;
    const own = payerValues[linkId];
    if (own) return [{ linkId, ...(text ? { text } : {}), ...(own.length > 0 ? { answer: own.map((value) => payerAnswer(question, value, origin)) } : {}) }];
    const same = given.filter((item) => item.linkId === linkId);
    if (same.length === 0) same.push({ linkId, ...(text ? { text } : {}) });
    if (type !== 'group') return same;
    return same.map((group) => {
      const inner = responseItems(question.item ?? [], group.item ?? [], payerValues, origin);
      return { ...group, ...(inner.length > 0 ? { item: inner } : {}) };
    });
  });
}
