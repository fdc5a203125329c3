import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SAMPLE_LAUNCH, startTestServer, TestBrowser, TestPanel, type TestServer } from '#test-fixtures/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const launchAddress = (context: Readonly<Record<string, unknown>> = SAMPLE_LAUNCH) => `/panel/launch?iss=${encodeURIComponent(server.ehr.base)}&launch=${server.ehr.launch(context)}`;

/** Status and words of an error page, after what holds for every one of them. */
async function errorPage(response: Response): Promise<{ readonly status: number; readonly text: string }> {
  const text = await response.text();
  expect(response.headers.get('content-type')).toContain('text/html');
  expect(text).toContain('<html lang="en">');
  expect(text).toContain('What to do');
  expect(text).not.toMatch(/\.ts:|at .*\(/);
  return { status: response.status, text };
}
const refusal = (status: number, words: RegExp) => ({ status, text: expect.stringMatching(words) as string });

describe('leaving for the EHR', () => {
  it('asks with PKCE S256, a state of its own and the launch', async () => {
    const leaving = await new TestBrowser(server.baseUrl).go(launchAddress());
    const asked = new URL(leaving.headers.get('location') ?? '').searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({ response_type: 'code', client_id: 'panel', aud: server.ehr.base, redirect_uri: `${server.baseUrl}/panel/callback`, code_challenge_method: 'S256' });
    expect(asked.get('scope')).toBe('openid fhirUser launch patient/*.rs patient/QuestionnaireResponse.cu offline_access');
    expect(asked.get('state')?.length).toBeGreaterThanOrEqual(22);
    const [cookie] = leaving.headers.getSetCookie();
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Lax/);
  });

  it('takes nothing else from the address', async () => {
    const leaving = await new TestBrowser(server.baseUrl).go(`${launchAddress()}&clientId=evil&patientId=other&scope=all&redirect_uri=https://evil.example`);
    const asked = new URL(leaving.headers.get('location') ?? '').searchParams;
    expect(asked.get('client_id')).toBe('panel');
    expect(asked.get('redirect_uri')).toBe(`${server.baseUrl}/panel/callback`);
  });

  it.each([
    ['an iss that is not registered', 'iss=https%3A%2F%2Fevil.example%2Ffhir&launch=x', /not registered/],
    ['no launch', 'iss=https%3A%2F%2Fevil.example%2Ffhir', /only from inside the EHR/],
    ['no iss', 'launch=x', /only from inside the EHR/],
    ['an iss that is no address', 'iss=%3Cscript%3E&launch=x', /only from inside the EHR/],
    ['iss twice', 'iss=https://a.example&iss=https://b.example&launch=x', /only from inside the EHR/],
  ])('%s: 400', async (_what, query, words) => {
    expect(await errorPage(await new TestBrowser(server.baseUrl).go(`/panel/launch?${query}`))).toEqual(refusal(400, words));
  });
});

describe('coming back', () => {
  it('gives each chart its own session and cookie', async () => {
    const browser = new TestBrowser(server.baseUrl);
    const [first, second] = [await TestPanel.launch(server, SAMPLE_LAUNCH, browser), await TestPanel.launch(server, SAMPLE_LAUNCH, browser)];
    expect(first.sessionId).not.toBe(second.sessionId);
    expect((await first.call('GET', '/session')).status).toBe(200);
    expect((await second.call('GET', '/session')).status).toBe(200);
  });

  it('once only: the same callback again is refused', async () => {
    const browser = new TestBrowser(server.baseUrl);
    const { callback } = await browser.signIn(launchAddress());
    expect(await errorPage(await browser.go(callback))).toEqual(refusal(400, /used before/));
  });

  it('a replayed callback with the cookie kept is refused too', async () => {
    const browser = new TestBrowser(server.baseUrl);
    const authorize = (await browser.go(launchAddress())).headers.get('location') ?? '';
    const callback = (await browser.go(authorize)).headers.get('location') ?? '';
    const kept = await fetch(callback, { redirect: 'manual' });
    expect(await errorPage(kept)).toEqual(refusal(400, /another browser/));
    expect((await browser.go(callback)).status).toBe(302);
    expect(await errorPage(await browser.go(callback))).toEqual(refusal(400, /used before/));
  });

  it('from another browser is refused', async () => {
    const authorize = (await new TestBrowser(server.baseUrl).go(launchAddress())).headers.get('location') ?? '';
    const callback = (await fetch(authorize, { redirect: 'manual' })).headers.get('location') ?? '';
    expect(await errorPage(await new TestBrowser(server.baseUrl).go(callback))).toEqual(refusal(400, /another browser/));
  });

  it('with a code of another sign-in is refused', async () => {
    const browser = new TestBrowser(server.baseUrl);
    const callbacks = [];
    for (const _ of [1, 2]) {
      const authorize = (await browser.go(launchAddress())).headers.get('location') ?? '';
      callbacks.push(new URL((await browser.go(authorize)).headers.get('location') ?? ''));
    }
    const [first, second] = callbacks;
    second?.searchParams.set('code', first?.searchParams.get('code') ?? '');
    expect(await errorPage(await browser.go(second?.href ?? ''))).toEqual(refusal(400, /refused the sign-in/));
  });

  it('too late is refused', async () => {
    const browser = new TestBrowser(server.baseUrl);
    const authorize = (await browser.go(launchAddress())).headers.get('location') ?? '';
    const callback = (await browser.go(authorize)).headers.get('location') ?? '';
    server.clock.offsetMs = 11 * 60_000;
    expect(await errorPage(await browser.go(callback))).toEqual(refusal(400, /too old/));
    server.clock.offsetMs = 0;
  });

  it('denied says what to do', async () => {
    server.ehr.behaviour.deny = true;
    const { response } = await new TestBrowser(server.baseUrl).signIn(launchAddress());
    server.ehr.behaviour.deny = false;
    expect(await errorPage(response)).toEqual(refusal(400, /did not allow/));
  });

  it('with an id token for another client is refused', async () => {
    server.ehr.behaviour.idTokenAudience = 'someone-else';
    const { response } = await new TestBrowser(server.baseUrl).signIn(launchAddress());
    delete server.ehr.behaviour.idTokenAudience;
    expect(await errorPage(response)).toEqual(refusal(400, /could not be verified/));
  });

  it.each([
    ['no patient', { fhirContext: [{ reference: 'DeviceRequest/order-1' }] }, 400, /no patient/],
    ['an order of another patient', { patient: 'patient-1', fhirContext: [{ reference: 'DeviceRequest/order-of-other' }] }, 422, /does not belong/],
    ['an order that is gone', { patient: 'patient-1', fhirContext: [{ reference: 'DeviceRequest/none' }] }, 404, /not in the EHR/],
    ['an order without an answer of the payer', { patient: 'patient-1', fhirContext: [{ reference: 'DeviceRequest/order-unsigned' }] }, 422, /no answer of the payer/],
  ])('%s', async (_what, context, status, words) => {
    const { response } = await new TestBrowser(server.baseUrl).signIn(launchAddress(context));
    expect(await errorPage(response)).toEqual(refusal(status, words));
  });

  it.each(['', '?state=a', '?code=b', '?state=a&code=b', '?error=x%3Cscript%3E'])('a callback that nobody began: %s', async (query) => {
    const response = await new TestBrowser(server.baseUrl).go(`/panel/callback${query}`);
    expect(response.status).toBe(400);
    expect(await response.text()).not.toContain('<script>');
  });
});

it('publishes the payers it is made for', async () => {
  const answer = await new TestBrowser(server.baseUrl).go('/panel/supported-payers');
  expect(await answer.json()).toEqual({ payers: [{ id: 'cascade-medicare', name: 'Cascade Medicare Administrative Contractor (synthetic)' }] });
});

it('answers a flood of sign-ins with 429', async () => {
  const statuses = [];
  for (let request = 0; request < 301; request += 1) statuses.push((await fetch(`${server.baseUrl}/work/callback`)).status);
  expect(statuses.at(0)).toBe(400);
  expect(statuses.at(-1)).toBe(429);
});
