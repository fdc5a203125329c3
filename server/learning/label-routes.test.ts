import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, TestBrowser, TestPanel, type TestServer } from '#test-fixtures/test-server.ts';
import { createCasePort } from '../store/case-answers.ts';
import { createCaseStore } from '../store/cases.ts';

let server: TestServer;
let browser: TestBrowser;
let caseId: string;
const today = new Date().toISOString().slice(0, 10);
beforeAll(async () => {
  server = await startTestServer();
  const panel = await TestPanel.launch(server);
  await panel.call('GET', '/questionnaires');
  browser = new TestBrowser(server.baseUrl);
  await browser.signIn('/work/login');
  caseId = (await call('GET', '/cases')).body.rows[0].caseId;
  const cases = createCaseStore(server.store, Date.now, () => 'UTC');
  const now = new Date().toISOString();
  await server.store.transaction((trx) => cases.change(trx, caseId, { expectedVersion: null, who: 'x', change: () => ({ state: { kind: 'ready' } }) }));
  await server.store.transaction((trx) => cases.change(trx, caseId, { expectedVersion: null, who: 'x', change: () => ({ state: { kind: 'queued', queuedAt: now, attempts: 0 } }) }));
  const decision = { decidedAt: now, items: [{ sequence: 1, decision: { kind: 'denied', reasonCodes: ['50'], explanation: [] } }], overall: 'denied', errors: [] } as const;
  await server.store.transaction((trx) => createCasePort(cases, Date.now, () => true).recordAnswer(trx, caseId, { kind: 'decided', submittedAt: now, decision }, 'latest'));
});
afterAll(() => server.close());

async function call(method: 'GET' | 'POST', path: string, body?: unknown, who = browser) {
  const response = await who.go(`/work/api${path}`, { method, ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: typeof body === 'string' ? body : JSON.stringify(body) }) });
  return { status: response.status, body: await response.json() };
}

describe('what staff say of a decision', () => {
  it.each<[string, string, unknown, number]>([
    ['no JSON', 'appeal-result', '{', 400],
    ['no result', 'appeal-result', { sequence: 1, decidedOn: today, why: 'x' }, 400],
    ['another result', 'appeal-result', { sequence: 1, result: 'won', decidedOn: today, why: 'x' }, 400],
    ['no such day', 'appeal-result', { sequence: 1, result: 'upheld', decidedOn: '2026-02-30', why: 'x' }, 400],
    ['a day before the denial', 'appeal-result', { sequence: 1, result: 'upheld', decidedOn: '2001-02-03', why: 'x' }, 400],
    ['no reason', 'appeal-result', { sequence: 1, result: 'upheld', decidedOn: today, why: '  ' }, 400],
    ['an item that nobody asked for', 'appeal-result', { sequence: 9, result: 'upheld', decidedOn: today, why: 'x' }, 400],
    ['more than is asked', 'label-override', { sequence: 1, label: 'denied', why: 'x', by: 'Practitioner/other' }, 400],
    ['another label', 'label-override', { sequence: 1, label: 'overturned', why: 'x' }, 400],
    ['no reason', 'label-override', { sequence: 1, label: 'excluded' }, 400],
    ['far too many words', 'label-override', { sequence: 1, label: 'excluded', why: 'x'.repeat(20_000) }, 413],
  ])('%s', async (_what, path, body, status) => {
    expect(await call('POST', `/cases/${caseId}/${path}`, body)).toMatchObject({ status, body: { error: { code: expect.any(String) } } });
    expect((await call('GET', `/cases/${caseId}/labels`)).body.labels).toHaveLength(1);
  });

  it('is taken from nobody who is not signed in, and for no case that is not there', async () => {
    const stranger = new TestBrowser(server.baseUrl);
    for (const [method, path] of [['GET', 'labels'], ['POST', 'appeal-result'], ['POST', 'label-override']] as const) {
      const body = method === 'GET' ? undefined : { sequence: 1, label: 'excluded', result: 'upheld', decidedOn: today, why: 'x' };
      expect((await call(method, `/cases/${caseId}/${path}`, body, stranger)).status).toBe(401);
    }
    expect((await call('POST', '/cases/0193f000-0000-7000-8000-000000000009/label-override', { sequence: 1, label: 'excluded', why: 'x' })).status).toBe(404);
  });

  it('becomes versions of the label, with who and why, on the case’s timeline', async () => {
    expect((await call('POST', `/cases/${caseId}/appeal-result`, { sequence: 1, result: 'overturned', decidedOn: today, why: 'Second reader agreed.' })).status).toBe(201);
    expect((await call('POST', `/cases/${caseId}/label-override`, { sequence: 1, label: 'excluded', why: 'Sent twice.' })).status).toBe(201);
    expect((await call('GET', `/cases/${caseId}/labels`)).body.labels).toMatchObject([
      { version: 1, cause: 'decision', label: 'denied', recordedBy: 'payer', learned: false, simulated: true },
      { version: 2, cause: 'appeal', label: 'overturned', recordedBy: 'Helen Fairchild', why: 'Second reader agreed.' },
      { version: 3, cause: 'override', label: 'excluded', recordedBy: 'Helen Fairchild', why: 'Sent twice.', learned: false },
    ]);
    const { timeline } = (await call('GET', `/cases/${caseId}`)).body;
    expect(timeline.map(({ action }: { readonly action: string }) => action)).toEqual(expect.arrayContaining(['appeal-recorded', 'label-overridden']));
  });
});
