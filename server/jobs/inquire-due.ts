import { sql } from 'kysely';
import { followByInquiry } from '../pas/notifications-inquire.ts';
import type { SenderParts } from '../pas/sender-parts.ts';
import type { PasTables } from '../pas/submission-table.ts';

/** Inquiries of one process at the same time. */
const AT_ONCE = 4;

export interface Inquiries {
  /** Asks about every pended request that is due, the longest due first. */
  wake(): void;
  /** No new inquiry; waits for those on their way. */
  stop(): Promise<void>;
}

/**
 * Inquiries are taken from the table when there is a hand free for them, never put in a queue: while a payer is slow, what is due waits in the
 * table once and does not pile up. Moving `next_at` on is the lease: two processes do not ask about the same request at once.
 */
export function openInquiries(parts: SenderParts): Inquiries {
  const running = new Set<Promise<void>>();
  let stopped = false;

  const askAll = async (): Promise<void> => {
    for (let id = await leaseDue(parts); id !== undefined; id = stopped ? undefined : await leaseDue(parts)) {
      const submissionId = id;
      // Where one is due there may be more.
      wake();
      await followByInquiry(parts, submissionId).catch((error: unknown) => parts.log.error({ err: error, submissionId }, 'an inquiry was interrupted; it is made again when its lease ends'));
    }
  };
  const wake = (): void => {
    if (stopped || running.size >= AT_ONCE) return;
    const one: Promise<void> = askAll()
      .catch((error: unknown) => parts.log.error({ err: error }, 'due inquiries could not be looked up'))
      .finally(() => running.delete(one));
    running.add(one);
  };
  return {
    wake,
    async stop() {
      stopped = true;
      await Promise.all(running);
    },
  };
}

async function leaseDue({ store, now, leaseMs }: SenderParts): Promise<string | undefined> {
  const nowMs = now();
  const { rows } = await sql<{ id: string }>`
    update pas.submission set next_at = ${new Date(nowMs + leaseMs).toISOString()} where id = (
      select id from pas.submission where status = 'pended' and next_at <= ${new Date(nowMs).toISOString()} order by next_at limit 1 for update skip locked
    ) returning id`.execute(store.db.withTables<PasTables>());
  return rows[0]?.id;
}
