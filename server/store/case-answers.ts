import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Transaction } from 'kysely';
import type { CaseState, PriorAuthCase } from '#prior-auth/case.ts';
import { type OutcomeLabel, toOutcomeRecords } from '#prior-auth/learning/outcome-record.ts';
import type { PayerDecision } from '#prior-auth/payer-decision/decision.ts';
import { type InformationRequest, mergeAsks } from '#prior-auth/payer-decision/information-request.ts';
import type { AnyDatabase } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';
import type { CaseAnswer, CasePort } from '../payer/case-port.ts';
import type { CaseTables } from './case-tables.ts';
import type { CaseStore } from './cases.ts';

type LearningTables = {
  'learning.outcome': { id: string; case_key: string; item_sequence: number; label: OutcomeLabel; record: string; recorded_at: string };
};

/** The sender's view of the case store: what the payer answered moves the case, and a final answer is kept for learning, in the sender's transaction. */
export function createCasePort(cases: CaseStore, now: () => number): CasePort {
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
        change: ({ state }) => {
          const next = of === 'before' ? answeredBehind(state, answer) : answered(state, answer);
          return next === undefined || isDeepStrictEqual(next, state) ? undefined : { state: next };
        },
      });
      if (changed.state.kind === 'decided') await recordOutcome(trx, changed, changed.state.decision, now());
    },
  };
}

function answered(state: CaseState, answer: CaseAnswer): CaseState | undefined {
  switch (answer.kind) {
    case 'refused': {
      if (state.kind !== 'queued') return undefined;
      const { purpose, before } = state;
      // What stood at the payer still stands.
      return before && purpose && purpose !== 'new' ? { ...before, lastChange: { purpose, refusedAt: answer.refusedAt, reason: answer.reason } } : answer;
    }
    case 'cancelled':
      return state.kind === 'cancelled' ? undefined : answer;
    case 'decided':
      // Told twice, the first stays; a decision that the payer made later (after an appeal, say) takes its place.
      return state.kind === 'decided' && !(answer.decision.decidedAt > state.decision.decidedAt) ? undefined : answer;
    case 'pended':
      // An answer that comes late must not take a decision back.
      if (state.kind === 'decided') return undefined;
      return withAsks(answer, state.kind === 'pended' ? state.asks : state.kind === 'queued' && state.before?.kind === 'pended' ? state.before.asks : undefined);
  }
}

/** A decision about the request that an update or a cancellation on its way is about. */
function answeredBehind(state: CaseState, answer: CaseAnswer): CaseState | undefined {
  if ((state.kind !== 'queued' && state.kind !== 'held') || !state.before) return answered(state, answer);
  if (answer.kind === 'decided') return { ...state, before: answer };
  if (answer.kind === 'pended' && state.before.kind === 'pended') return { ...state, before: withAsks(answer, state.before.asks) };
  return undefined;
}

function withAsks({ asks, ...answer }: Extract<CaseAnswer, { kind: 'pended' }>, earlier: readonly InformationRequest[] | undefined): Extract<CaseState, { kind: 'pended' }> {
  const merged = mergeAsks(earlier ?? [], asks);
  return merged.length > 0 ? { ...answer, asks: merged } : answer;
}

async function recordOutcome(trx: Transaction<AnyDatabase>, decided: PriorAuthCase, decision: PayerDecision, epochMs: number): Promise<void> {
  const row = await trx.withTables<CaseTables>().selectFrom('cases.prior_auth_case').select(['risk', 'risk_facts']).where('id', '=', decided.id).executeTakeFirst();
  const scored = row?.risk && row.risk_facts ? { facts: row.risk_facts, modelVersion: row.risk.modelVersion } : null;
  for (const record of toOutcomeRecords(decided, decision, scored)) {
    await trx
      .withTables<LearningTables>()
      .insertInto('learning.outcome')
      .values({
        id: uuidv7(epochMs),
        case_key: createHash('sha256').update(`outcome of ${decided.id}`).digest('hex'),
        item_sequence: record.itemSequence,
        label: record.label,
        record: JSON.stringify(record),
        recorded_at: new Date(epochMs).toISOString(),
      })
      .onConflict((conflict) => conflict.columns(['case_key', 'item_sequence']).doNothing())
      .execute();
  }
}
