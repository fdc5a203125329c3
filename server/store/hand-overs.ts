import type { Transaction } from 'kysely';
import type { HandOver } from '#prior-auth/panel-api.ts';
import type { AnyDatabase, Store } from '#store/database.ts';
import type { CaseTables } from './case-tables.ts';

/** The last hand-over of each case. */
export interface HandOverStore {
  read(caseId: string): Promise<HandOver | null>;
  save(trx: Transaction<AnyDatabase>, caseId: string, handOver: HandOver): Promise<void>;
}

export function createHandOverStore(store: Store, now: () => number): HandOverStore {
  return {
    async read(caseId) {
      const row = await store.db.withTables<CaseTables>().selectFrom('cases.hand_over').select('document').where('case_id', '=', caseId).executeTakeFirst();
      return row?.document ?? null;
    },
    async save(trx, caseId, handOver) {
      const row = { status: handOver.status, document: JSON.stringify(handOver), updated_at: new Date(now()).toISOString() };
      await trx.withTables<CaseTables>().insertInto('cases.hand_over').values({ case_id: caseId, ...row }).onConflict((conflict) => conflict.column('case_id').doUpdateSet(row)).execute();
    },
  };
}

export function isOpen(handOver: HandOver | null): handOver is HandOver {
  return handOver?.status === 'requested' || handOver?.status === 'in-progress';
}
