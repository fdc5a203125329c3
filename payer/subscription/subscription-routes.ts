import { randomUUID } from 'node:crypto';
import type { Subscription } from '@medplum/fhirtypes';
import { type Response, Router } from 'express';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import { recordAudit } from '../audit.ts';
import type { PayerTables } from '../database.ts';
import { fhirBody, sendResource, wantsJson } from '../fhir-http.ts';
import { PayerError } from '../payer-error.ts';
import type { PayerSetting } from '../payer-setting.ts';
import { callerOf, type RequireToken } from '../token/access-token.ts';
import { readSubscription } from './read-subscription.ts';
import { statusBundle } from './status-bundle.ts';

const MOST_SUBSCRIPTIONS = 50;
const MOST_EVENTS = 500;
type Row = Selectable<PayerTables['payer.subscription']>;

/** Subscription create, read, update, delete, $status and $events. `onRequested` is told when a handshake is due. */
export function subscriptionRoutes(setting: PayerSetting, requireToken: RequireToken, onRequested: () => void): Router {
  const { db, now, fhirBase, registeredClients } = setting;
  const router = Router();
  const base = '/payer/fhir/Subscription';

  const originOf = (clientId: string): string => {
    const client = registeredClients.find((registered) => registered.clientId === clientId);
    if (!client) throw new PayerError(403, { code: 'forbidden', text: 'This client is no longer registered.' });
    return new URL(client.jwksUrl).origin;
  };
  /** Another client's subscription is as absent as one that never was. */
  const ownRow = async (id: string | string[] | undefined, res: Response): Promise<Row> => {
    const parsed = z.uuid().safeParse(id);
    const row = parsed.success
      ? await db.selectFrom('payer.subscription').selectAll().where('id', '=', parsed.data).where('client_id', '=', callerOf(res)).executeTakeFirst()
      : undefined;
    if (!row) throw new PayerError(404, { code: 'not-found', text: 'There is no such Subscription of yours.' });
    return row;
  };

  router.post(base, requireToken('system/Subscription.c'), ...fhirBody('1mb'), async (req, res) => {
    const clientId = callerOf(res);
    const subscription = readSubscription(req.body, originOf(clientId));
    const { count } = await db.selectFrom('payer.subscription').select((row) => row.fn.countAll().as('count')).where('client_id', '=', clientId).executeTakeFirstOrThrow();
    if (Number(count) >= MOST_SUBSCRIPTIONS) throw new PayerError(422, { code: 'too-costly', text: `A client may have ${MOST_SUBSCRIPTIONS} subscriptions at most.` });
    const id = randomUUID();
    const row = { id, client_id: clientId, status: 'requested' as const, resource: JSON.stringify(subscription), error: null, handshake_due_at: new Date(now()).toISOString() };
    await db.transaction().execute(async (trx) => {
      await trx.insertInto('payer.subscription').values(row).execute();
      await recordAudit(trx, now(), { action: 'subscription-written', who: clientId, what: [id] });
    });
    sendResource(res.set('Location', `${fhirBase}/Subscription/${id}`), 201, toResource(row));
    onRequested();
  });

  router.get(`${base}/:id`, wantsJson, requireToken('system/Subscription.r'), async (req, res) => {
    sendResource(res, 200, toResource(await ownRow(req.params['id'], res)));
  });

  router.put(`${base}/:id`, requireToken('system/Subscription.u'), ...fhirBody('1mb'), async (req, res) => {
    const row = await ownRow(req.params['id'], res);
    const subscription = readSubscription(req.body, originOf(row.client_id));
    if (subscription.id !== row.id) throw new PayerError(400, { code: 'value', text: 'The id in the body must be the id in the address.', expression: 'Subscription.id' });
    const changed = { status: subscription.status === 'off' ? ('off' as const) : ('requested' as const), resource: JSON.stringify(subscription), error: null };
    await db.transaction().execute(async (trx) => {
      await trx.updateTable('payer.subscription').set({ ...changed, handshake_attempts: 0, handshake_due_at: new Date(now()).toISOString() }).where('id', '=', row.id).execute();
      await recordAudit(trx, now(), { action: 'subscription-written', who: row.client_id, what: [row.id] });
    });
    sendResource(res, 200, toResource({ ...row, ...changed }));
    onRequested();
  });

  router.delete(`${base}/:id`, requireToken('system/Subscription.d'), async (req, res) => {
    const row = await ownRow(req.params['id'], res);
    await db.transaction().execute(async (trx) => {
      await trx.deleteFrom('payer.subscription').where('id', '=', row.id).execute();
      await recordAudit(trx, now(), { action: 'subscription-deleted', who: row.client_id, what: [row.id] });
    });
    res.status(204).end();
  });

  router.get(`${base}/:id/$status`, wantsJson, requireToken('system/Subscription.r'), async (req, res) => {
    const row = await ownRow(req.params['id'], res);
    sendResource(res, 200, statusBundle({ fhirBase, subscriptionId: row.id, status: row.status, type: 'query-status', eventCount: row.event_count, epochMs: now() }));
  });

  router.get(`${base}/:id/$events`, wantsJson, requireToken('system/Subscription.r'), async (req, res) => {
    const row = await ownRow(req.params['id'], res);
    const range = z.object({ eventsSinceNumber: eventNumber(1), eventsUntilNumber: eventNumber(2_147_483_647) }).safeParse(req.query);
    if (!range.success) throw new PayerError(400, { code: 'value', text: 'eventsSinceNumber and eventsUntilNumber must be whole numbers.' });
    const events = await db
      .selectFrom('payer.subscription_event')
      .select(['number', 'occurred_at', 'case_id'])
      .where('subscription_id', '=', row.id)
      .where('number', '>=', range.data.eventsSinceNumber)
      .where('number', '<=', range.data.eventsUntilNumber)
      .orderBy('number')
      .limit(MOST_EVENTS)
      .execute();
    const facts = events.map((event) => ({ number: event.number, occurredAt: event.occurred_at, caseId: event.case_id }));
    sendResource(res, 200, statusBundle({ fhirBase, subscriptionId: row.id, status: row.status, type: 'query-event', eventCount: row.event_count, events: facts, epochMs: now() }));
  });
  return router;
}

function eventNumber(otherwise: number) {
  return z.coerce.number().int().min(0).max(2_147_483_647).default(otherwise);
}

function toResource(row: Pick<Row, 'id' | 'status' | 'resource' | 'error'>): Subscription {
  const written: Subscription = JSON.parse(row.resource);
  const { error: _error, ...kept } = written;
  return { ...kept, id: row.id, status: row.status, ...(row.error === null ? {} : { error: row.error }) };
}
