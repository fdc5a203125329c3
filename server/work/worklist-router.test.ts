import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from 'kysely';
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

const post = async (browser: TestBrowser, path: string, body: unknown) => {
  const response = await browser.go(`/work/api${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
};

describe('the staff’s worklist', () => {
  it('shows the cases of the EHR and tells what happened', async () => {
    const panel = await TestPanel.launch(server);
    await panel.call('GET', '/questionnaires');
    const browser = await signIn();
    expect((await read(browser, '/session')).body).toEqual({ user: { reference: 'Practitioner/clinician-1', name: 'Helen Fairchild' } });
    const list = await read(browser, '/cases?state=&sort=&after=');
    expect(list.body).toMatchObject({
      rows: [{ patientName: 'Ada Example', serviceCode: 'E1390', state: 'questionnaire', mustAct: 'us', decision: null, clock: null, nextTouch: null, assignedTo: null }],
      next: null, found: { count: 1, more: false }, counts: { all: 1, states: { questionnaire: 1 }, mustAct: { us: 1, payer: 0, nobody: 0 }, wantsMore: 0, overdue: 0 }, outages: [],
    });
    const one = await read(browser, `/cases/${list.body.rows[0].caseId}`);
    expect(one.body.timeline).toEqual(expect.arrayContaining([expect.objectContaining({ action: 'case-opened', who: 'Helen Fairchild' }), expect.objectContaining({ action: 'panel-launched' })]));
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
    ['/cases?q=ada', 400],
    ['/cases?payer=a&payer=b', 400],
    ['/cases?colour=red', 400],
    ['/cases?touchDue=2026-13-01', 400],
    ['/cases?endsBy=soon', 400],
    ['/cases/nope', 404],
    ['/cases/0193f000-0000-7000-8000-000000000009', 404],
    ['/nope', 404],
  ])('%s: %s', async (path, status) => {
    expect(await read(await signIn(), path)).toMatchObject({ status, body: { error: { code: expect.any(String) } } });
  });

  it.each<[string, unknown, number]>([
    ['/cases/search', { q: 'x'.repeat(200) }, 400],
    ['/cases/search', { q: 'a\u0000' }, 400],
    ['/cases/search', { q: '\ud800' }, 400],
    ['/cases/search', [], 400],
    ['/cases/search', { q: 'x'.repeat(10_000) }, 413],
    ['/cases/export', { after: 'x' }, 400],
    ['/steps', { steps: [] }, 400],
    ['/steps', { steps: [{ caseId: 'x', action: { kind: 'hold' } }] }, 400],
    ['/steps', { steps: [{ caseId: '0193f000-0000-7000-8000-000000000009', action: { kind: 'approve' } }] }, 400],
    ['/steps', { steps: Array.from({ length: 201 }, () => ({ caseId: '0193f000-0000-7000-8000-000000000009', action: { kind: 'hold' } })) }, 400],
    ['/views', { name: ' ', shared: false, query: {} }, 400],
    ['/views', { name: 'x', shared: 'yes', query: {} }, 400],
    ['/views/nope/remove', {}, 404],
    ['/views/0193f000-0000-7000-8000-000000000009/remove', {}, 404],
    ['/cases/0193f000-0000-7000-8000-000000000009/notes', { kind: 'note', text: 'x' }, 404],
    ['/cases/nope/notes', { kind: 'note', text: 'x' }, 404],
    ['/cases/nope/use', { sequence: 1, quantity: 0, usedOn: '2026-11-22' }, 400],
    ['/cases/nope/use', { sequence: 1, quantity: 2, usedOn: '2026-11-22' }, 404],
    ['/cases/nope/decision', { items: [], learnedBy: 'fax' }, 400],
    ['/cases/nope/decision', { items: [{ kind: 'approved', sequence: 1 }], learnedBy: 'fax' }, 404],
    ['/cases/nope/notes', { kind: 'note', text: '' }, 400],
    ['/cases/nope/notes', { kind: 'call', text: 'x' }, 400],
  ])('bad input to %s (%#)', async (path, body, status) => {
    expect(await post(await signIn(), path, body)).toMatchObject({ status, body: { error: { code: expect.any(String) } } });
  });

  it('finds by words in any order, without case and accents, and by each filter', async () => {
    const browser = await signIn();
    const found = async (query: object) => (await post(browser, '/cases/search', query)).body.rows.length;
    expect([await found({ q: 'e139 ÁDA' }), await found({ q: 'nobody' }), await found({ q: "' | !x:*" })]).toEqual([1, 0, 0]);
    expect([await found({ payer: 'cascade-medicare', service: 'E1390', mustAct: 'us', state: 'questionnaire', clock: 'standard', assigned: 'nobody' }), await found({ payer: 'other' }), await found({ clock: 'expedited' })]).toEqual([1, 0, 0]);
    expect([await found({ overdue: 'true' }), await found({ wantsMore: 'true' }), await found({ handedOver: 'true' }), await found({ endsBy: 'any' }), await found({ sort: 'ends' }), await found({ sort: 'touch' })]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('sets the next touch and assigns, each with what takes it back; a refused step leaves the others', async () => {
    const [browser, other] = [await signIn(), await signIn()];
    const { caseId } = (await read(browser, '/cases')).body.rows[0];
    const me = { reference: 'Practitioner/clinician-1', name: 'ignored' };
    const { body } = await post(browser, '/steps', {
      steps: [
        { caseId, action: { kind: 'set-next-touch', on: '2026-11-30' } },
        { caseId, action: { kind: 'release' } },
        { caseId: '0193f000-0000-7000-8000-000000000009', action: { kind: 'hold' } },
        { caseId, action: { kind: 'assign', to: me } },
        { caseId, action: { kind: 'assign', to: { reference: 'Practitioner/stranger', name: 'Stranger' } } },
      ],
    });
    expect(body.results).toEqual([
      { kind: 'done', caseId, undo: { kind: 'set-next-touch', on: null } },
      expect.objectContaining({ kind: 'refused', caseId, code: 'CASE_STEP_NOT_ALLOWED' }),
      expect.objectContaining({ kind: 'refused', code: 'CASE_NOT_FOUND' }),
      { kind: 'done', caseId, undo: { kind: 'assign', to: null } },
      expect.objectContaining({ kind: 'refused', code: 'REQUEST_INVALID' }),
    ]);
    expect((await post(other, '/cases/search', { touchDue: '2026-11-30', assigned: me.reference })).body.rows).toMatchObject([{ nextTouch: '2026-11-30', assignedTo: { ...me, name: 'Helen Fairchild' } }]);
    expect((await post(other, '/cases/search', { touchDue: '2026-11-29' })).body.rows).toEqual([]);
    await post(browser, '/steps', { steps: [{ caseId, action: body.results[0].undo }] });
    expect((await post(other, '/cases/search', { sort: 'touch' })).body.rows).toEqual([]);
  });

  it('switches a case to by hand and back', async () => {
    const browser = await signIn();
    const { caseId } = (await read(browser, '/cases')).body.rows[0];
    const { body } = await post(browser, '/steps', { steps: [{ caseId, action: { kind: 'switch-to-manual', reference: 'FAX-7' } }] });
    expect(body.results).toEqual([{ kind: 'done', caseId, undo: { kind: 'switch-back' } }]);
    expect((await read(browser, `/cases/${caseId}`)).body).toMatchObject({ mustAct: 'us', case: { state: { kind: 'manual', reference: 'FAX-7' } } });
    expect((await post(browser, '/steps', { steps: [{ caseId, action: { kind: 'switch-back' } }] })).body.results).toEqual([{ kind: 'done', caseId, undo: { kind: 'switch-to-manual', reference: 'FAX-7' } }]);
  });

  it('keeps notes and calls with their author, newest first', async () => {
    const browser = await signIn();
    const { caseId } = (await read(browser, '/cases')).body.rows[0];
    await post(browser, `/cases/${caseId}/notes`, { kind: 'note', text: ' Chart asked for. ' });
    const call = { kind: 'call', withWhom: 'Ms. Ortiz, utilization management', outcome: 'In review until Friday', reference: 'C-99' };
    expect((await post(browser, `/cases/${caseId}/notes`, call)).status).toBe(201);
    expect((await read(browser, `/cases/${caseId}`)).body.notes).toMatchObject([{ note: call, by: { name: 'Helen Fairchild' } }, { note: { kind: 'note', text: 'Chart asked for.' } }]);
  });

  it('keeps views; only who made one may remove it', async () => {
    const browser = await signIn();
    const query = { state: 'questionnaire', sort: 'updated' };
    const saved = await post(browser, '/views', { name: 'Open forms', shared: true, query });
    expect(saved).toMatchObject({ status: 201, body: { name: 'Open forms', mine: true, query } });
    await server.store.db.withTables<{ 'cases.worklist_view': { owner: string } }>().updateTable('cases.worklist_view').set({ owner: 'Practitioner/other' }).execute();
    expect((await read(browser, '/views')).body.views).toMatchObject([{ name: 'Open forms', mine: false }]);
    expect((await post(browser, `/views/${saved.body.id}/remove`, {})).status).toBe(404);
    expect((await post(browser, '/views', { name: 'Open forms', shared: false, query })).body.id).not.toBe(saved.body.id);
    expect((await read(browser, '/views')).body.views).toHaveLength(2);
  });

  it('tells a second reader of a change', async () => {
    const [browser, other] = [await signIn(), await signIn()];
    const { caseId } = (await read(browser, '/cases')).body.rows[0];
    const stop = new AbortController();
    const events = await other.go('/work/api/events', { signal: stop.signal });
    expect(events.headers.get('content-type')).toContain('text/event-stream');
    const reader = events.body?.getReader();
    let heard = '';
    const listening = (async () => {
      while (!heard.includes('event: changed')) heard += new TextDecoder().decode((await reader?.read())?.value);
    })();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await post(browser, '/steps', { steps: [{ caseId, action: { kind: 'set-next-touch', on: '2026-12-01' } }] });
    await listening;
    expect(heard).not.toContain('Ada');
    stop.abort();
  });

  it('exports the view, with formulas made harmless, and writes down who took it', async () => {
    const browser = await signIn();
    const { caseId } = (await read(browser, '/cases')).body.rows[0];
    await post(browser, `/steps`, { steps: [{ caseId, action: { kind: 'assign', to: { reference: 'Practitioner/clinician-1', name: 'x' } } }] });
    await sql`update cases.worklist_row set assigned_name = '=HYPERLINK("http://x";"y")'`.execute(server.store.db);
    const response = await browser.go('/work/api/cases/export', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ q: 'ada' }) });
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const lines = (await response.text()).split('\r\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toContain('Ada Example');
    expect(lines[1]).toContain(`"'=HYPERLINK(""http://x"";""y"")"`);
    const { rows } = await sql<{ resource: string }>`select resource::text as resource from audit.event where action = 'worklist-exported'`.execute(server.store.db);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.resource).toContain('Patient/patient-1');
    expect(rows[0]?.resource).not.toContain('ada');
  });

  it('tells what waits for a payer that cannot be reached', async () => {
    const { caseId } = (await read(await signIn(), '/cases')).body.rows[0];
    const browser = await signIn();
    await sql`insert into pas.submission (id, case_id, payer_id, submitted_by, bundle_identifier, claim_identifier, keys, bundle, status, queued_at, next_at, last_error)
      values (gen_random_uuid(), ${caseId}, 'cascade-medicare', 'x', 'b', 'c', '{}', '', 'queued', '2026-11-22T08:00:00Z', '2026-11-22T09:00:00Z', 'HTTP 503')`.execute(server.store.db);
    await sql`insert into pas.payer_line (payer_id, failures, down_since, next_try_at) values ('cascade-medicare', 5, '2026-11-22T08:01:00Z', '2026-11-22T09:00:00Z')`.execute(server.store.db);
    const line = { payerId: 'cascade-medicare', payerName: expect.stringContaining('Cascade'), waiting: 1, oldestQueuedAt: '2026-11-22T08:00:00.000Z' };
    expect((await read(browser, '/cases')).body.outages).toMatchObject([{ ...line, line: 'down', nextTryAt: '2026-11-22T09:00:00.000Z' }]);
    expect((await post(browser, '/payers/cascade-medicare/pause', { note: 'By fax today' })).status).toBe(200);
    expect((await read(browser, '/cases')).body.outages).toMatchObject([{ ...line, line: 'paused', paused: { by: 'Helen Fairchild', note: 'By fax today' } }]);
    expect((await post(browser, '/payers/cascade-medicare/resume', {})).status).toBe(200);
    expect((await post(browser, '/payers/nobody/pause', { note: '' })).status).toBe(422);
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
