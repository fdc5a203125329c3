import { type AnsweredState, type CaseState, type PriorAuthCase, standingAnswer } from './case.ts';
import { WHY_NOT, type WhyNot } from './case-vocabulary.ts';
import type { Language } from './language.ts';

/** What a person may do with a case. */
export const CASE_ACTIONS = [
  'submit', 'hold', 'release', 'resend', 'withdraw', 'switch-to-manual', 'switch-back', 'record-decision', 'check-now',
  'request-again', 'renew', 'change-request', 'cancel-request', 'add-orders', 'answer-ask', 'record-use',
] as const;
export type CaseAction = (typeof CASE_ACTIONS)[number];

export type Permission = { readonly kind: 'may' } | { readonly kind: 'may-not'; readonly reason: WhyNot; readonly why: string };

/** Whether a person may do that now; if not, why not. Pure: a screen shows what may follow, and the action itself asks again under the case's lock. */
export function mayDo(priorAuthCase: Pick<PriorAuthCase, 'state'>, action: CaseAction, language: Language = 'en'): Permission {
  const reason = RULES[action](priorAuthCase.state);
  return reason === undefined ? { kind: 'may' } : { kind: 'may-not', reason, why: WHY_NOT[language][reason] };
}

type Rule = (state: CaseState) => WhyNot | undefined;

const RULES: { readonly [A in CaseAction]: Rule } = {
  submit: (state) => (state.kind === 'ready' || state.kind === 'refused' ? undefined : state.kind === 'questionnaire' ? 'forms-open' : state.kind === 'manual' ? 'by-hand' : state.kind === 'no-authorization-needed' ? 'nothing-asked' : 'sent-already'),
  hold: (state) => (state.kind === 'queued' ? undefined : state.kind === 'held' ? 'held-already' : 'nothing-on-its-way'),
  release: (state) => (state.kind === 'held' ? undefined : 'not-held'),
  resend: (state) => (state.kind === 'queued' ? undefined : state.kind === 'held' ? 'held-already' : 'nothing-on-its-way'),
  withdraw: (state) => (state.kind !== 'queued' && state.kind !== 'held' ? 'nothing-on-its-way' : (state.attempts ?? 0) > 0 ? 'may-have-arrived' : undefined),
  'switch-to-manual': ({ kind }) => (kind === 'manual' ? 'by-hand' : kind === 'decided' || kind === 'cancelled' ? 'finished' : kind === 'no-authorization-needed' ? 'nothing-asked' : undefined),
  'switch-back': ({ kind }) => (kind === 'manual' ? undefined : 'not-by-hand'),
  'record-decision': ({ kind }) => (kind === 'manual' ? undefined : 'not-by-hand'),
  'check-now': (state) => (standingAnswer(state)?.kind === 'pended' ? undefined : 'nothing-pended'),
  'request-again': (state) => (state.kind === 'cancelled' || (state.kind === 'decided' && state.decision.overall === 'denied') ? undefined : 'not-denied'),
  renew: (state) => (state.kind === 'decided' && isGranted(state) ? undefined : 'not-approved'),
  'change-request': changeable,
  'cancel-request': changeable,
  'add-orders': (state) => (state.kind === 'questionnaire' || state.kind === 'ready' || state.kind === 'refused' ? undefined : changeable(state)),
  'answer-ask': (state) => (state.kind === 'pended' ? (state.asks?.some((ask) => ask.state === 'open' && ask.answer?.kind !== 'sending') ? undefined : 'nothing-asked-for') : 'nothing-pended'),
  'record-use': (state) => (state.kind === 'decided' && isGranted(state) ? undefined : 'not-approved'),
};

/** PAS §update: while pended or after an approval; after a denial no update is allowed. */
function changeable(state: CaseState): WhyNot | undefined {
  switch (state.kind) {
    case 'pended':
      return undefined;
    case 'decided':
      if (state.decision.entered) return 'decided-by-hand';
      return state.decision.overall === 'denied' ? 'denied' : undefined;
    case 'queued':
    case 'held':
      return 'on-its-way';
    case 'manual':
      return 'by-hand';
    case 'cancelled':
      return 'finished';
    default:
      return 'not-sent';
  }
}

/** At least one item may be provided. */
export function isGranted({ decision }: AnsweredState): boolean {
  return decision.items.some(({ decision: item }) => item.kind === 'approved' || item.kind === 'modified');
}
