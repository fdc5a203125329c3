import { createHash, timingSafeEqual } from 'node:crypto';
import express, { type ErrorRequestHandler, type Request, type Response, type Router } from 'express';
import { sql } from 'kysely';
import { operationOutcome, type OutcomeIssue } from '#fhir/base/operation-outcome.ts';
import { relativeReference } from '#fhir/base/reference.ts';
import { type Notification, readNotification } from '../payer/subscription.ts';
import { QUEUES, type SenderParts } from './sender-parts.ts';
import type { PasTables } from './submission-table.ts';

const PATH = '/pas/notifications/:payerId';

/** Where payers deliver Subscription notifications. It answers fast: an event only enqueues an inquiry. */
export function createNotificationRoutes(parts: SenderParts): Router {
  const router = express.Router();
  router.post(PATH, async (request, response, next) => {
    const payerId = request.params['payerId'];
    if (!parts.payers.byId(payerId)) return refuse(response, 404, 'not-found', 'No payer of this id is configured.');
    if (!(await isAuthentic(parts, payerId, request))) {
      response.set('www-authenticate', 'Bearer');
      return refuse(response, 401, 'login', 'The secret given with the Subscription is missing or wrong.');
    }
    if (!request.is(['application/fhir+json', 'application/json'])) return refuse(response, 415, 'not-supported', 'Send application/fhir+json.');
    next();
  }, express.json({ type: ['application/fhir+json', 'application/json'], limit: '1mb' }), async (request, response) => {
    const notification = readNotification(request.body);
    if (!notification) return refuse(response, 400, 'structure', 'Not a notification Bundle of the PAS topic (R4 subscriptions backport).');
    await takeNotification(parts, request.params['payerId'], notification);
    response.status(200).end();
  });
  router.all(PATH, (_request, response) => {
    response.set('allow', 'POST');
    refuse(response, 405, 'not-supported', 'Notifications are POSTed.');
  });
  router.use('/pas/notifications', answerBadBody);
  return router;
}

const answerBadBody: ErrorRequestHandler = (error: { readonly type?: string; readonly status?: number }, _request, response, next) => {
  if (error.type === 'entity.parse.failed') return refuse(response, 400, 'structure', 'The body is not JSON.');
  if (error.type === 'entity.too.large') return refuse(response, 413, 'too-long', 'The body is larger than 1 MB.');
  if (error.status !== undefined && error.status >= 400 && error.status < 500) return refuse(response, error.status, 'invalid', 'The body cannot be read.');
  next(error);
};

function refuse(response: Response, status: number, code: OutcomeIssue['code'], diagnostics: string): void {
  response.status(status).type('application/fhir+json').send(JSON.stringify(operationOutcome([{ code, diagnostics }])));
}

async function isAuthentic({ store }: SenderParts, payerId: string, request: Request): Promise<boolean> {
  const given = /^Bearer (\S+)$/i.exec(request.get('authorization') ?? '')?.[1];
  const row = await store.db.withTables<PasTables>().selectFrom('pas.subscription').select('secret').where('payer_id', '=', payerId).executeTakeFirst();
  return given !== undefined && row !== undefined && timingSafeEqual(sha256(given), sha256(row.secret));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * Stores each event once (payers deliver at least once) and enqueues the inquiries in the same transaction: 200 means nothing can be lost.
 * A gap in the event numbers, or a heartbeat that counts more events than we saw, means a lost notification: every pended case of the payer is asked about.
 */
async function takeNotification({ store, jobs, log, now }: SenderParts, payerId: string, { type, subscription, eventsSinceStart, events }: Notification): Promise<void> {
  await store.transaction(async (trx) => {
    const pas = trx.withTables<PasTables>();
    const received_at = new Date(now()).toISOString();
    const row = await pas.selectFrom('pas.subscription').selectAll().where('payer_id', '=', payerId).forUpdate().executeTakeFirstOrThrow();
    if (type === 'handshake') {
      await pas.updateTable('pas.subscription').set({ status: 'active', last_error: null, changed_at: received_at }).where('payer_id', '=', payerId).execute();
      log.info({ payerId }, 'subscription active');
      return;
    }
    const fresh: Notification['events'][number][] = [];
    for (const event of events) {
      if (event.number === undefined) {
        fresh.push(event);
        continue;
      }
      const inserted = await pas
        .insertInto('pas.notification')
        .values({ payer_id: payerId, subscription_reference: subscription, event_number: event.number, focus: event.focus ?? null, received_at })
        .onConflict((conflict) => conflict.doNothing())
        .returning('event_number')
        .executeTakeFirst();
      if (inserted) fresh.push(event);
    }
    const numbers = fresh.flatMap(({ number }) => number ?? []).sort((a, b) => a - b);
    const expected = row.last_event_number + 1;
    const highest = Math.max(row.last_event_number, eventsSinceStart ?? 0, ...numbers);
    const seenUpTo = numbers.reduce((last, number) => (number === last + 1 ? number : last), row.last_event_number);
    const isGap = highest > seenUpTo;
    if (isGap) log.warn({ payerId, expected, highest }, 'notifications were missed; every pended case is asked about');
    if (highest > row.last_event_number) await pas.updateTable('pas.subscription').set({ last_event_number: highest, changed_at: received_at }).where('payer_id', '=', payerId).execute();

    const focused = fresh.flatMap(({ focus }) => (focus === undefined ? [] : [focus, relativeReference(focus) ?? focus]));
    const pended = pas.selectFrom('pas.submission').select('id').where('payer_id', '=', payerId).where('status', '=', 'pended');
    const named = focused.length === 0 ? [] : await pended.where((where) => where.or([...new Set(focused)].map((focus) => sql<boolean>`response_references @> ${JSON.stringify([focus])}::jsonb`))).execute();
    // An event about a response we cannot name is about one of the pended cases.
    const isUnnamed = fresh.length > named.length;
    const due = isGap || isUnnamed ? await pended.execute() : named;
    for (const { id } of due) await jobs.sendWithin(trx, QUEUES.inquire, { submissionId: id });
  });
}
