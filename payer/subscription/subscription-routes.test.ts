import type { Bundle, OperationOutcome, Subscription } from '@medplum/fhirtypes';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '#store/database.ts';
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
    const ids = [await subscribe('org-identifier=1679576722'), await subscribe(undefined, other)];
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

describe('the life of a subscription', () => {
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
    ['another channel', () => subscription(undefined, bench.clients.clinic, { type: 'email' }), 422, 'Subscription.channel.type'],
    ['an endpoint elsewhere', () => subscription(undefined, bench.clients.clinic, { endpoint: 'https://attacker.example/' }), 422, 'Subscription.channel.endpoint'],
    ['an endpoint inside', () => subscription(undefined, bench.clients.clinic, { endpoint: 'http://169.254.169.254/latest' }), 422, 'Subscription.channel.endpoint'],
    ['an endpoint that is a file', () => subscription(undefined, bench.clients.clinic, { endpoint: 'file:///etc/passwd' }), 422, 'Subscription.channel.endpoint'],
    ['another payload', () => subscription(undefined, bench.clients.clinic, { payload: 'text/plain' }), 422, 'Subscription.channel.payload'],
    ['a header of two lines', () => subscription(undefined, bench.clients.clinic, { header: ['X-A: 1\r\nHost: x'] }), 422, 'Subscription.channel.header.0'],
    ['a header that is not theirs', () => subscription(undefined, bench.clients.clinic, { header: ['Host: internal'] }), 422, 'Subscription.channel.header.0'],
    ['full resources', () => ({ ...subscription(undefined), channel: { ...subscription(undefined).channel, _payload: { extension: [{ url: `${BACKPORT}/backport-payload-content`, valueCode: 'full-resource' }] } } }), 422, 'Subscription.channel.payload'],
  ])('%s', async (_name, body, status, expression) => {
    const reply = await bench.call('POST', '/payer/fhir/Subscription', { body: body() });
    expect(reply.status).toBe(status);
    expect((await reply.json()) as OperationOutcome).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ expression: [expression] }] });
  });
});
