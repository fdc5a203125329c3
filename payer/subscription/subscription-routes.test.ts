import type { Bundle, OperationOutcome, Parameters, Subscription } from '@medplum/fhirtypes';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '#store/database.ts';
import { openValidator } from '#fhir/validation/validator.ts';
import { ANSWERS, type BenchClient, claimResponseOf, inquiryBundle, openPayerBench, type PayerBench, readItem, readNotification, requestBundle, until } from '#test-fixtures/payer-bench.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';

const TOPIC = 'http://hl7.org/fhir/us/davinci-pas/SubscriptionTopic/PASSubscriptionTopic';
const BACKPORT = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition';
const REQUESTOR_NPI = '1245319599';
let store: Store;
let bench: PayerBench;

beforeAll(async () => {
  store = await openTestStore();
  bench = await openPayerBench({ db: store.db, reviewDelayMs: 150 });
});
afterEach(async () => {
  await bench.db.deleteFrom('payer.subscription').execute();
  for (const client of Object.values(bench.clients)) Object.assign(client, { received: [], authorizations: [], receiverStatus: 200 });
});
afterAll(async () => {
  await bench.close();
  await store.close();
});

function subscription(filter: string | undefined, client: BenchClient = bench.clients.clinic, channel: Partial<Subscription['channel']> = {}): Subscription {
  return {
    resourceType: 'Subscription',
    status: 'requested',
    reason: 'Results of prior authorization requests',
    criteria: TOPIC,
    ...(filter === undefined ? {} : { _criteria: { extension: [{ url: `${BACKPORT}/backport-filter-criteria`, valueString: filter }] } }),
    channel: {
      type: 'rest-hook',
      endpoint: `${bench.baseUrl}/${client.clientId}/notifications`,
      payload: 'application/fhir+json',
      _payload: { extension: [{ url: `${BACKPORT}/backport-payload-content`, valueCode: 'id-only' }] },
      header: ['Authorization: Bearer receiver-secret'],
      ...channel,
    },
  } as Subscription;
}

const withContent = (written: Subscription, content: string) => ({ ...written, channel: { ...written.channel, _payload: { extension: [{ url: `${BACKPORT}/backport-payload-content`, valueCode: content }] } } });

async function subscribe(filter: string | undefined, client = bench.clients.clinic): Promise<string> {
  const reply = await bench.call('POST', '/payer/fhir/Subscription', { body: subscription(filter, client), client });
  expect(reply.status).toBe(201);
  const created = (await reply.json()) as Subscription;
  expect(created.status).toBe('requested');
  expect(reply.headers.get('location')).toBe(`${bench.baseUrl}/payer/fhir/Subscription/${created.id}`);
  return created.id ?? '';
}

async function read(id: string, client = bench.clients.clinic): Promise<Subscription> {
  return (await (await bench.call('GET', `/payer/fhir/Subscription/${id}`, { client })).json()) as Subscription;
}

const becomes = (id: string, status: string, client = bench.clients.clinic) => until(`the subscription is ${status}`, async () => (await read(id, client)).status === status, 12_000);
const pendedRequest = () => requestBundle({ code: 'K0823', answers: [ANSWERS.assessment(true)] });
const events = (client: BenchClient) => client.received.map(readNotification).filter(({ type }) => type === 'event-notification');

describe('from pended to told', () => {
  it.each([`org-identifier=${REQUESTOR_NPI}`, `orgIdentifier=0000000000,${REQUESTOR_NPI}`, `identifier=http://hl7.org/fhir/sid/us-npi|${REQUESTOR_NPI}`, undefined])('with the filter %s', async (filter) => {
    const { clinic } = bench.clients;
    const id = await subscribe(filter);
    await becomes(id, 'active');
    expect(readNotification(clinic.received[0])).toMatchObject({ type: 'handshake', status: 'requested', count: '0' });
    expect(clinic.authorizations).toEqual(['Bearer receiver-secret']);

    const memberId = `M-${id}`;
    const request = requestBundle({ code: 'K0823', answers: [ANSWERS.assessment(true)], memberId });
    const answer = (await (await bench.submit(request)).json()) as Bundle;
    await until('the event arrives', () => events(clinic).length === 1);
    const [told] = clinic.received.slice(-1);
    expect(readNotification(told)).toEqual({ type: 'event-notification', status: 'active', count: '1', number: '1', focus: answer.entry?.[0]?.fullUrl });
    expect(told?.type).toBe('history');
    for (const entry of told?.entry ?? []) expect(entry).toMatchObject({ request: { method: 'GET' }, response: { status: '200' } });
    expect(JSON.stringify(told), 'ids only').not.toMatch(/Okoro|M-/);

    const found = (await (await bench.inquire(inquiryBundle({}, memberId))).json()) as Bundle;
    expect(readItem(claimResponseOf(found).item?.[0]).code).toBe('A1');
  });

  it('another provider\'s filter, another client and a request decided at once are not told', async () => {
    const { clinic, other } = bench.clients;
    const ids = [await subscribe('org-identifier=1999999976'), await subscribe(undefined, other)];
    await becomes(ids[0] ?? '', 'active');
    await becomes(ids[1] ?? '', 'active', other);
    const answer = (await (await bench.submit(pendedRequest())).json()) as Bundle;
    await bench.submit(requestBundle(), other);
    await until('the item is decided', async () => (await bench.db.selectFrom('payer.authorization_item').select('state').where('case_id', '=', claimResponseOf(answer).id ?? '').executeTakeFirstOrThrow()).state === 'decided');
    await new Promise((done) => setTimeout(done, 700));
    expect([...events(clinic), ...events(other)]).toEqual([]);
  });

  it('a receiver that fails gets the event again, under the same number, and the next only after it', async () => {
    const { clinic } = bench.clients;
    const id = await subscribe(undefined);
    await becomes(id, 'active');
    clinic.receiverStatus = 503;
    await bench.submit(pendedRequest());
    await bench.submit(pendedRequest());
    await until('a first attempt', () => events(clinic).length === 1);
    clinic.receiverStatus = 200;
    await until('both are told', () => events(clinic).length === 3);
    expect(events(clinic).map(({ number }) => number)).toEqual(['1', '1', '2']);
  });

  it('$status counts, $events tells again what was missed', async () => {
    const id = await subscribe(undefined);
    await becomes(id, 'active');
    await bench.submit(pendedRequest());
    await bench.submit(pendedRequest());
    await until('both are told', () => events(bench.clients.clinic).length === 2);
    const status = (await (await bench.call('GET', `/payer/fhir/Subscription/${id}/$status`)).json()) as Bundle;
    expect([status.type, readNotification(status)]).toMatchObject(['searchset', { type: 'query-status', status: 'active', count: '2' }]);
    const missed = (await (await bench.call('GET', `/payer/fhir/Subscription/${id}/$events?eventsSinceNumber=2`)).json()) as Bundle;
    expect(readNotification(missed)).toMatchObject({ type: 'query-event', number: '2' });
    expect((await bench.call('GET', `/payer/fhir/Subscription/${id}/$events?eventsSinceNumber=x`)).status).toBe(400);
  });
});

const BASES = { '2.0.1': '/payer/fhir', '2.2.1': '/payer/pas-2.2.1/fhir' } as const;
const validator = openValidator(['pas-2.2.1']);

/** The clauses of the backport's notification and status profiles that pas.md names. */
function expectNotification(bundle: Bundle | undefined, type: string): void {
  expect(bundle?.type).toBe('history');
  expect(bundle?.meta?.profile).toEqual([`${BACKPORT}/backport-subscription-notification-r4`]);
  const [first, ...others] = bundle?.entry ?? [];
  const status = first?.resource as Parameters;
  expect(status.meta?.profile).toEqual([`${BACKPORT}/backport-subscription-status-r4`]);
  expect(first?.request?.url).toMatch(/\/Subscription\/[0-9a-f-]{36}\/\$status$/);
  expect(status.parameter?.slice(0, 5)).toMatchObject([
    { name: 'subscription', valueReference: { reference: expect.stringMatching(/\/Subscription\//) } },
    { name: 'topic', valueCanonical: TOPIC },
    { name: 'status', valueCode: expect.stringMatching(/^(requested|active|error|off)$/) },
    { name: 'type', valueCode: type },
    { name: 'events-since-subscription-start', valueString: expect.stringMatching(/^\d+$/) },
  ]);
  for (const event of status.parameter?.slice(5) ?? []) {
    expect(event).toMatchObject({ name: 'notification-event', part: [{ name: 'event-number', valueString: expect.any(String) }, { name: 'timestamp', valueInstant: expect.any(String) }, { name: 'focus' }] });
    expect(others.map(({ fullUrl }) => fullUrl)).toContain(event.part?.[2]?.valueReference?.reference);
  }
  for (const entry of bundle?.entry ?? []) expect(entry).toMatchObject({ fullUrl: expect.any(String), request: { method: expect.any(String) }, response: { status: '200' } });
}

describe('full resources', () => {
  async function subscribeFull(version: keyof typeof BASES, filter?: string): Promise<string> {
    const reply = await bench.call('POST', `${BASES[version]}/Subscription`, { body: withContent(subscription(filter), 'full-resource') });
    expect(reply.status).toBe(201);
    const { id = '' } = (await reply.json()) as Subscription;
    expect(reply.headers.get('location')).toBe(`${bench.baseUrl}${BASES[version]}/Subscription/${id}`);
    await until('active', async () => ((await (await bench.call('GET', `${BASES[version]}/Subscription/${id}`)).json()) as Subscription).status === 'active');
    return id;
  }

  it('2.2.1: the whole response bundle, valid, is the focus; $events tells it again', async () => {
    const { clinic } = bench.clients;
    const id = await subscribeFull('2.2.1', `org-identifier=${REQUESTOR_NPI}`);
    expectNotification(clinic.received[0], 'handshake');
    await bench.submit(requestBundle({ version: '2.2.1', code: 'K0823', answers: [ANSWERS.assessment(true)] }), clinic, '2.2.1');
    await until('the event arrives', () => events(clinic).length === 1);
    const told = clinic.received.at(-1);
    expectNotification(told, 'event-notification');
    const inner = told?.entry?.[1]?.resource as Bundle;
    expect(events(clinic)[0]).toMatchObject({ number: '1', focus: `${bench.baseUrl}${BASES['2.2.1']}/Bundle/${inner.id}` });
    expect(readItem(claimResponseOf(inner).item?.[0]).code).toBe('A1');
    expect(validator.validate(inner, { profile: 'http://hl7.org/fhir/us/davinci-pas/StructureDefinition/profile-pas-response-bundle' }).issues.filter(({ severity }) => severity === 'error')).toEqual([]);
    const asGet = (await (await bench.call('GET', `${BASES['2.2.1']}/Subscription/${id}/$events?eventsSinceNumber=1&eventsUntilNumber=1`)).json()) as Bundle;
    expectNotification(asGet, 'query-event');
    expect(asGet.entry?.[1]?.resource).toEqual(inner);
    const body = { resourceType: 'Parameters', parameter: [{ name: 'eventsSinceNumber', valueString: '1' }, { name: 'content', valueCode: 'id-only' }] };
    const asPost = (await (await bench.call('POST', `${BASES['2.2.1']}/Subscription/${id}/$events`, { body })).json()) as Bundle;
    expect([readNotification(asPost).number, asPost.entry?.[1]?.resource]).toEqual(['1', undefined]);
  });

  it('2.0.1: the ClaimResponse rides along', async () => {
    await subscribeFull('2.0.1');
    await bench.submit(pendedRequest());
    await until('the event arrives', () => events(bench.clients.clinic).length === 1);
    const told = bench.clients.clinic.received.at(-1);
    expectNotification(told, 'event-notification');
    expect(told?.entry?.[1]?.resource?.resourceType).toBe('ClaimResponse');
  });

  it('2.2.1 takes nothing else; a version\'s subscription is told of that version\'s requests, and stands at its own address', async () => {
    const { clinic } = bench.clients;
    for (const body of [subscription(undefined), withContent(subscription(undefined), 'empty')]) {
      const refused = await bench.call('POST', `${BASES['2.2.1']}/Subscription`, { body });
      expect([refused.status, ((await refused.json()) as OperationOutcome).issue[0]?.expression]).toEqual([422, ['Subscription.channel.payload']]);
    }
    const id = await subscribeFull('2.2.1');
    expect((await bench.call('GET', `${BASES['2.0.1']}/Subscription/${id}`)).status).toBe(404);
    const answer = (await (await bench.submit(pendedRequest())).json()) as Bundle;
    await until('decided', async () => (await bench.db.selectFrom('payer.authorization_item').select('state').where('case_id', '=', claimResponseOf(answer).id ?? '').executeTakeFirstOrThrow()).state === 'decided');
    await new Promise((done) => setTimeout(done, 300));
    expect(events(clinic)).toEqual([]);
  });
});

describe('what belongs to an organization', () => {
  it('is its own: a filter that names one known by another client\'s requests only is refused', async () => {
    const npi = '1679576722';
    const sent = await bench.submit(JSON.parse(JSON.stringify(requestBundle()).replaceAll(REQUESTOR_NPI, npi)));
    expect(sent.status).toBe(200);
    const { other } = bench.clients;
    const refused = await bench.call('POST', '/payer/fhir/Subscription', { body: subscription(`org-identifier=${npi}`, other), client: other });
    expect([refused.status, ((await refused.json()) as OperationOutcome).issue[0]?.code]).toEqual([403, 'forbidden']);
    const unknown = await bench.call('POST', '/payer/fhir/Subscription', { body: subscription('org-identifier=1999999976', other), client: other });
    expect(unknown.status).toBe(201);
    const { id } = (await unknown.json()) as Subscription;
    const changed = await bench.call('PUT', `/payer/fhir/Subscription/${id}`, { body: { ...subscription(`identifier=1999999976,${npi}`, other), id }, client: other });
    expect(changed.status).toBe(403);
  });

  it('is told also while the whole is still pended', async () => {
    const { clinic } = bench.clients;
    const id = await subscribe(undefined);
    await becomes(id, 'active');
    const answer = (await (await bench.submit(requestBundle({ code: 'K0823', more: ['K0823'], answers: [ANSWERS.assessment(true)] }))).json()) as Bundle;
    expect(claimResponseOf(answer).item).toHaveLength(2);
    await until('both items are told', () => events(clinic).length === 2);
    expect(events(clinic).map(({ number }) => number)).toEqual(['1', '2']);
  });
});

describe('the life of a subscription', () => {
  it('sends heartbeats when they are asked for, and ends at its end', async () => {
    const { clinic } = bench.clients;
    const written = subscription(undefined);
    const end = new Date(Date.now() + 3_600_000).toISOString();
    const reply = await bench.call('POST', '/payer/fhir/Subscription', { body: { ...written, end, channel: { ...written.channel, extension: [{ url: `${BACKPORT}/backport-heartbeat-period`, valueUnsignedInt: 60 }] } } });
    const { id = '' } = (await reply.json()) as Subscription;
    await becomes(id, 'active');
    bench.clock.aheadMs = 61_000;
    await until('a heartbeat', () => clinic.received.some((bundle) => readNotification(bundle).type === 'heartbeat'));
    expectNotification(clinic.received.at(-1), 'heartbeat');
    bench.clock.aheadMs = 3_601_000;
    await bench.db.updateTable('payer.access_token').set({ expires_at: new Date(Date.now() + 7_200_000).toISOString() }).execute();
    expect((await read(id)).status).toBe('off');
    const all = (await (await bench.call('GET', `/payer/fhir/Subscription/$status?id=${id}`)).json()) as Bundle;
    expect([all.type, all.total, readNotification(all).status]).toEqual(['searchset', 1, 'off']);
    bench.clock.aheadMs = 0;
  });

  it('stops after long failure, says why, and has what was missed when it is written again', async () => {
    const { clinic } = bench.clients;
    const id = await subscribe(undefined);
    await becomes(id, 'active');
    clinic.receiverStatus = 500;
    await bench.submit(pendedRequest());
    await until('an attempt', () => events(clinic).length > 0);
    // As after half an hour of attempts.
    await bench.db.updateTable('payer.subscription_event').set({ attempts: 14, due_at: new Date(0).toISOString() }).where('subscription_id', '=', id).execute();
    await becomes(id, 'error');
    expect((await read(id)).error).toMatch(/answered 500/);
    clinic.receiverStatus = 200;
    await bench.call('PUT', `/payer/fhir/Subscription/${id}`, { body: { ...subscription(undefined), id } });
    await becomes(id, 'active');
    const missed = (await (await bench.call('GET', `/payer/fhir/Subscription/${id}/$events?eventsSinceNumber=1`)).json()) as Bundle;
    expect(readNotification(missed)).toMatchObject({ type: 'query-event', number: '1' });
  });

  it('is in error when the handshake fails, and asks again when it is written again', async () => {
    bench.clients.clinic.receiverStatus = 500;
    const id = await subscribe(undefined);
    await becomes(id, 'error');
    expect((await read(id)).error).toMatch(/answered 500/);
    bench.clients.clinic.receiverStatus = 200;
    const reply = await bench.call('PUT', `/payer/fhir/Subscription/${id}`, { body: { ...subscription(undefined), id } });
    expect(reply.status).toBe(200);
    await becomes(id, 'active');
    expect((await read(id)).error).toBeUndefined();
  });

  it('can be switched off and deleted', async () => {
    const id = await subscribe(undefined);
    await becomes(id, 'active');
    expect(((await (await bench.call('PUT', `/payer/fhir/Subscription/${id}`, { body: { ...subscription(undefined), id, status: 'off' } })).json()) as Subscription).status).toBe('off');
    expect((await bench.call('DELETE', `/payer/fhir/Subscription/${id}`)).status).toBe(204);
    expect((await bench.call('GET', `/payer/fhir/Subscription/${id}`)).status).toBe(404);
  });

  it('is not there for another client', async () => {
    const id = await subscribe(undefined);
    const { other } = bench.clients;
    for (const [method, path] of [['GET', ''], ['DELETE', ''], ['GET', '/$status'], ['GET', '/$events']] as const) {
      expect((await bench.call(method, `/payer/fhir/Subscription/${id}${path}`, { client: other })).status).toBe(404);
    }
    expect((await bench.call('PUT', `/payer/fhir/Subscription/${id}`, { client: other, body: { ...subscription(undefined, other), id } })).status).toBe(404);
    expect((await read(id)).id).toBe(id);
  });

  it('with another id in the body than in the address is refused', async () => {
    const id = await subscribe(undefined);
    expect((await bench.call('PUT', `/payer/fhir/Subscription/${id}`, { body: { ...subscription(undefined), id: 'x' } })).status).toBe(400);
  });

  it.each(['not-a-uuid', '00000000-0000-4000-8000-000000000000'])('unknown id %s', async (id) => {
    expect((await bench.call('GET', `/payer/fhir/Subscription/${id}`)).status).toBe(404);
  });
});

describe('a subscription that cannot be taken', () => {
  it.each<[string, () => unknown, number, string]>([
    ['another resource', () => ({ resourceType: 'Patient' }), 400, 'Subscription'],
    ['another topic', () => ({ ...subscription(undefined), criteria: 'Observation?code=1' }), 422, 'Subscription.criteria'],
    ['an unknown filter', () => subscription('patient=1'), 422, 'Subscription.criteria'],
    ['another channel', () => subscription(undefined, bench.clients.clinic, { type: 'email' }), 400,
     'Subscription.channel.type'],
    ['a websocket', () => subscription(undefined, bench.clients.clinic, { type: 'websocket' }), 400, 'Subscription.channel.type'],
    ['an endpoint elsewhere', () => subscription(undefined, bench.clients.clinic, { endpoint: 'https://attacker.example/' }), 422, 'Subscription.channel.endpoint'],
    ['an endpoint inside', () => subscription(undefined, bench.clients.clinic, { endpoint: 'http://169.254.169.254/latest' }), 422, 'Subscription.channel.endpoint'],
    ['an endpoint that is a file', () => subscription(undefined, bench.clients.clinic, { endpoint: 'file:///etc/passwd' }), 422, 'Subscription.channel.endpoint'],
    ['another payload', () => subscription(undefined, bench.clients.clinic, { payload: 'text/plain' }), 422, 'Subscription.channel.payload'],
    ['a header of two lines', () => subscription(undefined, bench.clients.clinic, { header: ['X-A: 1\r\nHost: x'] }), 422, 'Subscription.channel.header.0'],
    ['a header that is not theirs', () => subscription(undefined, bench.clients.clinic, { header: ['Host: internal'] }), 422, 'Subscription.channel.header.0'],
    ['a notification without ids', () => withContent(subscription(undefined), 'empty'), 422, 'Subscription.channel.payload'],
    ['a filter without an identifier', () => subscription('org-identifier='), 422, 'Subscription.criteria'],
  ])('%s', async (_name, body, status, expression) => {
    const reply = await bench.call('POST', '/payer/fhir/Subscription', { body: body() });
    expect(reply.status).toBe(status);
    expect((await reply.json()) as OperationOutcome).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ expression: [expression] }] });
  });
});
