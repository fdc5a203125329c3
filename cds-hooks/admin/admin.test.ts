import type { AddressInfo } from 'node:net';
import express from 'express';
import { exportJWK, generateKeyPair } from 'jose';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuditTrail, openAuditTrail } from '#store/audit.ts';
import { openStore, type Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import { uuidv7 } from '#store/uuid.ts';
import { openRegisteredClients, type RegisteredClients } from '../client-trust/registered-clients.ts';
import { openTrustedClients, type TrustedClients } from '../client-trust/trusted-clients.ts';
import { type CdsTables, migrations } from '../tables.ts';
import { adminRouter } from './admin-router.ts';
import { createAdminSession } from '#admin/admin-session.ts';

const TOKEN = 'an-admin-token-for-tests';
const KEYS = JSON.stringify({ keys: [{ ...(await exportJWK((await generateKeyPair('ES384', { extractable: true })).publicKey)), kid: 'k1' }] });
let store: Store;
let audit: AuditTrail;
let clients: TrustedClients;
/** Another process of the same store. */
let second: TrustedClients;
let registered: RegisteredClients;
let url: string;
let close: () => void;
let nowMs = Date.parse('2026-11-22T10:00:00Z');

beforeAll(async () => {
  store = await openStore({ dataDir: 'memory' });
  await migratePart(store, 'cds', migrations);
  audit = await openAuditTrail(store, () => nowMs, () => undefined);
  registered = openRegisteredClients(store, audit, () => nowMs);
  clients = await openTrustedClients({ builtIn: [{ iss: 'built-in', jku: 'http://localhost/jwks', fhirServers: [] }], file: undefined, registered, now: () => nowMs, onFileFault: () => undefined });
  second = await openTrustedClients({ builtIn: [], file: undefined, registered, now: () => nowMs, onFileFault: () => undefined });
  const app = express();
  app.use(adminRouter({ session: createAdminSession(TOKEN, false, () => nowMs, { path: '/admin', cookie: 'cds_admin' }), clients, registered, audit, log: pino({ level: 'silent' }) }));
  const server = app.listen(0);
  await new Promise((ready) => server.once('listening', ready));
  url = `http://localhost:${(server.address() as AddressInfo).port}/admin/cds-clients`;
  close = () => server.close();
});
afterAll(async () => {
  close();
  await audit.stop();
  await store.close();
});

const post = (path: string, fields: Record<string, string>, cookie = '') => fetch(url + path, { method: 'POST', redirect: 'manual', headers: { cookie }, body: new URLSearchParams(fields) });
async function signedIn(): Promise<{ readonly cookie: string; readonly csrf: string }> {
  const answer = await post('/sign-in', { token: TOKEN });
  expect(answer.status).toBe(303);
  const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const page = await (await fetch(url, { headers: { cookie } })).text();
  return { cookie, csrf: /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? '' };
}
const fields = (iss: string, more: Record<string, string> = {}) => ({ name: 'North <b>Clinic</b>', iss, tenant: '', jku: 'https://ehr.example/jwks', jwks: '', fhirServers: 'https://ehr.example/fhir\nhttps://two.example/fhir', ...more });

describe('the admin page of clients', () => {
  it('asks for the token, tells nothing before, and keeps the cookie from scripts and other sites', async () => {
    expect(await (await fetch(url)).text()).not.toContain('built-in');
    const wrong = await post('/sign-in', { token: 'wrong' });
    expect([wrong.status, wrong.headers.get('set-cookie')]).toEqual([401, null]);
    const right = await post('/sign-in', { token: TOKEN });
    expect(right.headers.get('set-cookie')).toMatch(/; Path=\/admin; HttpOnly; SameSite=Strict$/);
    expect((await fetch(url)).headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
  });
  it('adds, disables and enables a client, with audit rows', async () => {
    const { cookie, csrf } = await signedIn();
    expect((await post('', { ...fields('https://north.example'), csrf }, cookie)).status).toBe(303);
    const known = clients.find('https://north.example', undefined);
    expect(known).toMatchObject({ source: 'admin-page', client: { fhirServers: ['https://ehr.example/fhir', 'https://two.example/fhir'], disabled: false } });
    const page = await (await fetch(`${url}?done=added`, { headers: { cookie } })).text();
    expect(page).toContain('North &#60;b&#62;Clinic');
    expect(page).not.toContain('<b>');
    for (const [change, disabled] of [['disable', true], ['enable', false]] as const) {
      expect((await post(`/${known?.id}/${change}`, { csrf }, cookie)).status).toBe(303);
      expect(clients.find('https://north.example', undefined)?.client.disabled).toBe(disabled);
    }
    await audit.flush();
    const rows = await store.db.withTables<{ 'audit.event': { action: string } }>().selectFrom('audit.event').select('action').execute();
    expect(new Set(rows.map((row) => row.action))).toEqual(new Set(['admin-signed-in', 'admin-refused', 'cds-client-added', 'cds-client-disabled', 'cds-client-enabled']));
  });
  it.each<[string, Record<string, string>, string]>([
    ['a key address that is http', { jku: 'http://ehr.example/jwks' }, 'jku'],
    ['neither keys nor address', { jku: '' }, 'jku'],
    ['keys that are no JSON', { jku: '', jwks: '{' }, 'jwks'],
    ['keys that can never be used', { jku: '', jwks: '{"keys":[{"kty":"EC","crv":"P-384","kid":"k","x":"a","y":"b"}]}' }, 'jwks'],
    ['keys and address', { jwks: KEYS }, 'jku'],
    ['a key of another algorithm', { jku: '', jwks: KEYS, algorithms: 'ES256' }, 'jwks'],
    ['an algorithm that is not taken', { algorithms: 'HS256' }, 'algorithms'],
    ['a FHIR server that is http', { fhirServers: 'http://ehr.example/fhir' }, 'fhirServers'],
    ['no issuer', { iss: '' }, 'iss'],
  ])('does not take %s, and says at which field', async (_name, more, field) => {
    const { cookie, csrf } = await signedIn();
    const answer = await post('', { ...fields('https://bad.example', more), csrf }, cookie);
    const page = await answer.text();
    expect(answer.status).toBe(422);
    expect(page).toContain(`id="${field}-fault"`);
    expect(page).toMatch(new RegExp(`id="${field}"[^>]*aria-invalid="true"`));
    expect(clients.find('https://bad.example', undefined)).toBe(undefined);
  });
  it('registers a client that signs ES256 when that is chosen, and shows it', async () => {
    const { cookie, csrf } = await signedIn();
    expect((await post('', { ...fields('https://es256.example', { algorithms: 'ES256' }), csrf }, cookie)).status).toBe(303);
    expect((await post('', { ...fields('https://es384.example', { algorithms: '' }), csrf }, cookie)).status).toBe(303);
    expect(clients.find('https://es256.example', undefined)?.client.algorithms).toEqual(['ES256']);
    expect(clients.find('https://es384.example', undefined)?.client.algorithms).toBeUndefined();
    const page = await (await fetch(url, { headers: { cookie } })).text();
    expect(page).toContain('<br>signs ES256</td>');
    expect(page).toMatch(/<label for="algorithms">Signature<\/label><p class="hint" id="algorithms-hint">CDS Hooks recommends[^<]*<\/p><select id="algorithms"/);
    const sentBack = await (await post('', { ...fields('', { algorithms: 'ES256' }), csrf }, cookie)).text();
    expect(sentBack).toContain('<option value="ES256" selected>');
  });
  it('lists what is in the store from before keys were tried, and says that it cannot be used', async () => {
    const registration = JSON.stringify({ iss: 'https://old.example', jwks: { keys: [{ kty: 'EC', crv: 'P-384', kid: 'k', x: 'a', y: 'b' }] }, fhirServers: [] });
    await store.db.withTables<CdsTables>().insertInto('cds.client').values({ id: uuidv7(nowMs), iss: 'https://old.example', tenant: '', registration, disabled: false, created_at: new Date(nowMs).toISOString() }).execute();
    const page = await (await fetch(url, { headers: { cookie: (await signedIn()).cookie } })).text();
    expect(page).toContain('no. 1 is no key: x and y are not a point on P-384');
    expect(page).toContain('Not answered: no key can be used');
  });
  it('does not take a client twice', async () => {
    const { cookie, csrf } = await signedIn();
    for (const status of [303, 409]) expect((await post('', { ...fields('https://twice.example'), csrf }, cookie)).status).toBe(status);
    expect((await post('', { ...fields('built-in'), csrf }, cookie)).status).toBe(409);
  });
  it('tells where it is registered, of a tenant only when one was given', async () => {
    const { cookie, csrf } = await signedIn();
    const refused = async (iss: string, tenant = '') => /<p class="notice" id="iss-fault">([^<]*)</.exec(await (await post('', { ...fields(iss, { tenant }), csrf }, cookie)).text())?.[1];
    for (const tenant of ['', 'south']) expect((await post('', { ...fields('https://taken.example', { tenant }), csrf }, cookie)).status).toBe(303);
    expect(await refused('https://taken.example')).toBe('Issuer (iss) is registered already, in this page. To correct it, disable it first.');
    expect(await refused('https://taken.example', 'south')).toBe('Issuer (iss) is registered already, with this tenant, in this page. To correct it, disable it first.');
    expect(await refused('built-in')).toBe('Issuer (iss) is registered already, in this program. It cannot be changed.');
  });
  it('lets a client that was registered with a mistake be corrected once it is disabled, in every process, with audit rows', async () => {
    const iss = 'https://mistaken.example';
    const { cookie, csrf } = await signedIn();
    expect((await post('', { ...fields(iss, { tenant: 'a' }), csrf }, cookie)).status).toBe(303);
    const { id } = clients.find(iss, 'a') ?? {};
    await second.reload();
    expect(await (await fetch(`${url}?correct=${id}`, { headers: { cookie } })).text()).not.toContain(`value="${iss}"`);
    expect((await post(`/${id}/disable`, { csrf }, cookie)).status).toBe(303);
    const page = await (await fetch(url, { headers: { cookie } })).text();
    expect(page).toContain(`<a href="/admin/cds-clients?correct=${id}#add">Correct<span class="skip"> North &#60;b&#62;Clinic&#60;/b&#62;, tenant a</span></a>`);
    const form = await (await fetch(`${url}?correct=${id}`, { headers: { cookie } })).text();
    for (const value of [`value="${iss}"`, 'value="a"', 'value="https://ehr.example/jwks"', '>https://ehr.example/fhir\nhttps://two.example/fhir</textarea>']) expect(form).toContain(value);
    const corrected = await post('', { ...fields(iss, { tenant: 'a', jku: 'https://ehr.example/right', fhirServers: '' }), csrf }, cookie);
    expect([corrected.status, corrected.headers.get('location')]).toEqual([303, '/admin/cds-clients?done=corrected']);
    expect(await (await fetch(`${url}?done=corrected`, { headers: { cookie } })).text()).toContain('in place of the one that was disabled');
    await second.reload();
    for (const known of [clients, second]) {
      expect(known.find(iss, 'a')).toMatchObject({ id, client: { jku: 'https://ehr.example/right', fhirServers: [], disabled: false } });
      expect(known.list().filter(({ client }) => client.iss === iss)).toHaveLength(1);
    }
    await audit.flush();
    const rows = await store.db.withTables<{ 'audit.event': { action: string; resource: unknown } }>().selectFrom('audit.event').select(['action', 'resource']).execute();
    expect(rows.flatMap(({ action, resource }) => (JSON.stringify(resource).includes(iss) ? [action] : [])).sort()).toEqual(['cds-client-added', 'cds-client-added', 'cds-client-disabled']);
  });
  it('does not take the place of a client that another process enabled meanwhile', async () => {
    const iss = 'https://meanwhile.example';
    const { cookie, csrf } = await signedIn();
    expect((await post('', { ...fields(iss), csrf }, cookie)).status).toBe(303);
    const { id = '' } = clients.find(iss, undefined) ?? {};
    expect((await post(`/${id}/disable`, { csrf }, cookie)).status).toBe(303);
    await registered.setDisabled(id, false);
    expect((await post('', { ...fields(iss, { jku: 'https://other.example/jwks' }), csrf }, cookie)).status).toBe(409);
    expect(await registered.add({ iss, jku: 'https://other.example/jwks', fhirServers: [] })).toBe(false);
    expect((await registered.list()).find((each) => each.iss === iss)).toMatchObject({ jku: 'https://ehr.example/jwks', disabled: false });
  });
  it('says in the title and first on the page that a client was not added, and has the focus where it is wrong', async () => {
    const { cookie, csrf } = await signedIn();
    const page = await (await post('', { ...fields('https://bad.example', { jku: 'http://x.example', fhirServers: 'http://y.example' }), csrf }, cookie)).text();
    expect(page).toContain('<title>Not added: CDS Hooks clients - Open Prior Auth</title>');
    expect(page).toMatch(/<h1>CDS Hooks clients<\/h1><div class="notice" role="alert"><p>The client was not added\.<\/p><ul><li><a href="#jku">Address of the keys \(jku\)<\/a> [^<]+<\/li><li><a href="#fhirServers">/);
    expect(page.match(/<[^>]* autofocus/g)).toEqual([expect.stringContaining('id="jku"')]);
  });
  it('leads back to where the token was asked for, and to no other page', async () => {
    for (const [to, location] of [['/admin/cds-feedback', '/admin/cds-feedback'], ['https://evil.example', '/admin/cds-clients'], ['//evil.example', '/admin/cds-clients'], ['/admin/other', '/admin/cds-clients']] as const) {
      expect((await post('/sign-in', { token: TOKEN, to })).headers.get('location')).toBe(location);
    }
    const wrong = await (await post('/sign-in', { token: 'wrong', to: '/admin/cds-feedback' })).text();
    expect(wrong).toContain('<title>Wrong token: CDS Hooks clients - ');
    expect(wrong).toContain('<input type="hidden" name="to" value="/admin/cds-feedback">');
    expect(await (await post('/sign-in', { token: 'wrong', to: '//evil.example' })).text()).not.toContain('evil');
  });
  it.each(['/sign-in', '/sign-out', '/some-id/disable'])('opens the page where a form was sent to, when it is loaded by address: %s', async (path) => {
    const answer = await fetch(url + path, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/admin/cds-clients']);
  });
  it('changes nothing without session, without the word of the form, or with another session’s', async () => {
    const [one, two] = [await signedIn(), await signedIn()];
    expect((await post('', { ...fields('https://x.example'), csrf: one.csrf })).status).toBe(401);
    expect((await post('', fields('https://x.example'), one.cookie)).status).toBe(403);
    expect((await post('', { ...fields('https://x.example'), csrf: two.csrf }, one.cookie)).status).toBe(403);
    expect((await post('', { ...fields('https://x.example'), csrf: one.csrf }, `${one.cookie}x`)).status).toBe(401);
    expect(clients.find('https://x.example', undefined)).toBe(undefined);
  });
  it('ends a session after half an hour', async () => {
    const { cookie, csrf } = await signedIn();
    nowMs += 31 * 60_000;
    expect((await post('', { ...fields('https://late.example'), csrf }, cookie)).status).toBe(401);
  });
  it('stops guesses of the token', async () => {
    const tries = [];
    for (let i = 0; i < 12; i += 1) tries.push((await post('/sign-in', { token: 'guess' })).status);
    expect(tries.at(-1)).toBe(429);
  });
});
