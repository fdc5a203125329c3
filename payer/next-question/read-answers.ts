import type { QuestionnaireItem, QuestionnaireResponseItem, QuestionnaireResponseItemAnswer } from '@medplum/fhirtypes';
import { readInformationOrigin } from '#fhir/dtr/information-origin.ts';
import { INFORMATION_ORIGIN_CODES } from '#fhir/generated/code-sets.ts';
import type { Problem } from '../payer-error.ts';
import type { DtrVersion } from '../questionnaires/dtr-version.ts';
import type { AnswerValues } from './adaptive-expression.ts';
import { answerFault, answerValue } from './answer-value.ts';

export interface ReadAnswers {
  readonly values: AnswerValues;
  readonly problems: readonly (Problem & { readonly linkId: string })[];
}

const ORIGINS: Readonly<Record<DtrVersion['version'], readonly string[]>> = {
  '2.0.1': [...INFORMATION_ORIGIN_CODES, 'auto-client', 'auto-server'], // an extensible binding
  '2.2.0': ['auto-client', 'auto-server', 'override', 'manual'],
};

/** Holds the answers against the questions asked. Each answer says where it came from; of what the payer fills in itself nothing is asked. */
export function readAnswers(asked: readonly QuestionnaireItem[], items: readonly QuestionnaireResponseItem[], version: DtrVersion['version']): ReadAnswers {
  const values: Record<string, unknown[]> = {};
  const problems: (Problem & { linkId: string })[] = [];
  const labels = labelsOf(asked);
  const say = (code: Problem['code'], linkId: string, text: string) => problems.push({ linkId, code, text: `“${(labels.get(linkId) ?? linkId).slice(0, 100)}” ${text}`, expression: `QuestionnaireResponse.repeat(item).where(linkId='${linkId.replace(/[^\w.-]/g, '')}')` });

  const readLevel = (questions: readonly QuestionnaireItem[], given: readonly QuestionnaireResponseItem[]): void => {
    for (const { linkId } of given) if (!questions.some((question) => question.linkId === linkId)) say('structure', linkId, 'was not asked here.');
    for (const question of questions) {
      const { linkId, type, repeats } = question;
      const same = given.filter((item) => item.linkId === linkId);
      if (same.length > 1 && !(type === 'group' && repeats === true)) say('structure', linkId, 'is there twice.');
      const answers = same.flatMap(({ answer }) => answer ?? []);
      if (question.readOnly !== true) readQuestion(question, answers, same);
      if (type === 'group') for (const one of same.length > 0 ? same : [undefined]) readLevel(question.item ?? [], one?.item ?? []);
      else readLevel(question.item ?? [], answers.flatMap(({ item }) => item ?? []));
    }
  };
  const readQuestion = (question: QuestionnaireItem, answers: readonly QuestionnaireResponseItemAnswer[], given: readonly QuestionnaireResponseItem[]): void => {
    const { linkId, type } = question;
    if (type === 'group' || type === 'display') {
      if (answers.length > 0) say('structure', linkId, 'takes no answer.');
      return;
    }
    if (question.required === true && answers.length === 0) say('required', linkId, 'must be answered.');
    if (given.some(({ item }) => (item ?? []).length > 0)) say('structure', linkId, 'has its questions under its answer, not beside it.');
    const fault = answerFault(question, answers);
    if (fault) say('value', linkId, fault);
    for (const answer of answers) {
      const origin = readInformationOrigin(answer);
      if (origin === undefined) say('required', linkId, 'has an answer without information-origin.');
      else if (!ORIGINS[version].includes(origin.source)) say('code-invalid', linkId, `has an information-origin that is none of ${ORIGINS[version].join(', ')}.`);
      else if (hasAuthor(answer) !== ['override', 'manual'].includes(origin.source)) say('invariant', linkId, 'dtrx-1: an author is named when, and only when, a person gave or changed the answer.');
      const value = answerValue(question, answer);
      if (value !== undefined) values[linkId] = [...(values[linkId] ?? []), value];
    }
  };
  readLevel(asked, items);
  return { values, problems };
}

function labelsOf(items: readonly QuestionnaireItem[]): Map<string, string> {
  return new Map(items.flatMap(({ linkId, text, item }) => [...(linkId !== undefined && text !== undefined ? [[linkId, text] as const] : []), ...labelsOf(item ?? [])]));
}

function hasAuthor({ extension }: QuestionnaireResponseItemAnswer): boolean {
  return (extension ?? []).some(({ url, extension: parts }) => url.endsWith('/information-origin') && (parts ?? []).some((part) => part.url === 'author'));
}
