import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PolicyFileError } from '#policies/json-file.ts';
import { loadPayers, readPayersFile } from '#policies/load-payers.ts';
import { quirksOf } from '#prior-auth/coverage-requirement/payer-quirks.ts';
import { type AuditTrail, openAuditTrail } from '#store/audit.ts';
import type { AnyDatabase, Store } from '#store/database.ts';
import { openKeyRing } from '#store/signing-keys.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { DEMONSTRATION_CLINIC } from '../clinic.ts';
import { openPayerConnections, type PayerConnections } from '../connections/payer-connections.ts';
import { RunningProcess } from '../connections/running-process.ts';
import { supportedPayersRouter } from '../panel-api/supported-payers.ts';
import type { SubscriptionHealth } from '../pas/notifications-health.ts';
import { payersAdminRouter } from './payers-router.ts';

/* Payers as configuration: by file, with the line of each fault, and by the admin page; what is changed holds at once for who holds the directory. */

const TOKEN = 'an-admin-token-for-tests';
const SUBSCRIPTIONS: readonly SubscriptionHealth[] = [
  { payerId: 'of-file', organizations: ['1245319599'], status: 'active', lastEventNumber: 7, missing: 2, waiting: 0, left: 1, eventsOffered: false, heardAt: '2026-11-22T10:00:00.000Z', secretSince: '2026-11-01T08:00:00.000Z', lastError: 'PAYER_UNAVAILABLE: <x>' },
];
const folder = mkdtempSync(join(tmpdir(), 'opa-payers-'));
const file = join(folder, 'payers.json');
const payerOf = (id: string, more: Readonly<Record<string, unknown>> = {}) => ({ id, name: `Payer ${id}`, organizationIdentifiers: [{ system: 'https://payer.example/id', value: id }], matchNames: [], fhirBase: 'https://fhir.payer.example/r4', pasVersion: '2.0.1', subscriptions: 'none', timeZone: 'America/Chicago', ...more });
const write = (...payers: readonly unknown[]) => writeFileSync(file, JSON.stringify({ payers }, null, 1));
let store: Store;
let audit: AuditTrail;
let connections: PayerConnections;
let second: PayerConnections;
let http: Server;
let url: string;
const fileFaults: string[] = [];

beforeAll(async () => {
  store = await openTestStore();
  audit = await openAuditTrail(store, Date.now, () => undefined, 1);
  write(payerOf('of-file', { fhirBase: '/payer/fhir' }));
  const options = { store, audit, now: Date.now, file, onFileFault: (error: Error) => fileFaults.push(error.message), onReloadFault: () => undefined, followEveryMs: 20, reloadEveryMs: 30 };
  const app = express();
  http = createServer(app);
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  const baseUrl = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  url = `${baseUrl}/admin/payers`;
  connections = await openPayerConnections({ ...options, baseUrl });
  second = await openPayerConnections({ ...options, baseUrl });
  app.use(payersAdminRouter({ adminToken: TOKEN, connections, keys: await openKeyRing(store, 'server', ['ES384', 'RS384'], Date.now), clinic: DEMONSTRATION_CLINIC, store, baseUrl, audit, log: pino({ level: 'silent' }), now: Date.now, subscriptionHealth: async () => SUBSCRIPTIONS }));
  app.use(supportedPayersRouter(connections));
});
afterAll(async () => {
  connections.stop();
  second.stop();
  http.close();
  http.closeAllConnections();
  await audit.stop();
  await store.close();
  rmSync(folder, { recursive: true });
});

const post = (path: string, fields: Record<string, string>, cookie = '') => fetch(url + path, { method: 'POST', redirect: 'manual', headers: { cookie }, body: new URLSearchParams(fields) });
async function signedIn(): Promise<{ readonly cookie: string; readonly csrf: string }> {
  const answer = await post('/sign-in', { token: TOKEN });
  const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const page = await (await fetch(url, { headers: { cookie } })).text();
  return { cookie, csrf: /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? '' };
}
const fields = (id: string, more: Record<string, string> = {}) => ({ id, name: 'North <b>Plan</b>', organizationIdentifiers: `https://payer.example/id|${id}`, matchNames: '', fhirBase: 'https://fhir.north.example/r4', pasVersion: '2.2.1', subscriptions: 'rest-hook', timeZone: 'America/New_York', authentication: 'backend-services', algorithm: 'RS384', clientId: 'c-1', ...more });
const supported = async () => ((await (await fetch(url.replace('/admin/payers', '/panel/supported-payers'))).json()) as { payers: { id: string }[] }).payers.map(({ id }) => id);
const until = async (holds: () => boolean) => {
  for (const end = Date.now() + 3_000; Date.now() < end && !holds(); ) await new Promise((done) => setTimeout(done, 10));
  expect(holds()).toBe(true);
};
const audited = async (action: string) => (await store.db.withTables<AnyDatabase & { 'audit.event': { action: string } }>().selectFrom('audit.event').select('action').where('action', '=', action).execute()).length;

describe('the admin page', () => {
  it('tells nothing without the token and keeps its cookie to itself', async () => {
    expect(await (await fetch(url)).text()).not.toContain('of-file');
    expect((await post('/sign-in', { token: 'wrong' })).status).toBe(401);
    const right = await post('/sign-in', { token: TOKEN });
    expect([right.status, right.headers.get('set-cookie')]).toEqual([303, expect.stringMatching(/^payer_admin=.*Path=\/admin\/payers; HttpOnly; SameSite=Strict$/)]);
    expect((await fetch(url)).headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
  });
  it('adds, changes, disables and enables a payer, here and in the other process, audited', async () => {
    const { cookie, csrf } = await signedIn();
    expect((await post('', { ...fields('north'), csrf }, cookie)).status).toBe(303);
    expect(await supported()).toEqual(['of-file', 'north']);
    await until(() => second.byId('north')?.pasVersion === '2.2.1');
    expect(second.byId('north')).toMatchObject({ authentication: { kind: 'backend-services', algorithm: 'RS384', clientId: 'c-1' }, timeZone: 'America/New_York' });
    const page = await (await fetch(`${url}?change=north`, { headers: { cookie } })).text();
    expect(page).toContain('North &#60;b&#62;Plan');
    expect(page).toContain('value="https://fhir.north.example/r4"');
    const plans = JSON.stringify({ plans: [{ id: 'medicaid', coverageTypes: ['MCPOL'], fhirBase: 'https://medicaid.north.example/r4', pasVersion: '2.0.1' }], quirks: { concurrency: 2 } });
    expect((await post('', { ...fields('north'), further: plans, csrf }, cookie)).headers.get('location')).toContain('done=changed');
    expect(connections.byId('north~medicaid')).toMatchObject({ fhirBase: 'https://medicaid.north.example/r4', pasVersion: '2.0.1', planOf: 'north' });
    for (const [change, ids] of [['disable', ['of-file']], ['enable', ['of-file', 'north']]] as const) {
      expect((await post(`/north/${change}`, { csrf }, cookie)).status).toBe(303);
      expect(await supported()).toEqual(ids);
    }
    await audit.flush();
    expect(await Promise.all(['added', 'changed', 'disabled', 'enabled'].map((word) => audited(`payer-connection-${word}`)))).toEqual([1, 1, 1, 1]);
  });
  it('shows how the notifications stand, to whoever is signed in', async () => {
    const { cookie } = await signedIn();
    const page = await (await fetch(`${url}/notifications`, { headers: { cookie } })).text();
    for (const words of ['of-file', '1245319599', 'Works', '7 received', '2 missing', '1 could not be recorded', 'does not tell missed ones again', 'heard 2026-11-22 10:00 UTC', 'asked never', '&#60;x&#62;']) expect(page).toContain(words);
    expect(await (await fetch(`${url}/notifications`)).text()).not.toContain('1245319599');
    expect(await (await fetch(`${url}/notifications`, { headers: { authorization: `Bearer ${TOKEN}` } })).json()).toEqual({ subscriptions: SUBSCRIPTIONS });
    expect((await fetch(`${url}/notifications`, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
  });
  it('switches any payer to manual and back', async () => {
    const { cookie, csrf } = await signedIn();
    for (const mode of ['manual', 'electronic'] as const) {
      expect((await post(`/of-file/mode/${mode}`, { csrf }, cookie)).status).toBe(303);
      expect(connections.byId('of-file')?.mode).toBe(mode);
      await until(() => second.byId('of-file')?.mode === mode);
    }
    expect((await post('/nobody/mode/manual', { csrf }, cookie)).status).toBe(404);
  });
  it('tests a connection and shows what is wrong', async () => {
    const { cookie, csrf } = await signedIn();
    const answer = await post('/of-file/test', { csrf }, cookie);
    const page = await answer.text();
    expect([answer.status, page.includes('The connection does not work as it is.'), page.includes('SMART configuration: ✗ failed')]).toEqual([200, true, true]);
    expect((await post('/nobody/test', { csrf }, cookie)).status).toBe(404);
  });
  it('rotates our keys', async () => {
    const { cookie, csrf } = await signedIn();
    expect((await post('/keys/rotate', { csrf }, cookie)).status).toBe(303);
    expect(await (await fetch(url, { headers: { cookie } })).text()).toMatch(/Published, used from \d{4}-/);
  });
  it.each<[string, Record<string, string>, string]>([
    ['a base that is http', { fhirBase: 'http://payer.example/fhir' }, 'fhirBase'],
    ['a base with a query', { fhirBase: 'https://payer.example/fhir?x=1' }, 'fhirBase'],
    ['a base with a password', { fhirBase: 'https://u:p@payer.example/fhir' }, 'fhirBase'],
    ['an id with blanks', { id: 'north plan' }, 'id'],
    ['an id that looks like a plan’s', { id: 'north~x' }, 'id'],
    ['no identifiers', { organizationIdentifiers: '' }, 'organizationIdentifiers'],
    ['an identifier without a system', { organizationIdentifiers: 'just-a-number' }, 'organizationIdentifiers'],
    ['no time zone', { timeZone: 'Seattle' }, 'timeZone'],
    ['another version', { pasVersion: '1.1.0' }, 'pasVersion'],
    ['no authentication on the open net', { authentication: 'none' }, 'authentication'],
    ['a token endpoint that is http', { tokenEndpoint: 'http://payer.example/token' }, 'tokenEndpoint'],
    ['a certificate without a key', { certificateFile: '/etc/c.pem' }, 'keyFile'],
    ['no JSON', { further: '{oops' }, 'further'],
    ['a list', { further: '[]' }, 'further'],
    ['a setting that is not known', { further: '{"qirks": {}}' }, 'further'],
    ['a header on the open net', { authentication: 'header', further: '{"authentication": {"kind": "header", "name": "X-Key", "value": "1"}}' }, 'authentication'],
    ['a plan nobody can have', { further: '{"plans": [{"id": "p", "fhirBase": "https://x.example", "pasVersion": "2.0.1"}]}' }, 'further'],
    ['a quirk out of range', { further: '{"quirks": {"timeoutMs": 3600000}}' }, 'further'],
  ])('does not take %s, and says at which field', async (_name, more, field) => {
    const { cookie, csrf } = await signedIn();
    const answer = await post('', { ...fields('bad'), ...more, csrf }, cookie);
    const page = await answer.text();
    expect(answer.status).toBe(422);
    expect(page).toContain(`id="${field}-fault"`);
    expect(page).toMatch(new RegExp(`id="${field}"[^>]*aria-invalid="true"`));
    expect(connections.byId('bad')).toBeUndefined();
  });
  it('says in the title and first on the page that a payer was not saved, and has the focus where it is wrong', async () => {
    const { cookie, csrf } = await signedIn();
    const page = await (await post('', { ...fields('bad'), timeZone: 'Seattle', further: '[]', csrf }, cookie)).text();
    expect(page).toContain('<title>Not saved: Payers - ');
    expect(page).toMatch(/<h1>Payers<\/h1><div class="notice" role="alert"><p>The payer was not saved\.<\/p><ul><li><a href="#further">/);
    expect(page.match(/<[^>]* autofocus/g)).toEqual([expect.stringContaining('id="further"')]);
  });
  it('leads back to the notifications where the token was asked for there; where a form was sent to opens the page', async () => {
    expect(await (await fetch(`${url}/notifications`)).text()).toContain('<input type="hidden" name="to" value="/admin/payers/notifications">');
    expect((await post('/sign-in', { token: TOKEN, to: '/admin/payers/notifications' })).headers.get('location')).toBe('/admin/payers/notifications');
    for (const path of ['/sign-in', '/of-file/test', '/keys/rotate']) expect((await fetch(url + path, { redirect: 'manual' })).headers.get('location')).toBe('/admin/payers');
  });
  it.each<[string, Record<string, string>]>([
    ['the id of a payer of the file', { id: 'of-file', organizationIdentifiers: 'https://payer.example/id|x' }],
    ['another payer’s identifier', { organizationIdentifiers: 'https://payer.example/id|of-file' }],
  ])('does not take %s', async (_name, more) => {
    const { cookie, csrf } = await signedIn();
    expect((await post('', { ...fields('clash'), ...more, csrf }, cookie)).status).toBe(409);
  });
  it('changes nothing without the word of the form, or with a form too large', async () => {
    const { cookie, csrf } = await signedIn();
    expect((await post('', fields('no-word'), cookie)).status).toBe(403);
    expect((await post('', { ...fields('no-word'), csrf })).status).toBe(401);
    expect((await post('', { ...fields('no-word'), csrf, further: 'x'.repeat(70_000) }, cookie)).status).toBe(413);
    expect((await fetch(url, { method: 'POST', headers: { cookie, 'content-type': 'application/json' }, body: '{' })).status).toBe(403);
    expect(connections.byId('no-word')).toBeUndefined();
  });
});

describe('commands ask the running process', () => {
  const env = (token: string) => ({ PUBLIC_URL: new URL(url).origin, ADMIN_TOKEN: token });
  it('with the token as Bearer', async () => {
    const running = new RunningProcess(env(TOKEN));
    expect((await running.list()).map(({ payer }) => payer.id)).toContain('of-file');
    expect(await running.test('of-file')).toMatchObject({ payerId: 'of-file', result: 'failed' });
    expect(await running.test('nobody')).toBeUndefined();
  });
  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['a wrong token', () => new RunningProcess(env('a-wrong-admin-token')).list(), /not the admin token/],
    ['nobody there', () => new RunningProcess({ PUBLIC_URL: 'http://127.0.0.1:9', ADMIN_TOKEN: TOKEN }).list(), /cannot be reached/],
    ['no token', async () => new RunningProcess({}), /Set ADMIN_TOKEN/],
  ])('%s', async (_name, ask, words) => expect(ask()).rejects.toThrow(words));
});

describe('the file', () => {
  it('is read again when it changes; a fault leaves in force what it said before', async () => {
    write(payerOf('of-file', { name: 'Renamed' }), payerOf('new'));
    await until(() => connections.byId('new') !== undefined && connections.byId('of-file')?.name === 'Renamed');
    writeFileSync(file, '{"payers": [\n {"id": "x"}]}');
    await until(() => connections.fileFault() !== undefined);
    expect(connections.byId('new')).toBeDefined();
    expect(fileFaults.at(-1)).toMatch(/payers\.json:2: payers\.0\.name: /);
    write(payerOf('of-file'));
    await until(() => connections.fileFault() === undefined && connections.byId('new') === undefined);
  });
  it.each<[string, unknown, RegExp]>([
    ['the same id twice', [payerOf('a'), payerOf('a', { organizationIdentifiers: [{ system: 's', value: 'v' }] })], /payers\.1\.id: the same id as payers\.0/],
    ['the same identifier twice', [payerOf('a'), payerOf('b', { organizationIdentifiers: [{ system: 'https://payer.example/id', value: 'a' }] })], /payers\.1\.organizationIdentifiers\.0: the same identifier as payers\.0/],
    ['an element that is not known', [payerOf('a', { fhirbase: 'x' })], /there is no element fhirbase here/],
    ['a base that is http', [payerOf('a', { fhirBase: 'http://payer.example' })], /payers\.0\.fhirBase: must be an https address/],
    ['no authentication on the open net', [payerOf('a', { authentication: { kind: 'none' } })], /payers\.0\.authentication\.kind: none needs a client certificate/],
    ['a header on the open net', [payerOf('a', { authentication: { kind: 'header', name: 'X', value: 'y' } })], /header is for payers on loopback only/],
    ['a certificate without a key', [payerOf('a', { tls: { certificateFile: '/c.pem' } })], /payers\.0\.tls\.keyFile: needs certificateFile and keyFile together/],
    ['a plan twice', [payerOf('a', { plans: [1, 2].map(() => ({ id: 'p', coverageTypes: ['x'], fhirBase: 'https://p.example', pasVersion: '2.0.1' })) })], /payers\.0\.plans: names a plan twice/],
  ])('with %s says where', (_name, payers, words) => {
    const bad = join(folder, 'bad.json');
    writeFileSync(bad, JSON.stringify({ payers }, null, 1));
    expect(() => readPayersFile(bad)).toThrow(PolicyFileError);
    expect(() => readPayersFile(bad)).toThrow(words);
  });
  it('takes none with a client certificate, and a header on loopback', () => {
    const good = join(folder, 'good.json');
    writeFileSync(good, JSON.stringify({ payers: [payerOf('a', { authentication: { kind: 'none' }, tls: { certificateFile: '/c.pem', keyFile: '/k.pem' } }), payerOf('b', { fhirBase: 'http://127.0.0.1:8080/fhir', authentication: { kind: 'header', name: 'X-Key', value: 'y' }, quirks: { concurrency: 1 } })] }));
    const { payers } = loadPayers('http://here', good);
    expect(payers.map((payer) => quirksOf(payer).concurrency)).toEqual([16, 1]);
  });
});

describe('plans', () => {
  const good = join(folder, 'plans.json');
  const plan = (id: string, more: object) => ({ id, fhirBase: `https://${id}.example`, pasVersion: '2.2.1', ...more });
  it.each([
    [{ class: [{ type: { coding: [{ code: 'group' }] }, value: ' G-1 ' }] }, 'a~by-group'],
    [{ class: [{ type: { coding: [{ code: 'plan' }] }, value: 'G-1' }] }, 'a'],
    [{ type: { coding: [{ code: 'MCPOL' }] } }, 'a~by-type'],
    [{}, 'a'],
  ])('%j is sent by %s', (coverage, expected) => {
    writeFileSync(good, JSON.stringify({ payers: [payerOf('a', { plans: [plan('by-group', { coverageClasses: [{ type: 'group', value: 'G-1' }] }), plan('by-type', { coverageTypes: ['MCPOL'] })] })] }));
    const directory = loadPayers('http://here', good);
    expect(directory.forCoverage('a', { resourceType: 'Coverage', status: 'active', beneficiary: {}, payor: [], ...coverage } as never)?.id).toBe(expected);
    expect(directory.payers.map(({ id }) => id)).toEqual(['a']);
  });
});
