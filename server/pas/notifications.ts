import { createHash, timingSafeEqual } from 'node:crypto';
import express, { type ErrorRequestHandler, type Request, type Response, type Router } from 'express';
import { operationOutcome, type OutcomeIssue } from '#fhir/base/operation-outcome.ts';
import { readNotification } from '../payer/read-notification.ts';
import { contentOf } from '../payer/subscription.ts';
import { takeNotification } from './notifications-take.ts';
import type { SenderParts } from './sender-parts.ts';
import type { PasTables } from './submission-table.ts';

const PATH = '/pas/notifications/:payerId';
const FHIR_JSON = ['application/fhir+json', 'application/json'];

/** Where payers deliver Subscription notifications. 200 means that what it says is stored; it is worked off afterwards. */
export function createNotificationRoutes(parts: SenderParts): Router {
  const router = express.Router();
  router.post(PATH, async (request, response, next) => {
    const payerId = request.params['payerId'];
    if (!parts.payers.byId(payerId)) return refuse(response, 404, 'not-found', 'No payer of this id is configured.');
    const found = await findSubscription(parts, payerId, request);
    if (!found) {
      response.set('www-authenticate', 'Bearer');
      return refuse(response, 401, 'login', 'The secret given with the Subscription is missing or wrong.');
    }
    if (!request.is(FHIR_JSON)) return refuse(response, 415, 'not-supported', 'Send application/fhir+json.');
    response.locals['subscription'] = found;
    next();
  }, express.json({ type: FHIR_JSON, limit: '5mb' }), async (request, response) => {
    const { id, isNewSecret, version } = response.locals['subscription'] as KnownSubscription;
    const notification = readNotification(request.body, contentOf({ pasVersion: version }));
    if (!notification) return refuse(response, 400, 'structure', 'Not a notification Bundle of the PAS topic (R4 subscriptions backport).');
    await parts.store.transaction((trx) => takeNotification(parts, trx, id, notification, { source: 'notification', isNewSecret }));
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
  if (error.type === 'entity.too.large') return refuse(response, 413, 'too-long', 'The body is larger than 5 MB.');
  if (error.status !== undefined && error.status >= 400 && error.status < 500) return refuse(response, error.status, 'invalid', 'The body cannot be read.');
  next(error);
};

function refuse(response: Response, status: number, code: OutcomeIssue['code'], diagnostics: string): void {
  response.status(status).type('application/fhir+json').send(JSON.stringify(operationOutcome([{ code, diagnostics }])));
}

interface KnownSubscription {
  readonly id: string;
  readonly version: '2.0.1' | '2.2.1';
  readonly isNewSecret: boolean;
}

/** The secret names the subscription: each has its own. Every one of the payer's is compared, in constant time. */
async function findSubscription({ store }: SenderParts, payerId: string, request: Request): Promise<KnownSubscription | undefined> {
  const given = /^Bearer (\S+)$/i.exec(request.get('authorization') ?? '')?.[1];
  if (given === undefined) return undefined;
  const hash = sha256(given);
  const rows = await store.db.withTables<PasTables>().selectFrom('pas.subscription').select(['id', 'secret', 'previous_secret', 'pas_version']).where('payer_id', '=', payerId).execute();
  let found: KnownSubscription | undefined;
  for (const { id, secret, previous_secret, pas_version } of rows) {
    const isNewSecret = timingSafeEqual(hash, sha256(secret));
    const isPrevious = timingSafeEqual(hash, sha256(previous_secret ?? secret));
    if (isNewSecret || isPrevious) found = { id, version: pas_version, isNewSecret };
  }
  return found;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
