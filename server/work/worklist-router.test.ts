import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, TestBrowser, TestPanel, type TestServer } from '#test-fixtures/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

async function signIn(): Promise<TestBrowser> {
  const browser = new TestBrowser(server.baseUrl);
  const { response } = await browser.signIn('/work/login');
  expect(response.headers.get('location')).toBe('/work/');
  return browser;
}
const read = async (browser: TestBrowser, path: string) => {
  const response = await browser.go(`/work/api${path}`);
  return { status: response.status, body: await response.json() };
};

describe('the staff’s worklist', () => {
  it('shows the cases of the EHR and tells what happened', async () => {
    const panel = await TestPanel.launch(server);
    await panel.call('GET', '/questionnaires');
    const browser = await signIn();
    expect((await read(browser, '/session')).body).toEqual({ user: { reference: 'Practitioner/clinician-1', name: 'Helen Fairchild' } });
    const list = await read(browser, '/cases?state=&q=&sort=&after=');
    expect(list.body).toMatchObject({ rows: [{ patientName: 'Ada Example', serviceCode: 'E1390', state: 'questionnaire', decision: null, clock: null }], next: null, counts: { questionnaire: 1 } });
    const one = await read(browser, `/cases/${list.body.rows[0].caseId}`);
    expect(one.body.timeline.map(({ what }: { what: string }) => what)).toEqual(expect.arrayContaining(['Case opened', 'Panel opened']));
  });

  it('tells who is not signed in where to go', async () => {
    for (const path of ['/session', '/cases', '/cases/0193f000-0000-7000-8000-000000000009']) {
      expect(await read(new TestBrowser(server.baseUrl), path)).toMatchObject({ status: 401, body: { error: { code: 'SESSION_EXPIRED', nextStep: expect.stringContaining('/work/login') } } });
    }
  });

  it('takes no panel session for a member of staff', async () => {
    const panel = await TestPanel.launch(server);
    const browser = new TestBrowser(server.baseUrl);
    browser.setCookie('work_session', `${panel.sessionId}.${panel.browser.cookie(`panel_${panel.sessionId}`)}`);
    expect((await read(browser, '/cases')).status).toBe(401);
  });

  it('does not show another EHR’s case', async () => {
    const { rows } = (await read(await signIn(), '/cases')).body;
    const moved = server.store.db.withTables<{ 'cases.prior_auth_case': { id: string; document: unknown } }>();
    const { document } = await moved.selectFrom('cases.prior_auth_case').select('document').where('id', '=', rows[0].caseId).executeTakeFirstOrThrow();
    const set = (value: unknown) => moved.updateTable('cases.prior_auth_case').set({ document: JSON.stringify(value) }).where('id', '=', rows[0].caseId).execute();
    await set({ ...(document as object), ehrBase: 'https://other.example/fhir' });
    expect((await read(await signIn(), `/cases/${rows[0].caseId}`)).status).toBe(404);
    await set(document);
  });

  it.each([
    ['/cases?state=nope', 400],
    ['/cases?sort=nope', 400],
    ['/cases?after=nope', 400],
    ['/cases?q=a&q=b', 400],
    [`/cases?q=${'x'.repeat(200)}`, 400],
    ['/cases/nope', 404],
    ['/cases/0193f000-0000-7000-8000-000000000009', 404],
    ['/nope', 404],
  ])('%s: %s', async (path, status) => {
    expect(await read(await signIn(), path)).toMatchObject({ status, body: { error: { code: expect.any(String) } } });
  });

  it('signs out', async () => {
    const browser = await signIn();
    expect((await browser.go('/work/api/session/close', { method: 'POST' })).status).toBe(415);
    expect((await browser.go('/work/api/session/close', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })).status).toBe(200);
    expect((await read(browser, '/session')).status).toBe(401);
  });

  it('asks who it is after signing out, though the EHR still knows', async () => {
    const promptOf = async (path: string) => new URL((await new TestBrowser(server.baseUrl).go(path)).headers.get('location') ?? '').searchParams.get('prompt');
    expect(await promptOf('/work/login')).toBeNull();
    expect(await promptOf('/work/login?again')).toBe('login');
  });

  it('refuses a replayed sign-in', async () => {
    const browser = new TestBrowser(server.baseUrl);
    const { callback } = await browser.signIn('/work/login');
    expect((await browser.go(callback)).status).toBe(400);
  });
});
