import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Transaction } from 'kysely';
import { mayFollow, type PriorAuthCase } from '#prior-auth/case.ts';
import { type OutcomeLabel, toOutcomeRecords } from '#prior-auth/learning/outcome-record.ts';
import type { PayerDecision } from '#prior-auth/payer-decision/decision.ts';
import type { AnyDatabase } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';
import type { CasePort } from '../payer/case-port.ts';
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
    async recordAnswer(trx, caseId, answer) {
      const changed = await cases.change(trx, caseId, {
        expectedVersion: null,
        who: 'payer',
        change: ({ state }) => {
          if (state.kind === 'decided' || isDeepStrictEqual(state, answer)) return undefined;
          // A repeated refusal finds the case refused, or already taken up again by staff.
          if (answer.kind === 'refused' && (state.kind === 'refused' || mayFollow('refused', state.kind))) return undefined;
          return { state: answer };
        },
      });
      if (changed.state.kind === 'decided') await recordOutcome(trx, changed, changed.state.decision, now());
    },
  };
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
