import { sql } from 'kysely';
import type { SenderParts } from './sender-parts.ts';
import { type PasTables, toSubscriptionRow } from './submission-table.ts';

export interface SubscriptionHealth {
  readonly payerId: string;
  /** The submitting organizations it stands for. */
  readonly organizations: readonly string[];
  /** `wanted`: not made yet, or to be made again. `removing`: the payer was removed or moved. */
  readonly status: 'wanted' | 'requested' | 'active' | 'error' | 'removing';
  /** Subscription.id at the payer. */
  readonly subscriptionId?: string;
  readonly lastEventNumber: number;
  /** Events that the payer counts and we do not have yet. */
  readonly missing: number;
  /** Stored, not worked off yet. */
  readonly waiting: number;
  /** Read, and nothing recorded: a person should look. */
  readonly left: number;
  /** Whether missed events can be fetched; absent until it was tried. */
  readonly eventsOffered?: boolean;
  /** ISO instants: the payer's last notification, our last asking, since when the secret is in use. */
  readonly heardAt?: string;
  readonly checkedAt?: string;
  readonly secretSince: string;
  /** Codes and HTTP statuses only. */
  readonly lastError?: string;
}

export async function subscriptionHealth({ store }: Pick<SenderParts, 'store'>): Promise<readonly SubscriptionHealth[]> {
  const db = store.db.withTables<PasTables>();
  const rows = await db.selectFrom('pas.subscription').selectAll().orderBy('payer_id').orderBy('organization_identifier').execute();
  const counts = await db
    .selectFrom('pas.subscription_event')
    .select(['subscription', sql<number>`(count(*) filter (where state = 'waiting'))::int`.as('waiting'), sql<number>`(count(*) filter (where state = 'left'))::int`.as('left')])
    .where('state', 'in', ['waiting', 'left'])
    .groupBy('subscription')
    .execute();
  return rows.map((found) => {
    const row = toSubscriptionRow(found);
    const counted = counts.find(({ subscription }) => subscription === row.id);
    return {
      payerId: row.payerId,
      organizations: row.organizations,
      status: row.status,
      ...(row.subscriptionId === undefined ? {} : { subscriptionId: row.subscriptionId }),
      lastEventNumber: row.lastEventNumber,
      missing: Math.max(0, row.highestEventNumber - row.lastEventNumber),
      waiting: counted?.waiting ?? 0,
      left: counted?.left ?? 0,
      ...(found.events_offered === null ? {} : { eventsOffered: found.events_offered }),
      ...(found.heard_at === null ? {} : { heardAt: new Date(found.heard_at).toISOString() }),
      ...(found.checked_at === null ? {} : { checkedAt: new Date(found.checked_at).toISOString() }),
      secretSince: row.secretAt,
      ...(found.last_error === null ? {} : { lastError: found.last_error }),
    };
  });
}
