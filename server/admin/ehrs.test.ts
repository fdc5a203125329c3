import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, TestBrowser, type TestServer } from '#test-fixtures/test-server.ts';
import { EhrsFileError, readEhrsFile } from '../smart/ehrs-file.ts';

/* Registering EHRs: by file, with the line of each fault, and by the admin page. */

const TOKEN = 'an-admin-token-for-tests';
const folder = mkdtempSync(join(tmpdir(), 'opa-ehrs-'));
let server: TestServer;
let url: string;
beforeAll(async () => {
  server = await startTestServer({ server: async () => ({ adminToken: TOKEN }) });
  url = `${server.baseUrl}/admin/ehrs`;
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const post = (path: string, fields: Record<string, string>, cookie = '') => fetch(url + path, { method: 'POST', redirect: 'manual', headers: { cookie }, body: new URLSearchParams(fields) });
async function signedIn(): Promise<{ readonly cookie: string; readonly csrf: string }> {
  const answer = await post('/sign-in', { token: TOKEN });
  const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const page = await (await fetch(url, { headers: { cookie } })).text();
  return { cookie, csrf: /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? '' };
}
const fields = (fhirBase: string, more: Record<string, string> = {}) => ({ name: 'North <b>Clinic</b>', fhirBase, clientId: 'panel-7', clientAuthentication: 'private_key_jwt', clientSecret: '', signingAlgorithm: 'RS384', scopes: '', frameOrigins: 'https://chart.north.example', worklistClientId: '', ...more });
const launches = async (iss: string) => (await (await new TestBrowser(server.baseUrl).go(`/panel/launch?iss=${encodeURIComponent(iss)}&launch=x`)).text());

describe('the admin page', () => {
  it('tells nothing without the token and keeps its cookie to itself', async () => {
    expect(await (await fetch(url)).text()).not.toContain(server.ehr.base);
    expect((await post('/sign-in', { token: 'wrong' })).status).toBe(401);
    const right = await post('/sign-in', { token: TOKEN });
    expect([right.status, right.headers.get('set-cookie')]).toEqual([303, expect.stringMatching(/Path=\/admin\/ehrs; HttpOnly; SameSite=Strict$/)]);
    expect((await fetch(url)).headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
  });
  it('adds, disables and enables an EHR; only then are its launches begun', async () => {
    const iss = 'https://fhir.north.example/r4';
    expect(await launches(iss)).toContain('not registered');
    const { cookie, csrf } = await signedIn();
    expect((await post('', { ...fields(`${iss}/`), csrf }, cookie)).status).toBe(303);
    const page = await (await fetch(url, { headers: { cookie } })).text();
    expect(page).toContain('North &#60;b&#62;Clinic');
    expect(page).toContain(`${server.baseUrl}/panel/callback`);
    expect(await launches(iss)).toContain('cannot be used');
    expect((await post('', { ...fields(iss), csrf }, cookie)).status).toBe(409);
    const id = /\/admin\/ehrs\/([0-9a-f-]{36})\/disable/.exec(page)?.[1];
    for (const [change, words] of [['disable', 'not registered'], ['enable', 'cannot be used']] as const) {
      expect((await post(`/${id}/${change}`, { csrf }, cookie)).status).toBe(303);
      expect(await launches(iss)).toContain(words);
    }
  });
  it.each<[string, Record<string, string>, string]>([
    ['a base that is http', { fhirBase: 'http://ehr.example/fhir' }, 'fhirBase'],
    ['a base with a query', { fhirBase: 'https://ehr.example/fhir?x=1' }, 'fhirBase'],
    ['no client id', { clientId: '' }, 'clientId'],
    ['a secret missing', { clientAuthentication: 'client_secret_basic' }, 'clientSecret'],
    ['a secret for keys', { clientSecret: 'x' }, 'clientSecret'],
    ['scopes without openid', { scopes: 'launch patient/*.rs' }, 'scopes'],
    ['scopes out of order', { scopes: 'openid patient/*.sr' }, 'scopes'],
    ['an origin with a path', { frameOrigins: 'https://a.example/x' }, 'frameOrigins'],
  ])('does not take %s, and says at which field', async (_name, more, field) => {
    const { cookie, csrf } = await signedIn();
    const answer = await post('', { ...fields('https://bad.example/r4', more), csrf }, cookie);
    const page = await answer.text();
    expect(answer.status).toBe(422);
    expect(page).toContain(`id="${field}-fault"`);
    expect(page).toMatch(new RegExp(`id="${field}"[^>]*aria-invalid="true"`));
  });
  it('says in the title and first on the page that an EHR was not added, and has the focus where it is wrong', async () => {
    const { cookie, csrf } = await signedIn();
    const page = await (await post('', { ...fields('http://bad.example/r4', { clientId: '' }), csrf }, cookie)).text();
    expect(page).toContain('<title>Not added: EHRs - ');
    expect(page).toMatch(/<h1>EHRs<\/h1><div class="notice" role="alert"><p>The EHR was not added\.<\/p><ul><li><a href="#fhirBase">FHIR base<\/a> [^<]+<\/li><li><a href="#clientId">/);
    expect(page.match(/<[^>]* autofocus/g)).toEqual([expect.stringContaining('id="fhirBase"')]);
  });
  it('shows no secret again and changes nothing without the word of the form', async () => {
    const { cookie, csrf } = await signedIn();
    const secret = { clientAuthentication: 'client_secret_post', clientSecret: 'not-to-be-seen' };
    expect((await post('', { ...fields('https://secret.example/r4', secret), csrf }, cookie)).status).toBe(303);
    expect(await (await fetch(url, { headers: { cookie } })).text()).not.toContain('not-to-be-seen');
    expect((await post('', fields('https://x.example/r4'), cookie)).status).toBe(403);
    expect((await post('', { ...fields('https://x.example/r4'), csrf })).status).toBe(401);
    expect(await launches('https://x.example/r4')).toContain('not registered');
  });
});

describe('the file', () => {
  const file = join(folder, 'ehrs.json');
  const read = (text: string) => {
    writeFileSync(file, text);
    return readEhrsFile(file);
  };
  it('is read', () => {
    expect(read('{"ehrs":[{"fhirBase":"https://a.example/r4","clientId":"x","clientAuthentication":"none"}]}')).toEqual([{ fhirBase: 'https://a.example/r4', clientId: 'x', clientAuthentication: 'none' }]);
  });
  it.each([
    ['no JSON', `{"ehrs": [\n  ${' '.repeat(60)}oops, ${' '.repeat(60)}]}`, /ehrs\.json:2: not JSON/],
    ['a wrong element', '{"ehrs": [\n {"fhirBase": "https://a.example/r4",\n  "clientId": "x",\n  "clientAuthentication": "magic"}]}', /ehrs\.json:4: ehrs\.0\.clientAuthentication: [^]*private_key_jwt/],
    ['an element that is not known', '{"ehrs": [\n {"fhirBase": "https://a.example/r4",\n  "clientId": "x",\n  "clientid": "y"}]}', /there is no element clientid here/],
    ['a missing element', '{"ehrs": [\n {"fhirBase": "https://a.example/r4"}]}', /ehrs\.json:2: ehrs\.0\.clientId: /],
    ['the same EHR twice', '{"ehrs": [\n {"fhirBase": "https://a.example/r4", "clientId": "x"},\n {"fhirBase": "https://a.example/r4/", "clientId": "y"}]}', /ehrs\.json:3: ehrs\.1\.fhirBase: the same EHR as ehrs\.0/],
  ])('with %s says where', (_name, text, words) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'EHRS_FILE_INVALID', message: expect.stringMatching(words) as string }));
    expect(() => read(text)).toThrow(EhrsFileError);
  });
});
