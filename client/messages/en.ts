import type { CaseStateKind } from '#prior-auth/case.ts';
import type { AnswerProblemCode, AnswerConstraints } from '#prior-auth/questionnaire/form.ts';
import type { DecisionWords } from '#prior-auth/payer-decision/decision-words.ts';
import type { TimeLeft } from '../ui/time-left.ts';
import { many } from './many.ts';

/* Words that every screen shares. Each screen has its own beside it, in messages/ of its folder. */

export interface FailureText {
  readonly message: string;
  readonly nextStep: string;
}

const shared = {
  loading: 'Loading',
  retry: 'Try again',
  close: 'Close',
  unknown: 'Unknown',
  lightMode: 'Use light colours',
  darkMode: 'Use dark colours',
  signOut: 'Sign out',
  errorCode: 'Error code',
};

const toneWords: Readonly<Record<DecisionWords['tone'], string>> = {
  good: 'Approved',
  mixed: 'Approved in part or changed',
  bad: 'Not approved',
  waiting: 'Waiting',
  unknown: 'Unknown',
};

const stateWords: Readonly<Record<CaseStateKind, string>> = {
  'no-authorization-needed': 'No authorization needed',
  questionnaire: 'Questions open',
  ready: 'Ready to send',
  queued: 'Being sent',
  held: 'Held back',
  pended: 'Payer is reviewing',
  decided: 'Decided',
  refused: 'Not accepted',
  cancelled: 'Cancelled',
  manual: 'Handled by hand',
};

function timeLeftWords(left: TimeLeft): string {
  if (left.kind === 'unknown') return 'Deadline unknown';
  if (left.kind === 'stopped') return left.late ? 'Answered late' : 'Answered in time';
  const amount = many(left.count, left.unit, `${left.unit}s`);
  return left.kind === 'overdue' ? `Overdue by ${amount}` : `${amount} left`;
}

function byStatus(status: number): FailureText {
  if (status === 0) return { message: 'The server could not be reached.', nextStep: 'Check the network connection, then try again. Nothing you entered is lost while this page stays open.' };
  if (status === 401) return { message: 'The session has ended.', nextStep: 'Sign in again.' };
  if (status === 403) return { message: 'You may not do this.', nextStep: 'Ask your administrator for access.' };
  if (status === 404) return { message: 'This was not found.', nextStep: 'It may have been removed. Go back and choose again.' };
  if (status === 409) return { message: 'Someone else changed this in the meantime.', nextStep: 'Load the newest version and try again.' };
  if (status === 413) return { message: 'What was sent is too large.', nextStep: 'Shorten the longest texts and try again.' };
  if (status === 429) return { message: 'Too many requests in a short time.', nextStep: 'Wait a minute, then try again.' };
  if (status >= 500) return { message: 'The server had a problem.', nextStep: 'Try again in a minute. If it stays, tell support the error code.' };
  return { message: 'The server did not accept this.', nextStep: 'Check what you entered and try again.' };
}

function ageWords(years: number): string {
  return many(years, 'year', 'years');
}

/** The server's own words are English and more exact than any list of ours. */
function byCode(_code: string): FailureText | undefined {
  return undefined;
}

/** The engine's own words are English. */
function problemWords(_code: AnswerProblemCode, _constraints: AnswerConstraints): string | undefined {
  return undefined;
}

export const en = { shared, toneWords, stateWords, timeLeftWords, byStatus, byCode, ageWords, problemWords };
export type SharedWords = typeof en;
