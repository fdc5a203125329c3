import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NOW, type RunningCdsHooks, runCdsHooks } from '../../test-fixtures/running-cds-hooks.ts';

/* A client that runs in a browser on another origin and signs ES256, as the public CDS Hooks sandbox does: registered as docs/cds-hooks.md tells it. */

const ORIGIN = 'https://sandbox.example';
const folder = mkdtempSync(join(tmpdir(), 'outside-client-'));
const pair = await generateKeyPair('ES256', { extractable: true });
let keyServer: Server;
let jku: string;
let service: RunningCdsHooks;

beforeAll(async () => {
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'sandbox-key', use: 'sig', alg: 'ES256' }] });
  keyServer = createServer((_request, response) => void response.setHeader('content-type', 'application/json').end(jwks));
  await new Promise<void>((ready) => keyServer.listen(0, ready));
  jku = `http://localhost:${(keyServer.address() as AddressInfo).port}/.well-known/jwks.json`;
  const clientsFile = join(folder, 'clients.json');
  writeFileSync(clientsFile, JSON.stringify({ clients: [{ name: 'CDS Hooks sandbox', iss: ORIGIN, jku, algorithms: ['ES256'], fhirServers: [] }] }));
  service = await runCdsHooks({ trustedClients: [], clientsFile });
  service.holds([patient, coverage]);
});
afterAll(async () => {
  await service.stop();
  keyServer.close();
  rmSync(folder, { recursive: true, force: true });
});

const patient = { resourceType: 'Patient', id: 'p1', address: [{ state: 'WA' }] };
const coverage = { resourceType: 'Coverage', id: 'c1', status: 'active', subscriberId: 'M1', beneficiary: { reference: 'Patient/p1' }, payor: [{ display: 'Centers for Medicare and Medicaid Services' }] };
const draft = { resourceType: 'ServiceRequest', id: 's1', status: 'draft', intent: 'order', requester: { reference: 'Practitioner/u1' }, authoredOn: '2026-11-22', subject: { reference: 'Patient/p1' }, code: { coding: [{ system: 'http://www.ama-assn.org/go/cpt', code: '75561' }] } };
const draftOrders = { resourceType: 'Bundle', type: 'collection', entry: [{ resource: draft }] };

const jwt = (audience: string) =>
  new SignJWT({ iss: ORIGIN, sub: 'a-client-id', aud: audience, iat: NOW / 1000, exp: NOW / 1000 + 300, jti: randomUUID() }).setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: 'sandbox-key', jku }).sign(pair.privateKey);

/** What a browser does for a page of another origin: it asks first, and gives the page no answer that it may not see. */
async function fromBrowser(method: 'GET' | 'POST', url: string, headers: Readonly<Record<string, string>>, body?: string): Promise<Response> {
  const names = Object.keys(headers).filter((name) => name !== 'accept').sort();
  const preflight = await fetch(url, { method: 'OPTIONS', headers: { origin: ORIGIN, 'access-control-request-method': method, 'access-control-request-headers': names.join(',') } });
  const allowed = (header: string): readonly string[] => (preflight.headers.get(header) ?? '').toLowerCase().split(/\s*,\s*/);
  if (!preflight.ok || !allowed('access-control-allow-methods').includes(method.toLowerCase()) || names.some((name) => !allowed('access-control-allow-headers').includes(name))) throw new TypeError('preflight refused');
  const response = await fetch(url, { method, headers: { ...headers, origin: ORIGIN }, ...(body === undefined ? {} : { body }) });
  for (const answer of [preflight, response]) if (!['*', ORIGIN].includes(answer.headers.get('access-control-allow-origin') ?? '')) throw new TypeError('not for this origin');
  return response;
}

interface Discovered {
  readonly id: string;
  readonly hook: string;
  readonly prefetch?: Readonly<Record<string, string>>;
}
async function discovered(hook: string): Promise<Discovered> {
  const address = `${service.url}/cds-services`;
  const response = await fromBrowser('GET', address, { accept: 'application/json', authorization: `Bearer ${await jwt(address)}` });
  const { services } = (await response.json()) as { readonly services: readonly Discovered[] };
  const found = services.find((each) => each.hook === hook);
  if (!found) throw new Error(`no ${hook}`);
  return found;
}

/** The sandbox knows the tokens of patient and user only; what it cannot fetch is absent. */
async function prefetched(queries: Readonly<Record<string, string>>): Promise<Readonly<Record<string, unknown>>> {
  const read = await Promise.all(Object.entries(queries).map(async ([key, query]) => {
    const filled = query.replaceAll('{{context.patientId}}', 'p1').replaceAll('{{context.userId}}', 'Practitioner/u1');
    const response = filled.includes('{{') ? undefined : await fetch(`${service.ehrBase}/${filled}`);
    return response?.ok ? [[key, await response.json()] as const] : [];
  }));
  return Object.fromEntries(read.flat());
}

async function call(hook: string, context: object, change: { readonly signedFor?: string } = {}): Promise<Response> {
  const { id, prefetch = {} } = await discovered(hook);
  const address = `${service.url}/cds-services/${id}`;
  const headers = { accept: 'application/json', 'content-type': 'application/json', authorization: `Bearer ${await jwt(change.signedFor ?? address)}` };
  const body = { hookInstance: randomUUID(), hook, fhirServer: service.ehrBase, context: { patientId: 'p1', userId: 'Practitioner/u1', ...context }, prefetch: await prefetched(prefetch) };
  return fromBrowser('POST', address, headers, JSON.stringify(body));
}

describe('a client in a browser that signs ES256', () => {
  it('finds the services and is answered at order-select', async () => {
    const response = await call('order-select', { selections: ['ServiceRequest/s1'], draftOrders });
    expect(response.status).toBe(200);
    const { cards } = (await response.json()) as { readonly cards: readonly { readonly summary: string }[] };
    expect(cards.length).toBeGreaterThan(0);
  });
  it('is answered at order-sign with coverage-information on its draft', async () => {
    const response = await call('order-sign', { draftOrders });
    expect(response.status).toBe(200);
    const { systemActions } = (await response.json()) as { readonly systemActions: readonly { readonly type: string; readonly resource: { readonly id: string; readonly extension: readonly { readonly url: string }[] } }[] };
    expect(systemActions.map(({ type, resource }) => [type, resource.id])).toEqual([['update', 's1']]);
    expect(systemActions[0]?.resource.extension.map(({ url }) => url)).toContain('http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-coverage-information');
  });
  it('gives feedback', async () => {
    const address = `${service.url}/cds-services/order-sign-crd/feedback`;
    const feedback = [{ card: randomUUID(), outcome: 'overridden', outcomeTimestamp: '2026-11-22T18:00:00Z' }];
    expect((await fromBrowser('POST', address, { 'content-type': 'application/json', authorization: `Bearer ${await jwt(address)}` }, JSON.stringify({ feedback }))).status).toBe(200);
  });
  it('is told in a way its page can read when its token is for another address', async () => {
    expect((await call('order-sign', { draftOrders }, { signedFor: 'https://else.example' })).status).toBe(401);
  });
});
