import { sql } from 'kysely';
import type { PayerOutage } from '#prior-auth/worklist-api.ts';
import type { Store } from '#store/database.ts';

/** Payers to which a sending failed and still waits, with all that waits behind it. */
export async function readOutages(store: Store, ehrBase: string, payerName: (payerId: string) => string): Promise<readonly PayerOutage[]> {
  const { rows } = await sql<{ payer_id: string; waiting: number; oldest: Date | string; next: Date | string | null; sending: boolean }>`
    select waits.payer_id, count(*)::int as waiting, min(waits.queued_at) as oldest, min(waits.next_at) as next, bool_or(waits.lease_until is not null) as sending
    from pas.submission as waits join cases.worklist_row as line on line.case_id = waits.case_id
    where waits.status = 'queued' and line.ehr_base = ${ehrBase}
    group by waits.payer_id
    having bool_or(waits.last_error is not null)
    order by oldest`.execute(store.db);
  return rows.map(({ payer_id: payerId, waiting, oldest, next, sending }) => ({
    payerId,
    payerName: payerName(payerId),
    waiting,
    oldestSince: new Date(oldest).toISOString(),
    nextTryAt: sending || next === null ? null : new Date(next).toISOString(),
  }));
}
