import type { AnswerConstraints, AnswerProblem } from '#prior-auth/questionnaire/form.ts';
import { en, type FailureText, type SharedWords } from './messages/en.ts';
import { es } from './messages/es.ts';
import type { Failure } from './ui/call-json.ts';
import { language } from './ui/language.ts';

/* Words that every screen shares, in the language of the page. */

const words: SharedWords = { en, es }[language];
export const { shared, toneWords, stateWords, timeLeftWords, ageWords } = words;

/** What went wrong and what to do next: by the error code where the page's language is not the server's, then the server's own words, then by status. */
export function failureWords({ status, code, message, nextStep }: Failure): FailureText {
  const own = words.byStatus(status);
  return words.byCode(code) ?? { message: message === '' ? own.message : message, nextStep: nextStep ?? own.nextStep };
}

/** A problem with an answer, as the engine found it. */
export function problemWords({ code, message }: AnswerProblem, constraints: AnswerConstraints): string {
  return words.problemWords(code, constraints) ?? message;
}
