import { randomUUID } from 'node:crypto';
import type { Bundle, Parameters, Subscription } from '@medplum/fhirtypes';
import { type Response, Router } from 'express';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import { recordAudit } from '../audit.ts';
import type { PayerTables } from '../database.ts';
import { fhirBody, sendResource, wantsJson } from '../fhir-http.ts';
import type { PasEndpoint } from '../pas-version.ts';
import { PayerError } from '../payer-error.ts';
import type { PayerSetting } from '../payer-setting.ts';
import { callerOf, type RequireToken } from '../token/access-token.ts';
import { filteredIdentifiers, readSubscription } from './read-subscription.ts';
import { notificationBundle, statusBundle, type SubscriptionStatus } from './status-bundle.ts';

const MOST_SUBSCRIPTIONS = 50;
const MOST_EVENTS = 100;
type Row = Selectable<PayerTables['payer.subscription']>;

/** Subscription create, read, update, delete, `$status` and `$events`, at the address of each PAS version. `onRequested` is told when a handshake is due. */
export function subscriptionRoutes(setting: PayerSetting, requireToken: RequireToken, onRequested: () => void): Router {
  const router = Router();
  for (const endpoint of Object.values(setting.endpoints)) router.use(routesOf(setting, endpoint, requireToken, onRequested));
  return router;
}

function routesOf({ db, now, registeredClients }: PayerSetting, endpoint: PasEndpoint, requireToken: RequireToken, onRequested: () => void): Router {
  const { version, fhirBase } = endpoint;
  const router = Router();
  const base = `${endpoint.basePath}/Subscription`;

  const originOf = (clientId: string): string => {
    const client = registeredClients.find((registered) => registered.clientId === clientId);
    if (!client) throw new PayerError(403, { code: 'forbidden', text: 'This client is no longer registered.' });
    return new URL(client.jwksUrl).origin;
  };
  const ownRows = (res: Response) => db.selectFrom('payer.subscription').selectAll().where('client_id', '=', callerOf(res)).where('pas_version', '=', version);
  /** Another client's subscription is as absent as one that never was. */
  const ownRow = async (id: string | string[] | undefined, res: Response): Promise<Row> => {
    const parsed = z.uuid().safeParse(id);
    const row = parsed.success ? await ownRows(res).where('id', '=', parsed.data).executeTakeFirst() : undefined;
    if (!row) throw new PayerError(404, { code: 'not-found', text: 'There is no such Subscription of yours.' });
    return row;
  };
  /** Only an organization itself subscribes to its requests (PAS): one that is known here only by another client's requests is not this client's. */
  const demandOwn = async (clientId: string, subscription: Subscription): Promise<void> => {
    const named = filteredIdentifiers(subscription);
    if (named.length === 0) return;
    const known = await db
      .selectFrom('payer.case_identifier as party')
      .innerJoin('payer.authorization_case as sent', 'sent.id', 'party.case_id')
      .select(['party.value', 'sent.client_id'])
      .distinct()
      .where('party.kind', '=', 'requestor')
      .where('party.value', 'in', named)
      .execute();
    const foreign = named.some((value) => known.some((party) => party.value === value) && !known.some((party) => party.value === value && party.client_id === clientId));
    if (foreign) throw new PayerError(403, { code: 'forbidden', text: 'Only an organization itself may subscribe to its requests; others use Claim/$inquire.', expression: 'Subscription.criteria' });
  };

  router.post(base, requireToken('system/Subscription.c'), ...fhirBody('1mb'), async (req, res) => {
    const clientId = callerOf(res);
    const { subscription, heartbeat } = readSubscription(req.body, originOf(clientId), version);
    await demandOwn(clientId, subscription);
    const { count } = await db.selectFrom('payer.subscription').select((row) => row.fn.countAll().as('count')).where('client_id', '=', clientId).executeTakeFirstOrThrow();
    if (Number(count) >= MOST_SUBSCRIPTIONS) throw new PayerError(422, { code: 'too-costly', text: `A client may have ${MOST_SUBSCRIPTIONS} subscriptions at most.` });
    const id = randomUUID();
    const row = {
      id, client_id: clientId, status: 'requested' as const, resource: JSON.stringify(subscription), error: null, handshake_due_at: new Date(now()).toISOString(),
      pas_version: version, heartbeat_seconds: heartbeat,
    };
    await db.transaction().execute(async (trx) => {
      await trx.insertInto('payer.subscription').values(row).execute();
      await recordAudit(trx, now(), { action: 'subscription-written', who: clientId, what: [id] });
    });
    sendResource(res.set('Location', `${fhirBase}/Subscription/${id}`), 201, toResource(row));
    onRequested();
  });

  // Before `:id`, which would take it for one.
  router.get(`${base}/$status`, wantsJson, requireToken('system/Subscription.r'), async (req, res) => {
    const asked = z.object({ id: listed, status: listed }).safeParse(req.query);
    if (!asked.success) throw new PayerError(400, { code: 'value', text: 'id and status must be plain parameters.' });
    const { id: ids, status: statuses } = asked.data;
    const rows = await ownRows(res).orderBy('id').execute();
    const found = rows.map(statusOf).filter(({ subscriptionId, status }) => (ids.length === 0 || ids.includes(subscriptionId)) && (statuses.length === 0 || statuses.includes(status)));
    sendResource(res, 200, statusBundle(found, now()));
  });

  router.get(`${base}/:id`, wantsJson, requireToken('system/Subscription.r'), async (req, res) => {
    const row = await ownRow(req.params['id'], res);
    sendResource(res, 200, { ...toResource(row), status: statusOf(row).status as Row['status'] });
  });

  router.put(`${base}/:id`, requireToken('system/Subscription.u'), ...fhirBody('1mb'), async (req, res) => {
    const row = await ownRow(req.params['id'], res);
    const { subscription, heartbeat } = readSubscription(req.body, originOf(row.client_id), version);
    if (subscription.id !== row.id) throw new PayerError(400, { code: 'value', text: 'The id in the body must be the id in the address.', expression: 'Subscription.id' });
    await demandOwn(row.client_id, subscription);
    const changed = { status: subscription.status === 'off' ? ('off' as const) : ('requested' as const), resource: JSON.stringify(subscription), error: null };
    await db.transaction().execute(async (trx) => {
      await trx.updateTable('payer.subscription').set({ ...changed, heartbeat_seconds: heartbeat, handshake_attempts: 0, handshake_due_at: new Date(now()).toISOString() }).where('id', '=', row.id).execute();
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
    sendResource(res, 200, statusBundle([statusOf(await ownRow(req.params['id'], res))], now()));
  });

  const missedEvents = async (id: string | string[] | undefined, asked: unknown, res: Response): Promise<Bundle> => {
    const row = await ownRow(id, res);
    const range = z.object({ eventsSinceNumber: eventNumber(1), eventsUntilNumber: eventNumber(2_147_483_647), content: z.string().optional() }).safeParse(asked);
    if (!range.success) throw new PayerError(400, { code: 'value', text: 'eventsSinceNumber and eventsUntilNumber must be whole numbers.' });
    const { eventsSinceNumber, eventsUntilNumber, content } = range.data;
    const events = await db
      .selectFrom('payer.subscription_event')
      .select(['number', 'occurred_at', 'case_id', 'answer'])
      .where('subscription_id', '=', row.id)
      .where('number', '>=', eventsSinceNumber)
      .where('number', '<=', eventsUntilNumber)
      .orderBy('number')
      .limit(MOST_EVENTS)
      .execute();
    const facts = events.map(({ number, occurred_at, case_id, answer }) => ({
      number, occurredAt: occurred_at, caseId: case_id, ...(answer === null || content === 'id-only' ? {} : { answer: JSON.parse(answer) as Bundle }),
    }));
    return notificationBundle({ ...statusOf(row), type: 'query-event', events: facts, epochMs: now() });
  };
  router.get(`${base}/:id/$events`, wantsJson, requireToken('system/Subscription.r'), async (req, res) => {
    sendResource(res, 200, await missedEvents(req.params['id'], req.query, res));
  });
  router.post(`${base}/:id/$events`, requireToken('system/Subscription.r'), ...fhirBody('1mb'), async (req, res) => {
    sendResource(res, 200, await missedEvents(req.params['id'], namedValues(req.body), res));
  });

  function statusOf(row: Row): SubscriptionStatus {
    const { end }: Subscription = JSON.parse(row.resource);
    const hasEnded = end !== undefined && Date.parse(end) <= now();
    return { fhirBase, version, subscriptionId: row.id, status: hasEnded ? 'off' : row.status, eventCount: row.event_count };
  }
  return router;
}

const listed = z.union([z.string().transform((text) => text.split(',')), z.array(z.string())]).default([]);

function eventNumber(otherwise: number) {
  return z.coerce.number().int().min(0).max(2_147_483_647).default(otherwise);
}

/** Parameters of an operation as a query would name them. */
function namedValues(body: unknown): Readonly<Record<string, unknown>> {
  const { data } = z.looseObject({ resourceType: z.literal('Parameters'), parameter: z.array(z.looseObject({ name: z.string() })).optional() }).safeParse(body);
  if (!data) throw new PayerError(400, { code: 'structure', text: 'The body must be FHIR Parameters.', expression: 'Parameters' });
  const parameters = (data.parameter ?? []) as NonNullable<Parameters['parameter']>;
  return Object.fromEntries(parameters.map((each) => [each.name, each.valueString ?? each.valueInteger ?? each.valueUnsignedInt ?? each.valueCode]));
}

function toResource(row: Pick<Row, 'id' | 'status' | 'resource' | 'error'>): Subscription {
  const written: Subscription = JSON.parse(row.resource);
  const { error: _error, ...kept } = written;
  return { ...kept, id: row.id, status: row.status, ...(row.error === null ? {} : { error: row.error }) };
}
