import type { AnsweredState, CaseState, PriorAuthCase } from './case.ts';
import { isGranted } from './case-action.ts';
import type { Language } from './language.ts';
import { DECISION_VOCABULARY } from './payer-decision/decision-vocabulary.ts';
import { STATE_VOCABULARY, type StateVocabulary } from './state-vocabulary.ts';

/** Where a case stands, in plain words: the same on every screen. */
export interface StateWords {
  /** What is going on. */
  readonly headline: string;
  /** What is known of it, one sentence each. */
  readonly details: readonly string[];
  /** What comes next, and who does it. */
  readonly next: string;
  readonly mustAct: 'us' | 'payer' | 'nobody';
}

export function explainState({ state, payer }: Pick<PriorAuthCase, 'state' | 'payer'>, language: Language = 'en'): StateWords {
  return explain(state, payer.name, STATE_VOCABULARY[language], language);
}

function explain(state: CaseState, payer: string, words: StateVocabulary, language: Language): StateWords {
  switch (state.kind) {
    case 'no-authorization-needed':
      return { ...words.notNeeded, details: state.authorizationNumber ? [words.number(state.authorizationNumber)] : [], mustAct: 'nobody' };
    case 'questionnaire':
      return { ...words.questionnaire, details: state.missing > 0 ? [words.missing(state.missing)] : [], mustAct: 'us' };
    case 'ready':
      return { ...words.ready, details: [], mustAct: 'us' };
    case 'queued':
      return {
        headline: words.queued[state.purpose ?? 'new'](payer),
        details: [...(state.attempts > 0 ? [words.tried(state.attempts, payer)] : []), ...stands(state.before, words, language)],
        next: state.attempts > 0 ? words.goesAgain : words.goesSoon,
        mustAct: 'nobody',
      };
    case 'held':
      return { headline: words.held(state.heldBy), details: [...((state.attempts ?? 0) > 0 ? [words.tried(state.attempts ?? 0, payer)] : []), ...stands(state.before, words, language)], next: words.letGo, mustAct: 'us' };
    case 'pended':
      return explainPended(state, payer, words, language);
    case 'decided':
      return explainDecided(state, words, language);
    case 'cancelled':
      return { ...words.cancelled(payer), details: [], mustAct: 'nobody' };
    case 'refused':
      return { ...words.refused(payer), details: [words.because(state.reason)], mustAct: 'us' };
    case 'manual':
      return {
        headline: words.manual(state.by),
        details: [...(state.reference ? [words.reference(state.reference)] : []), ...(state.was ? [words.was(explain(state.was, payer, words, language).headline)] : [])],
        next: words.manualNext(payer),
        mustAct: 'us',
      };
  }
}

function explainPended({ decision, asks = [], lastChange }: Extract<AnsweredState, { kind: 'pended' }>, payer: string, words: StateVocabulary, language: Language): StateWords {
  const open = asks.filter(({ state }) => state === 'open');
  const ours = open.filter(({ answer }) => answer?.kind !== 'sending');
  const refusedAnswers = open.flatMap(({ answer }) => (answer?.kind === 'refused' ? [words.answerRefused(answer.reason)] : []));
  const details = [...(lastChange ? [words.changeRefused(lastChange.purpose, lastChange.reason)] : []), ...refusedAnswers, ...ours.flatMap(({ text }) => (text ? [words.asks(text)] : []))];
  if (ours.length > 0) return { headline: words.wantsMore(payer, ours.length), details, next: words.answerIt(ours.map(({ due }) => due).filter((due) => due !== undefined).sort()[0]), mustAct: 'us' };
  const { headline, nextStep } = DECISION_VOCABULARY[language].overall[decision.overall];
  if (decision.overall !== 'pended') return { headline, next: nextStep, details, mustAct: 'us' };
  return { headline: words.pended(payer), details: [...details, ...(open.length > 0 ? [words.answerSending] : [])], next: words.followed, mustAct: 'payer' };
}

function explainDecided(state: Extract<AnsweredState, { kind: 'decided' }>, words: StateVocabulary, language: Language): StateWords {
  const { decision, lastChange } = state;
  const overall = DECISION_VOCABULARY[language].overall[decision.overall];
  return {
    headline: overall.headline,
    details: [...(decision.entered ? [words.entered(decision.entered.by.name, decision.entered.learnedBy)] : []), ...(lastChange ? [words.changeRefused(lastChange.purpose, lastChange.reason)] : [])],
    next: decision.overall === 'denied' ? words.denied : overall.nextStep,
    mustAct: isGranted(state) && decision.overall !== 'partly-approved' && decision.overall !== 'modified' ? 'nobody' : 'us',
  };
}

function stands(before: AnsweredState | undefined, words: StateVocabulary, language: Language): readonly string[] {
  return before ? [words.stands(DECISION_VOCABULARY[language].overall[before.decision.overall].headline)] : [];
}
