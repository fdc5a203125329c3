import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadPayers } from '#policies/load-payers.ts';
import type { Store } from '#store/database.ts';
import { signingKey } from '#store/signing-keys.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { readHookCall } from '../read-hook-call.ts';
import { ANSWER_WRITERS } from '../versions/answer-writers.ts';
import { createPayerServices } from './payer-services.ts';

/* What a payer's own service answers to our signature. What it says of orders is in payer-service.test.ts. */

const REST_MS = 200;
const SERVICES = JSON.stringify({ services: [{ hook: 'order-sign', id: 'sign', description: 'x' }] });
const ANSWER = JSON.stringify({ cards: [], systemActions: [] });
let store: Store;
let payer: Server;
let baseUrl: string;
let statusOf: { discovery: number; call: number } = { discovery: 200, call: 200 };
let asked = 0;

beforeAll(async () => {
  store = await openTestStore();
  payer = createServer((request, response) => {
    asked += 1;
    const isCall = request.method === 'POST';
    response.writeHead(isCall ? statusOf.call : statusOf.discovery, { 'content-type': 'application/json' }).end(isCall ? ANSWER : SERVICES);
  });
  await new Promise<void>((ready) => payer.listen(0, ready));
  baseUrl = `http://localhost:${(payer.address() as AddressInfo).port}`;
});
beforeEach(() => {
  asked = 0;
  statusOf = { discovery: 200, call: 200 };
});
afterAll(async () => {
  payer.closeAllConnections();
  payer.close();
  await store.close();
});

const call = readHookCall('order-sign', { hook: 'order-sign', hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea', context: { userId: 'Practitioner/u1', patientId: 'p1', draftOrders: { resourceType: 'Bundle', type: 'collection', entry: [{ resource: { resourceType: 'DeviceRequest', id: 'd1', status: 'draft', intent: 'order' } }] } } });
async function outcomes(): Promise<() => Promise<string>> {
  const [first] = loadPayers('http://localhost').payers;
  if (!first) throw new Error('no payer');
  const services = createPayerServices({ serviceUrl: 'http://localhost/cds-services', key: await signingKey(store, 'cds-hooks', 'ES384'), now: Date.now, restMs: REST_MS });
  return async () => {
    const reply = await services.ask({ ...first, crd: { baseUrl, version: '2.0', timeoutMs: 2_000 } }, { call, foci: [], considered: new Set<string>(), coverages: [], patient: undefined, ownPrefetch: {} }, ANSWER_WRITERS['2.0'], AbortSignal.timeout(5_000));
    return reply.kind === 'answered' ? 'answered' : reply.why;
  };
}

describe("a payer's own service", () => {
  it.each([['discovery', 401], ['discovery', 403], ['call', 401], ['call', 403]] as const)('whose %s says %i did not admit us; it is not reported as down', async (where, status) => {
    statusOf[where] = status;
    expect(await (await outcomes())()).toBe('not-admitted');
  });
  it.each([404, 408, 429, 500, 503])('whose call says %i is down', async (status) => {
    statusOf.call = status;
    expect(await (await outcomes())()).toBe('down');
  });
  it('that does not admit us is left alone after five times, under the same name, and answers once it does', async () => {
    statusOf.call = 401;
    const outcome = await outcomes();
    for (let i = 0; i < 8; i += 1) expect(await outcome()).toBe('not-admitted');
    // Discovery and call, five times.
    expect(asked).toBe(10);
    statusOf.call = 200;
    await new Promise((resolve) => setTimeout(resolve, REST_MS + 50));
    expect(await outcome()).toBe('answered');
  });
  it('that is down is resting after five times', async () => {
    statusOf.call = 500;
    const outcome = await outcomes();
    const seen = [];
    for (let i = 0; i < 6; i += 1) seen.push(await outcome());
    expect(seen).toEqual(['down', 'down', 'down', 'down', 'down', 'resting']);
  });
});
