import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, TEST_FORM, TestBrowser, TestPanel, type TestServer } from '#test-fixtures/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describe('from launch to a queued request', () => {
  it('goes the whole way, once', async () => {
    const panel = await TestPanel.launch(server);
    const session = await panel.call('GET', '/session');
    expect(session.body).toMatchObject({ user: { reference: 'Practitioner/clinician-1', name: 'Helen Fairchild' }, needPatientBanner: false });

    const opened = await panel.call('GET', '/case');
    expect(opened.body.case).toMatchObject({ state: { kind: 'questionnaire' }, payer: { id: 'cascade-medicare' }, service: { order: 'DeviceRequest/order-1' }, patient: { id: 'patient-1' } });
    expect(opened.body.clock).toBeNull();

    const [listed, again] = await Promise.all([panel.call('GET', '/questionnaires'), panel.call('GET', '/questionnaires')]);
    expect(listed.body.forms).toHaveLength(1);
    expect(again.body.forms[0]?.formId).toBe(TEST_FORM);
    expect(server.payerCalls).toEqual(['$questionnaire-package']);
    expect(listed.body.forms[0]?.population.status).toBe('not-started');

    const populated = await panel.call('POST', '/questionnaires/populate', { formId: TEST_FORM });
    expect(populated.body.form).toMatchObject({ version: 2, population: { status: 'done' } });
    expect(JSON.stringify(populated.body.form.response.item)).toContain('female');

    const tooEarly = await panel.call('POST', '/pas-bundle/submit', { caseVersion: (await panel.call('GET', '/case')).body.case.version });
    expect(tooEarly).toMatchObject({ status: 409, body: { error: { code: 'CASE_STEP_NOT_ALLOWED', nextStep: expect.stringContaining('forms') } } });

    const { response, version } = populated.body.form;
    const incomplete = await panel.call('POST', '/questionnaires/complete', { formId: TEST_FORM, version, response });
    expect(incomplete).toMatchObject({ status: 422, body: { error: { code: 'QUESTIONNAIRE_INCOMPLETE', message: expect.stringContaining('mobile') } } });

    const answered = { ...response, item: [...(response.item ?? []).filter(({ linkId }) => linkId !== 'mobile'), { linkId: 'mobile', answer: [{ valueBoolean: true }] }] };
    const saved = await panel.call('PUT', '/questionnaires/save', { formId: TEST_FORM, version, response: { ...answered, subject: { reference: 'Patient/patient-2' } } });
    expect(saved.body.form).toMatchObject({ version: 3, response: { status: 'in-progress', subject: { reference: 'Patient/patient-1' } } });
    const conflict = await panel.call('PUT', '/questionnaires/save', { formId: TEST_FORM, version, response: answered });
    expect(conflict).toMatchObject({ status: 409, body: { error: { code: 'FORM_CHANGED', current: { version: 3 } } } });

    const completed = await panel.call('POST', '/questionnaires/complete', { formId: TEST_FORM, version: 3, response: saved.body.form.response });
    expect(completed.body).toMatchObject({ case: { state: { kind: 'ready' } }, form: { version: 4, response: { status: 'completed' } } });
    expect(server.ehr.calls.filter((call) => call === 'POST QuestionnaireResponse')).toHaveLength(1);

    const preview = await panel.call('GET', '/pas-bundle/preview');
    expect(preview.body).toMatchObject({ problems: [] });

    const caseVersion = completed.body.case.version;
    const stale = await panel.call('POST', '/pas-bundle/submit', { caseVersion: caseVersion - 1 });
    expect(stale).toMatchObject({ status: 409, body: { error: { code: 'CASE_CONFLICT' } } });
    const clicks = await Promise.all([1, 2, 3].map(() => panel.call('POST', '/pas-bundle/submit', { caseVersion })));
    for (const click of clicks) expect(click).toMatchObject({ status: 200, body: { case: { state: { kind: 'queued' } } } });
    const submissions = await server.store.db.withTables<{ 'pas.submission': { case_id: string } }>().selectFrom('pas.submission').selectAll().execute();
    expect(submissions).toHaveLength(1);

    const late = await panel.call('PUT', '/questionnaires/save', { formId: TEST_FORM, version: 4, response: saved.body.form.response });
    expect(late).toMatchObject({ status: 409, body: { error: { code: 'CASE_STEP_NOT_ALLOWED' } } });

    const relaunched = await TestPanel.launch(server);
    expect((await relaunched.call('GET', '/case')).body.case.id).toBe(opened.body.case.id);
  });

  it('keeps the completed form when the EHR does not take it, and says so', async () => {
    const panel = await TestPanel.launch(server, { patient: 'patient-1', fhirContext: ['DeviceRequest/order-2'] });
    const [form] = (await panel.call('GET', '/questionnaires')).body.forms;
    server.ehr.behaviour.refuseWrites = true;
    const completed = await panel.call('POST', '/questionnaires/complete', { formId: form?.formId, version: form?.version, response: { ...form?.response, item: [{ linkId: 'mobile', answer: [{ valueBoolean: false }] }] } });
    server.ehr.behaviour.refuseWrites = false;
    expect(completed).toMatchObject({ status: 200, body: { case: { state: { kind: 'ready' } }, form: { population: { warnings: [expect.stringContaining('kept here')] } } } });
  });
});

describe('record entries', () => {
  it('shows one in labelled lines', async () => {
    const panel = await TestPanel.launch(server);
    const source = await panel.call('GET', '/source?reference=Observation/saturation');
    expect(source.body.summary).toContainEqual({ label: 'Value', value: '86 %' });
  });

  it.each(['Observation/of-other', 'Patient/patient-2', 'Observation/none'])('does not show %s', async (reference) => {
    const panel = await TestPanel.launch(server);
    expect(await panel.call('GET', `/source?reference=${reference}`)).toMatchObject({ status: 404, body: { error: { code: 'SOURCE_NOT_FOUND' } } });
  });
});

describe('a session', () => {
  it('ends when closed', async () => {
    const panel = await TestPanel.launch(server);
    expect((await panel.call('POST', '/session/close', {})).status).toBe(200);
    expect(panel.browser.cookie(`panel_${panel.sessionId}`)).toBeUndefined();
    expect((await panel.call('GET', '/case')).status).toBe(401);
  });

  it('renews its token once for many calls, and ends after a shift', async () => {
    const panel = await TestPanel.launch(server);
    server.clock.offsetMs += 2 * 3_600_000;
    const before = server.ehr.calls.filter((call) => call === 'token refresh_token').length;
    const answers = await Promise.all([1, 2, 3].map(() => panel.call('GET', '/source?reference=Condition/copd')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(server.ehr.calls.filter((call) => call === 'token refresh_token').length).toBe(before + 1);
    server.clock.offsetMs += 8 * 3_600_000;
    expect(await panel.call('GET', '/session')).toMatchObject({ status: 401, body: { error: { code: 'SESSION_EXPIRED', nextStep: expect.any(String) } } });
    server.clock.offsetMs = 0;
  });

  it('ends with its token when the EHR gives no refresh token', async () => {
    server.ehr.behaviour.refreshTokens = false;
    const panel = await TestPanel.launch(server);
    server.ehr.behaviour.refreshTokens = true;
    server.clock.offsetMs = 3_601_000;
    expect((await panel.call('GET', '/session')).status).toBe(401);
    server.clock.offsetMs = 0;
  });

  it('keeps tokens sealed: no token text is in the store', async () => {
    await TestPanel.launch(server);
    const rows = await server.store.db.withTables<{ 'panel.session': { sealed: string } }>().selectFrom('panel.session').select('sealed').execute();
    for (const { sealed } of rows) expect(Buffer.from(sealed, 'base64').toString('utf8')).not.toContain('accessToken');
  });
});

describe('what is refused', () => {
  it.each([
    ['no header', { 'x-panel-session': '' }],
    ['a header that is no id', { 'x-panel-session': 'nonsense' }],
    ['a forged id', { 'x-panel-session': '0193f000-0000-7000-8000-000000000009' }],
  ])('%s: 401', async (_what, headers) => {
    const panel = await TestPanel.launch(server);
    expect(await panel.call('GET', '/session', undefined, headers)).toMatchObject({ status: 401, body: { error: { code: 'SESSION_EXPIRED', nextStep: expect.any(String) } } });
  });

  it('the header of one session with the cookie of another: 401', async () => {
    const mine = await TestPanel.launch(server);
    const theirs = await TestPanel.launch(server);
    const forged = new TestBrowser(server.baseUrl);
    forged.setCookie(`panel_${theirs.sessionId}`, mine.browser.cookie(`panel_${mine.sessionId}`) ?? '');
    expect((await new TestPanel(forged, theirs.sessionId).call('GET', '/case')).status).toBe(401);
    expect((await new TestPanel(mine.browser, theirs.sessionId).call('GET', '/case')).status).toBe(401);
  });

  const empty = { resourceType: 'QuestionnaireResponse' };
  it.each([
    ['junk JSON', 'PUT', '/questionnaires/save', '{"formId":', {}, 400],
    ['a list', 'POST', '/questionnaires/populate', '[]', {}, 400],
    ['no body', 'POST', '/questionnaires/populate', '', {}, 400],
    ['a wrong type', 'POST', '/pas-bundle/submit', { caseVersion: 'one' }, {}, 400],
    ['a field missing', 'POST', '/questionnaires/populate', {}, {}, 400],
    ['items that are no list', 'PUT', '/questionnaires/save', { formId: TEST_FORM, version: 1, response: { ...empty, item: 'x' } }, {}, 400],
    ['an answer that is no object', 'PUT', '/questionnaires/save', { formId: TEST_FORM, version: 1, response: { ...empty, item: [{ linkId: 'a', answer: [1] }] } }, {}, 400],
    ['an item without linkId', 'PUT', '/questionnaires/save', { formId: TEST_FORM, version: 1, response: { ...empty, item: [{}] } }, {}, 400],
    ['another content type', 'POST', '/questionnaires/populate', 'formId=x', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['too much', 'POST', '/questionnaires/populate', { formId: 'x'.repeat(1_100_000) }, {}, 413],
    ['too large a form', 'PUT', '/questionnaires/save', { formId: 'x'.repeat(2_200_000) }, {}, 413],
    ['a reference that leaves the EHR', 'GET', '/source?reference=https://evil.example/Observation/1', undefined, {}, 400],
    ['a reference of two', 'GET', '/source?reference=Observation/1&reference=Observation/2', undefined, {}, 400],
    ['an unknown form', 'POST', '/questionnaires/populate', { formId: 'nope' }, {}, 404],
    ['an unknown address', 'GET', '/nope', undefined, {}, 404],
  ])('%s', async (_what, method, path, body, headers, status) => {
    const panel = await TestPanel.launch(server, { patient: 'patient-1', fhirContext: ['DeviceRequest/order-2'] });
    await panel.call('GET', '/questionnaires');
    const answer = await panel.call(method, path, body, headers);
    expect(answer.status).toBe(status);
    expect(answer.body.error).toMatchObject({ code: expect.any(String), message: expect.any(String) });
    expect(JSON.stringify(answer.body)).not.toMatch(/\bat .*\.ts/);
  });

  it('nesting without end', async () => {
    const panel = await TestPanel.launch(server, { patient: 'patient-1', fhirContext: ['DeviceRequest/order-2'] });
    await panel.call('GET', '/questionnaires');
    const deep = '{"linkId":"a","item":['.repeat(20_000) + ']}'.repeat(20_000);
    const answer = await panel.call('PUT', '/questionnaires/save', `{"formId":"${TEST_FORM}","version":1,"response":{"resourceType":"QuestionnaireResponse","item":[${deep}]}}`);
    expect(answer.status).toBe(400);
  });
});
