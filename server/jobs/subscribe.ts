import { withoutSlashes } from '#fhir/base/reference.ts';
import { sql } from 'kysely';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import { inquireAboutAll } from '../pas/notifications-record.ts';
import { takeNotification } from '../pas/notifications-take.ts';
import { endWait, newSecret } from '../pas/notifications-want.ts';
import { QUEUES, type SenderParts } from '../pas/sender-parts.ts';
import { type PasTables, type SubscriptionRow, toSubscriptionRow } from '../pas/submission-table.ts';
import { askEvents, askStanding, readSubscriptionAnswer, sendSubscription, sendUnsubscription } from '../payer/subscription.ts';

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 600_000;
/** A refused Subscription is offered again this seldom. */
const REFUSED_DELAY_MS = 3_600_000;
/** How long a handshake may take before the payer is asked where it stays. */
const HANDSHAKE_MS = 30_000;
/** A Subscription with an end is written again this long before it. */
const END_MARGIN_MS = 86_400_000;
/** A Subscription that cannot be taken back is let go after so many tries; its notifications are refused, which ends it at the payer. */
const MOST_REMOVALS = 30;
const MOST_PAGES = 50;

/**
 * Brings one Subscription a step towards what it should be: made, renewed, asked after, its missed events fetched, taken back. Each step is
 * stored before the next; a process killed between the payer's answer and the update repeats the step, and the payer's handshake, which names
 * the Subscription and may come before the answer, tells the rest.
 */
export async function keepSubscription(parts: SenderParts, id: string): Promise<void> {
  const { store, payers } = parts;
  const found = await store.db.withTables<PasTables>().selectFrom('pas.subscription').selectAll().where('id', '=', id).executeTakeFirst();
  if (!found) return;
  const row = toSubscriptionRow(found);
  const payer = payers.byId(row.payerId);
  const isWanted = payer?.subscriptions === 'rest-hook';
  const hasMoved = isWanted && row.connection !== undefined && (row.connection.fhirBase !== payer.fhirBase || row.connection.pasVersion !== payer.pasVersion);
  if (!isWanted || hasMoved || row.status === 'removing') return takeBack(parts, row, isWanted ? payer : undefined);
  if (row.status === 'wanted') return write(parts, row, payer);
  return check(parts, row, payer);
}

/** Subscriptions and events that are due get a job each; moving `next_at` on first means one job a round, however many processes look. */
export async function wakeSubscriptions({ store, jobs, now, leaseMs }: SenderParts): Promise<void> {
  const db = store.db.withTables<PasTables>();
  const nowAt = new Date(now()).toISOString();
  const next_at = new Date(now() + leaseMs).toISOString();
  const subscriptions = await db.updateTable('pas.subscription').set({ next_at }).where('next_at', '<=', nowAt).returning('id').execute();
  for (const { id } of subscriptions) await jobs.send(QUEUES.subscribe, { subscriptionId: id });
  const events = await db.updateTable('pas.subscription_event').set({ next_at }).where('state', '=', 'waiting').where('next_at', '<=', nowAt).returning('id').execute();
  for (const { id } of events) await jobs.send(QUEUES.events, { eventId: id });
}

/** When to look again; at once where the payer has meanwhile counted an event that is missing. */
function lookAgain(parts: SenderParts, delayMs: number) {
  const nowMs = parts.now();
  return sql<string>`case when highest_event_number > last_event_number then ${new Date(nowMs).toISOString()}::timestamptz else ${new Date(nowMs + delayMs).toISOString()}::timestamptz end`;
}

function changing({ store }: SenderParts, id: string) {
  return store.db.withTables<PasTables>().updateTable('pas.subscription').where('id', '=', id);
}

async function later(parts: SenderParts, row: SubscriptionRow, error: string, delayMs = Math.min(FIRST_DELAY_MS * 2 ** Math.min(row.failures, 20), LONGEST_DELAY_MS)): Promise<void> {
  const nowMs = parts.now();
  await changing(parts, row.id).set({ failures: row.failures + 1, last_error: error, next_at: new Date(nowMs + delayMs).toISOString() }).execute();
  parts.log.warn({ payerId: row.payerId, subscriptionId: row.id, error, delayMs }, 'subscription not settled, will be tried again');
}

async function write(parts: SenderParts, row: SubscriptionRow, payer: Payer): Promise<void> {
  const { client, baseUrl, log, now } = parts;
  const isRewritten = row.subscriptionId !== undefined;
  const reply = await sendSubscription(client, payer, {
    endpoint: `${withoutSlashes(baseUrl)}/pas/notifications/${encodeURIComponent(payer.id)}`,
    secret: row.secret,
    organizations: row.organizations,
    id: row.subscriptionId,
  });
  const reading = readSubscriptionAnswer(reply, isRewritten);
  if (reading.kind !== 'written' || reading.isActive) await endWait(parts.store.db, payer.id, now());
  switch (reading.kind) {
    case 'retry':
      return later(parts, row, `PAYER_UNAVAILABLE: ${reading.error}`);
    case 'gone':
      return startOver(parts, row);
    case 'refused':
      log.error({ payerId: payer.id, subscriptionId: row.id, error: reading.error }, 'the payer refused the subscription; pended requests are followed by inquiry');
      await changing(parts, row.id).set({ status: 'error' }).execute();
      await inquireAboutAll(parts, parts.store.db, payer.id);
      return later(parts, row, `PAYER_REFUSED: ${reading.error}`, REFUSED_DELAY_MS);
    case 'written': {
      const at = new Date(now()).toISOString();
      const next_at = lookAgain(parts, reading.isActive ? parts.subscriptions.statusIntervalMs : HANDSHAKE_MS);
      await changing(parts, row.id)
        .set((row) => ({
          subscription_id: row.fn.coalesce('subscription_id', row.val(reading.id)), pas_version: payer.pasVersion, connection: JSON.stringify(payer), ends_at: reading.endsAt, last_error: null, next_at, changed_at: at,
        }))
        .execute();
      // The handshake may have made it active meanwhile; only `wanted` moves on.
      const moved = await changing(parts, row.id).where('status', '=', 'wanted').set({ status: reading.isActive ? 'active' : 'requested' }).returning('status').executeTakeFirst();
      // Active without a handshake: what the payer did before, it counted for nobody.
      if (moved?.status === 'active' && row.previousSecret === undefined) await inquireAboutAll(parts, parts.store.db, payer.id);
      log.info({ payerId: payer.id, subscriptionId: row.id, isRewritten }, 'subscription written');
    }
  }
}

async function check(parts: SenderParts, row: SubscriptionRow, payer: Payer): Promise<void> {
  const { client, now, log } = parts;
  if (row.subscriptionId === undefined) return renew(parts, row);
  const standing = await askStanding(client, payer, row.subscriptionId);
  const nowMs = now();
  switch (standing.kind) {
    case 'retry':
      return later(parts, row, `PAYER_UNAVAILABLE: ${standing.error}`);
    case 'gone':
      return startOver(parts, row);
    case 'standing':
  }
  const endsAt = standing.endsAt === undefined ? row.endsAt : (standing.endsAt ?? undefined);
  const checked = { checked_at: new Date(nowMs).toISOString(), ends_at: endsAt ?? null };
  if (standing.status === 'error' || standing.status === 'off') {
    log.warn({ payerId: row.payerId, subscriptionId: row.id, status: standing.status }, 'the payer has switched the subscription off; it is renewed');
    await changing(parts, row.id).set({ ...checked, failures: row.failures + 1 }).execute();
    // A receiver that fails the handshake again and again is not offered every second.
    const waitedMs = nowMs - Date.parse(row.changedAt);
    const delayMs = Math.min(FIRST_DELAY_MS * 2 ** Math.min(row.failures, 20), LONGEST_DELAY_MS);
    return waitedMs >= delayMs ? renew(parts, row) : later(parts, row, `status ${standing.status}`, delayMs - waitedMs);
  }
  // Counted anew: what was numbered before is another count.
  if (standing.eventCount !== undefined && standing.eventCount < row.lastEventNumber) return startOver(parts, row);
  const highest = Math.max(row.highestEventNumber, standing.eventCount ?? 0);
  await changing(parts, row.id).set({ ...checked, highest_event_number: highest }).execute();
  if (highest > row.lastEventNumber && !(await fetchMissed(parts, row, payer, row.subscriptionId, highest))) return;
  const isOld = row.previousSecret === undefined && nowMs - Date.parse(row.secretAt) > parts.subscriptions.secretLifeMs;
  const isEnding = endsAt !== undefined && Date.parse(endsAt) - nowMs < END_MARGIN_MS;
  if (isOld) {
    await changing(parts, row.id).set({ secret: newSecret(), previous_secret: row.secret, secret_at: new Date(nowMs).toISOString() }).execute();
    log.info({ payerId: row.payerId, subscriptionId: row.id }, 'subscription secret changed');
  }
  if (isOld || isEnding) return renew(parts, row);
  if (standing.status === 'requested') {
    // The payer has not managed the handshake.
    return nowMs - Date.parse(row.changedAt) > LONGEST_DELAY_MS ? renew(parts, row) : later(parts, row, 'waits for the handshake', HANDSHAKE_MS);
  }
  await changing(parts, row.id)
    .set({ status: 'active', failures: 0, last_error: null, next_at: lookAgain(parts, parts.subscriptions.statusIntervalMs) })
    .execute();
}

/** Written again at once, with the same id where it has one. */
async function renew(parts: SenderParts, row: SubscriptionRow): Promise<void> {
  const at = new Date(parts.now()).toISOString();
  await changing(parts, row.id).where('status', '!=', 'removing').set({ status: 'wanted', next_at: at, changed_at: at }).execute();
}

/** The payer has it no longer, or counts anew: what was not delivered cannot be fetched any more, so every pended request is asked about. */
async function startOver(parts: SenderParts, row: SubscriptionRow): Promise<void> {
  const at = new Date(parts.now()).toISOString();
  parts.log.warn({ payerId: row.payerId, subscriptionId: row.id }, 'the payer no longer has the subscription; a new one is made');
  await parts.store.transaction(async (trx) => {
    await trx
      .withTables<PasTables>()
      .updateTable('pas.subscription')
      .set({ status: 'wanted', subscription_id: null, last_event_number: 0, highest_event_number: 0, failures: row.failures + 1, next_at: at, changed_at: at })
      .where('id', '=', row.id)
      .where('status', '!=', 'removing')
      .execute();
    if (row.subscriptionId) await trx.withTables<PasTables>().deleteFrom('pas.subscription_event').where('subscription', '=', row.id).where('reference', '=', row.subscriptionId).where('state', '!=', 'waiting').execute();
    await inquireAboutAll(parts, trx, row.payerId);
  });
}

/** `$events` from the first missing number, page by page. False: try again later. What the payer no longer has is made up for by inquiring. */
async function fetchMissed(parts: SenderParts, row: SubscriptionRow, payer: Payer, subscriptionId: string, highest: number): Promise<boolean> {
  const { client, store, log } = parts;
  const facts = { payerId: row.payerId, subscriptionId: row.id };
  let last = row.lastEventNumber;
  for (let page = 0; page < MOST_PAGES && last < highest; page += 1) {
    const missed = await askEvents(client, payer, subscriptionId, { from: last + 1, until: highest });
    if (missed.kind === 'retry') {
      await later(parts, row, `PAYER_UNAVAILABLE: ${missed.error}`);
      return false;
    }
    await changing(parts, row.id).set({ events_offered: missed.kind === 'told' }).execute();
    if (missed.kind === 'not-offered') {
      log.warn({ ...facts, error: missed.error }, 'the payer does not tell missed events again');
      break;
    }
    await store.transaction((trx) => takeNotification(parts, trx, row.id, { ...missed.notification, subscriptionId }, { source: 'events' }));
    const after = await store.db.withTables<PasTables>().selectFrom('pas.subscription').select('last_event_number').where('id', '=', row.id).executeTakeFirst();
    if (after === undefined || after.last_event_number <= last) break;
    last = after.last_event_number;
  }
  if (last >= highest) {
    log.info({ ...facts, from: row.lastEventNumber + 1, until: highest }, 'missed events fetched');
    return true;
  }
  log.warn({ ...facts, last, highest }, 'missed events are lost; every pended request is asked about');
  await store.transaction(async (trx) => {
    await trx.withTables<PasTables>().updateTable('pas.subscription').set({ last_event_number: highest }).where('id', '=', row.id).where('last_event_number', '<', highest).execute();
    await inquireAboutAll(parts, trx, row.payerId);
  });
  return true;
}

/** At the payer as it was configured when the Subscription was made. `next`: the payer as it is now, where one is wanted there. */
async function takeBack(parts: SenderParts, row: SubscriptionRow, next: Payer | undefined): Promise<void> {
  const { client, store, log } = parts;
  await changing(parts, row.id).set({ status: 'removing' }).execute();
  if (row.subscriptionId && row.connection) {
    const reply = await sendUnsubscription(client, row.connection, row.subscriptionId);
    const isGone = reply.kind === 'answered' && (reply.status < 300 || reply.status === 404 || reply.status === 410);
    if (!isGone && row.failures < MOST_REMOVALS) return later(parts, row, reply.kind === 'answered' ? `PAYER_REFUSED: HTTP ${reply.status}` : `PAYER_UNAVAILABLE: ${reply.error}`);
    if (!isGone) log.error({ payerId: row.payerId, subscriptionId: row.id }, 'the subscription could not be taken back');
  }
  const at = new Date(parts.now()).toISOString();
  await store.transaction(async (trx) => {
    const pas = trx.withTables<PasTables>();
    await pas.deleteFrom('pas.subscription').where('id', '=', row.id).execute();
    if (!next) return;
    await pas
      .insertInto('pas.subscription')
      .values({
        id: row.id, payer_id: row.payerId, organization_identifier: row.scope, organizations: JSON.stringify(row.organizations), pas_version: next.pasVersion, status: 'wanted',
        secret: newSecret(), secret_at: at, next_at: at, changed_at: at,
      })
      .execute();
    await inquireAboutAll(parts, trx, row.payerId);
  });
  log.info({ payerId: row.payerId, subscriptionId: row.id }, 'subscription taken back');
}
