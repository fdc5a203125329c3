import { isDeepStrictEqual } from 'node:util';
import type { AnsweredState, CaseState } from '#prior-auth/case.ts';
import { changeAsk, type InformationRequest, mergeAsks } from '#prior-auth/payer-decision/information-request.ts';
import { supersedes } from '#prior-auth/payer-decision/supersedes.ts';
import { recordDecisionLabels } from '../learning/labels.ts';
import type { CaseAnswer, CasePort } from '../payer/case-port.ts';
import type { CaseStore } from './cases.ts';

/** The sender's view of the case store: what the payer answered moves the case, and a final answer is kept for learning, in the sender's transaction. What a sandbox payer decides is marked as simulated. */
export function createCasePort(cases: CaseStore, now: () => number, isSandboxPayer: (payerId: string) => boolean = () => false): CasePort {
  return {
    read: (trx, caseId) => cases.find(caseId, trx),
    async recordAttempt(trx, caseId, error) {
      await cases.change(trx, caseId, {
        expectedVersion: null,
        who: 'pas-sender',
        change: ({ state }) => (state.kind === 'queued' ? { state: { ...state, attempts: state.attempts + 1, lastError: error } } : undefined),
      });
    },
    async recordAnswer(trx, caseId, answer, of) {
      const changed = await cases.change(trx, caseId, {
        expectedVersion: null,
        who: 'payer',
        change: ({ state, further = [] }) => {
          const next = of === 'before' ? answeredBehind(state, answer) : answered(state, answer);
          if (next === undefined || isDeepStrictEqual(next, state)) return undefined;
          // Orders that a refused update was to add are not at the payer.
          const added = answer.kind === 'refused' && state.kind === 'queued' ? (state.added ?? []) : [];
          return { state: next, ...(added.length > 0 ? { further: further.filter(({ order }) => !added.includes(order)) } : {}) };
        },
      });
      if (changed.state.kind === 'decided' && !changed.state.decision.entered) {
        const { decision, submittedAt } = changed.state;
        await recordDecisionLabels(trx, { decided: changed, decision, submittedAt, simulated: isSandboxPayer(changed.payer.id), nowMs: now() });
      }
    },
    async recordAskAnswer(trx, caseId, askId, outcome) {
      await cases.change(trx, caseId, {
        expectedVersion: null,
        who: 'payer',
        change: ({ state }) => {
          const next = withStandingAsks(state, (asks) =>
            changeAsk(asks, askId, ({ answer, ...ask }) => {
              if (ask.state !== 'open' || answer?.kind !== 'sending') return answer ? { ...ask, answer } : ask;
              return outcome.kind === 'answered' ? { ...ask, state: 'answered', answeredAt: outcome.at } : { ...ask, answer: { kind: 'refused', refusedAt: outcome.at, reason: outcome.reason } };
            }),
          );
          return isDeepStrictEqual(next, state) ? undefined : { state: next };
        },
      });
    },
  };
}

function answered(state: CaseState, answer: CaseAnswer): CaseState | undefined {
  // By hand meanwhile: a decision of the payer's system goes before; what is not decided waits behind.
  if (state.kind === 'manual') {
    if (answer.kind === 'decided') return answer;
    const was = state.was && answered(state.was, answer);
    return was && was.kind !== 'manual' ? { ...state, was } : undefined;
  }
  switch (answer.kind) {
    case 'refused': {
      if (state.kind !== 'queued') return undefined;
      const { purpose, before } = state;
      // What stood at the payer still stands.
      return before && purpose && purpose !== 'new' ? { ...withRefusedAnswers(before, state, answer), lastChange: { purpose, refusedAt: answer.refusedAt, reason: answer.reason } } : answer;
    }
    case 'cancelled':
      return state.kind === 'cancelled' ? undefined : answer;
    case 'decided':
      return state.kind === 'decided' && !supersedes(answer.decision, state.decision) ? undefined : sinceFirst(answer, state);
    case 'pended':
      // An answer that comes late must not take a later one back.
      if ((state.kind === 'decided' || state.kind === 'pended') && !supersedes(answer.decision, state.decision)) return undefined;
      return withAsks(sinceFirst(answer, state), state.kind === 'pended' ? state.asks : state.kind === 'queued' && state.before?.kind === 'pended' ? state.before.asks : undefined);
  }
}

/** Forms that went with the refused update did not reach the payer. */
function withRefusedAnswers(before: AnsweredState, { queuedAt }: Extract<CaseState, { kind: 'queued' }>, { refusedAt, reason }: Extract<CaseAnswer, { kind: 'refused' }>): AnsweredState {
  if (before.kind !== 'pended' || !before.asks) return before;
  return { ...before, asks: before.asks.map((ask) => (ask.answer?.kind === 'sending' && ask.answer.queuedAt === queuedAt ? { ...ask, answer: { kind: 'refused', refusedAt, reason } } : ask)) };
}

/** The payer's clock began when it first had what it is still deciding; a change of a decided request is decided anew. */
function sinceFirst<A extends Extract<CaseAnswer, { kind: 'pended' | 'decided' }>>(answer: A, state: CaseState): A {
  const first = state.kind === 'pended' ? state : state.kind === 'queued' || state.kind === 'held' ? state.before : undefined;
  return first?.kind === 'pended' && first.submittedAt < answer.submittedAt ? { ...answer, submittedAt: first.submittedAt } : answer;
}

/** A decision about the request that an update or a cancellation on its way is about. */
function answeredBehind(state: CaseState, answer: CaseAnswer): CaseState | undefined {
  if (state.kind === 'manual' && state.was && (state.was.kind === 'queued' || state.was.kind === 'held')) {
    const was = answeredBehind(state.was, answer);
    return was && was.kind !== 'manual' ? { ...state, was } : undefined;
  }
  if ((state.kind !== 'queued' && state.kind !== 'held') || !state.before) return answered(state, answer);
  const { before } = state;
  if (answer.kind !== 'decided' && answer.kind !== 'pended') return undefined;
  if (!supersedes(answer.decision, before.decision)) return undefined;
  if (answer.kind === 'decided') return { ...state, before: sinceFirst(answer, before) };
  return before.kind === 'pended' ? { ...state, before: withAsks(sinceFirst(answer, before), before.asks) } : undefined;
}

function withAsks({ asks, ...answer }: Extract<CaseAnswer, { kind: 'pended' }>, earlier: readonly InformationRequest[] | undefined): Extract<CaseState, { kind: 'pended' }> {
  const merged = mergeAsks(earlier ?? [], asks, answer.decision.decidedAt);
  return merged.length > 0 ? { ...answer, asks: merged } : answer;
}

/** The asks of what stands at the payer, wherever in the state that is. */
export function withStandingAsks(state: CaseState, change: (asks: readonly InformationRequest[]) => readonly InformationRequest[]): CaseState {
  switch (state.kind) {
    case 'pended':
      return state.asks ? { ...state, asks: change(state.asks) } : state;
    case 'queued':
    case 'held':
      return state.before?.kind === 'pended' && state.before.asks ? { ...state, before: { ...state.before, asks: change(state.before.asks) } } : state;
    case 'manual': {
      const was = state.was && withStandingAsks(state.was, change);
      return was && was.kind !== 'manual' ? { ...state, was } : state;
    }
    default:
      return state;
  }
}
