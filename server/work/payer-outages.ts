import { sql } from 'kysely';
import type { PayerOutage } from '#prior-auth/worklist-api.ts';
import type { Store } from '#store/database.ts';
import type { PasSender } from '../pas/sender.ts';

/** The lines to payers that are not simply open, and what waits in them. */
export async function readOutages({ store, sender, payerName }: { readonly store: Store; readonly sender: Pick<PasSender, 'drainProgress'>; readonly payerName: (payerId: string) => string }): Promise<readonly PayerOutage[]> {
  const { rows } = await sql<{ payer_id: string }>`select payer_id from pas.payer_line where down_since is not null or paused_at is not null or draining_since is not null order by payer_id`.execute(store.db);
  const lines = await Promise.all(rows.map(({ payer_id: payerId }) => sender.drainProgress(payerId)));
  return lines.flatMap(({ payerId, line, waiting, oldestQueuedAt, nextTryAt, drained, paused }) => (line === 'open' ? [] : [{ payerId, payerName: payerName(payerId), line, waiting, oldestQueuedAt, nextTryAt, drained, paused }]));
}
