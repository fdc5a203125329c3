import type { Bundle, Subscription } from '@medplum/fhirtypes';
import { sql } from 'kysely';
import { recordAudit } from '../audit.ts';
import type { PasVersion } from '../pas-version.ts';
import type { PayerSetting } from '../payer-setting.ts';
import { notificationBundle } from './status-bundle.ts';

const HANDSHAKE_ATTEMPTS = 3;
const EVENT_ATTEMPTS = 15;
const LONGEST_WAIT_MS = 300_000;
const POST_TIMEOUT_MS = 10_000;
/** A taken delivery is due again after this, should its process die. Longer than the timeout. */
const LEASE_MS = 15_000;
const AT_ONCE = 10;

type Posted = { readonly kind: 'accepted' } | { readonly kind: 'refused'; readonly reason: string };

/** Sends the handshakes and events that are due; `stopping` breaks off what is under way, to be sent again. Each is taken by a lease, never by a lock held while the receiver answers; a receiver may thus see an event twice, under the same number. */
export async function deliverDue(setting: PayerSetting, stopping: AbortSignal): Promise<void> {
  await Promise.all([sendHandshakes(setting, stopping), sendEvents(setting, stopping), sendHeartbeats(setting, stopping)]);
}

async function sendHandshakes(setting: PayerSetting, stopping: AbortSignal): Promise<void> {
  const { db, now, endpoints, metrics, log } = setting;
  const at = new Date(now()).toISOString();
  const leased = new Date(now() + LEASE_MS).toISOString();
  const { rows } = await sql<{ id: string; client_id: string; resource: string; event_count: number; handshake_attempts: number; pas_version: PasVersion }>`
    update payer.subscription set handshake_attempts = handshake_attempts + 1, handshake_due_at = ${leased}
    where id in (select id from payer.subscription where status = 'requested' and handshake_due_at <= ${at} order by handshake_due_at limit ${AT_ONCE} for update skip locked)
    returning id, client_id, resource, event_count, handshake_attempts, pas_version`.execute(db);
  await Promise.all(
    rows.map(async (row) => {
      const notification = notificationBundle({
        ...endpoints[row.pas_version], subscriptionId: row.id, status: 'requested', type: 'handshake', eventCount: row.event_count, epochMs: now(),
      });
      const posted = await postNotification(JSON.parse(row.resource), notification, stopping);
      const outcome = posted.kind === 'accepted' ? ('success' as const) : ('failed' as const);
      metrics.notifications.inc({ type: 'handshake', outcome });
      await recordAudit(db, now(), { action: 'notification-sent', who: row.client_id, what: [row.id], outcome });
      const change =
        posted.kind === 'accepted'
          ? { status: 'active' as const, error: null, last_sent_at: new Date(now()).toISOString() }
          : row.handshake_attempts >= HANDSHAKE_ATTEMPTS
            ? { status: 'error' as const, error: posted.reason }
            : { handshake_due_at: new Date(now() + waitMs(row.handshake_attempts)).toISOString() };
      if (posted.kind === 'refused') log.warn({ subscriptionId: row.id, attempt: row.handshake_attempts, reason: posted.reason }, 'subscription handshake failed');
      // A client that wrote the Subscription again meanwhile is handshaken for what it wrote.
      await db.updateTable('payer.subscription').set(change).where('id', '=', row.id).where('resource', '=', row.resource).where('status', '=', 'requested').execute();
    }),
  );
}

async function sendEvents(setting: PayerSetting, stopping: AbortSignal): Promise<void> {
  const { db, now, endpoints, metrics, log } = setting;
  const at = new Date(now()).toISOString();
  const leased = new Date(now() + LEASE_MS).toISOString();
  // The lowest waiting number of each active subscription: a receiver gets its events in order.
  const { rows } = await sql<{ subscription_id: string; number: number; case_id: string; occurred_at: Date; attempts: number; answer: string | null; client_id: string; resource: string; event_count: number; pas_version: PasVersion }>`
    update payer.subscription_event e set attempts = attempts + 1, due_at = ${leased}
    from payer.subscription s
    where s.id = e.subscription_id and (e.subscription_id, e.number) in (
      select w.subscription_id, w.number from payer.subscription_event w join payer.subscription a on a.id = w.subscription_id and a.status = 'active'
      where w.state = 'waiting' and w.due_at <= ${at}
        and not exists (select 1 from payer.subscription_event b where b.subscription_id = w.subscription_id and b.number < w.number and b.state = 'waiting')
      order by w.due_at limit ${AT_ONCE} for update of w skip locked)
    returning e.subscription_id, e.number, e.case_id, e.occurred_at, e.attempts, e.answer, s.client_id, s.resource, s.event_count, s.pas_version`.execute(db);
  await Promise.all(
    rows.map(async (row) => {
      const event = { number: row.number, occurredAt: row.occurred_at, caseId: row.case_id, ...(row.answer === null ? {} : { answer: JSON.parse(row.answer) as Bundle }) };
      const notification = notificationBundle({
        ...endpoints[row.pas_version], subscriptionId: row.subscription_id, status: 'active', type: 'event-notification', eventCount: row.event_count, events: [event], epochMs: now(),
      });
      const posted = await postNotification(JSON.parse(row.resource), notification, stopping);
      const outcome = posted.kind === 'accepted' ? ('success' as const) : ('failed' as const);
      metrics.notifications.inc({ type: 'event-notification', outcome });
      await recordAudit(db, now(), { action: 'notification-sent', who: row.client_id, what: [row.subscription_id, row.case_id], outcome });
      const givenUp = posted.kind === 'refused' && row.attempts >= EVENT_ATTEMPTS;
      const change = posted.kind === 'accepted' ? { state: 'delivered' as const } : givenUp ? { state: 'failed' as const } : { due_at: new Date(now() + waitMs(row.attempts)).toISOString() };
      await db.updateTable('payer.subscription_event').set(change).where('subscription_id', '=', row.subscription_id).where('number', '=', row.number).execute();
      if (posted.kind === 'accepted') await db.updateTable('payer.subscription').set({ last_sent_at: new Date(now()).toISOString() }).where('id', '=', row.subscription_id).execute();
      if (posted.kind === 'refused') log.warn({ subscriptionId: row.subscription_id, event: row.number, attempt: row.attempts, reason: posted.reason }, 'notification failed');
      if (posted.kind === 'refused' && givenUp) await db.updateTable('payer.subscription').set({ status: 'error', error: posted.reason }).where('id', '=', row.subscription_id).execute();
    }),
  );
}

/** A heartbeat that fails changes nothing: the next event finds out whether the receiver is there. */
async function sendHeartbeats({ db, now, endpoints, metrics }: PayerSetting, stopping: AbortSignal): Promise<void> {
  const at = new Date(now()).toISOString();
  const { rows } = await sql<{ id: string; resource: string; event_count: number; pas_version: PasVersion }>`
    update payer.subscription set last_sent_at = ${at}
    where id in (select id from payer.subscription where status = 'active' and last_sent_at + heartbeat_seconds * interval '1 second' <= ${at} limit ${AT_ONCE} for update skip locked)
    returning id, resource, event_count, pas_version`.execute(db);
  await Promise.all(
    rows.map(async (row) => {
      const notification = notificationBundle({ ...endpoints[row.pas_version], subscriptionId: row.id, status: 'active', type: 'heartbeat', eventCount: row.event_count, epochMs: now() });
      const posted = await postNotification(JSON.parse(row.resource), notification, stopping);
      metrics.notifications.inc({ type: 'heartbeat', outcome: posted.kind === 'accepted' ? 'success' : 'failed' });
    }),
  );
}

/** One, two, four … seconds, five minutes at most. */
function waitMs(attempts: number): number {
  return Math.min(1_000 * 2 ** (attempts - 1), LONGEST_WAIT_MS);
}

async function postNotification({ channel }: Subscription, notification: Bundle, stopping: AbortSignal): Promise<Posted> {
  const headers = new Headers();
  for (const line of channel?.header ?? []) {
    const colon = line.indexOf(':');
    headers.append(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  headers.set('Content-Type', 'application/fhir+json');
  try {
    const response = await fetch(channel?.endpoint ?? '', {
      method: 'POST',
      headers,
      body: JSON.stringify(notification),
      // A redirect could lead to an address that the client did not register.
      redirect: 'manual',
      signal: AbortSignal.any([AbortSignal.timeout(POST_TIMEOUT_MS), stopping]),
    });
    await response.body?.cancel();
    return response.ok ? { kind: 'accepted' } : { kind: 'refused', reason: `The endpoint answered ${response.status || 'with a redirect'}.` };
  } catch (error) {
    const timedOut = error instanceof DOMException && error.name === 'TimeoutError';
    return { kind: 'refused', reason: timedOut ? 'The endpoint did not answer in time.' : 'The endpoint could not be reached.' };
  }
}
