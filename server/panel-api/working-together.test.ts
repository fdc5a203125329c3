import { inflateSync } from 'node:zlib';
import type { QuestionnaireResponse, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FormView, HandOver, PanelReplies } from '#prior-auth/panel-api.ts';
import { PANEL_SESSION_HEADER } from '#prior-auth/panel-api.ts';
import type { WorklistPage } from '#prior-auth/worklist-api.ts';
import { SAMPLE_LAUNCH, startTestServer, TEST_FORM, TestBrowser, TestPanel, type TestServer } from '#test-fixtures/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ehr.resources.set('Practitioner/nurse-1', { resourceType: 'Practitioner', id: 'nurse-1', name: [{ family: 'Łukasiewicz', given: ['Żaneta'] }] });
  server.ehr.resources.set('PractitionerRole/desk', { resourceType: 'PractitionerRole', id: 'desk', code: [{ text: 'Authorization desk' }] });
});
afterAll(() => server.close());
beforeEach(() => {
  server.ehr.behaviour.refuseWrites = false;
  delete server.ehr.behaviour.refusedType;
});

/** A new order of the same patient, so that tests do not meet. */
let orders = 0;
function newOrder(): Readonly<Record<string, unknown>> {
  orders += 1;
  const order = server.ehr.resources.get('DeviceRequest/order-1');
  if (order?.resourceType !== 'DeviceRequest') throw new Error('the sample record has no order');
  server.ehr.resources.set(`DeviceRequest/shared-${orders}`, { ...order, id: `shared-${orders}` });
  return { ...SAMPLE_LAUNCH, fhirContext: [{ reference: `DeviceRequest/shared-${orders}` }, { reference: 'Coverage/coverage-1' }] };
}
async function launchAs(user: string, context: Readonly<Record<string, unknown>>): Promise<TestPanel> {
  server.ehr.behaviour.idToken = { fhirUser: `${server.ehr.base}/${user}` };
  const panel = await TestPanel.launch(server, context);
  server.ehr.behaviour.idToken = {};
  return panel;
}
async function formOf(panel: TestPanel): Promise<FormView> {
  const [form] = (await panel.call('GET', '/questionnaires')).body.forms;
  if (!form) throw new Error('no form');
  return form;
}
const withAnswer = (response: QuestionnaireResponse, linkId: string, value: object): QuestionnaireResponse => ({ ...response, item: [...(response.item ?? []).filter((item) => item.linkId !== linkId), { linkId, answer: [value] }] });
const save = (panel: TestPanel, { version, response }: FormView, linkId: string, value: object, more = {}) => panel.call('PUT', '/questionnaires/save', { formId: TEST_FORM, version, response: withAnswer(response, linkId, value), ...more });
const copyOf = (order: string): QuestionnaireResponse | undefined =>
  [...server.ehr.resources.values()].find((one): one is QuestionnaireResponse => one.resourceType === 'QuestionnaireResponse' && JSON.stringify(one.extension).includes(`"${order}"`));
const thisOrder = () => `DeviceRequest/shared-${orders}`;
const copyWith = (text: string) => vi.waitFor(() => {
  const copy = copyOf(thisOrder());
  expect(JSON.stringify(copy?.item ?? [])).toContain(text);
  return copy as QuestionnaireResponse;
}, { timeout: 3000, interval: 20 });
const inEhr = (copy: QuestionnaireResponse, linkId: string, value: object): void =>
  void server.ehr.resources.set(`QuestionnaireResponse/${copy.id}`, { ...withAnswer(copy, linkId, value), author: { reference: 'Practitioner/elsewhere', display: 'Elsewhere' }, meta: { ...copy.meta, versionId: String(Number(copy.meta?.versionId) + 1) } });
const valueOf = (response: QuestionnaireResponse, linkId: string) => response.item?.find((item) => item.linkId === linkId)?.answer?.[0];

describe('one form, two people', () => {
  it.each([['the clinician first', 0], ['the nurse first', 1]])('the later save is told of the earlier one and gets it: %s', async (_what, first) => {
    const context = newOrder();
    const people = [await launchAs('Practitioner/clinician-1', context), await launchAs('Practitioner/nurse-1', context)] as const;
    const [early, late] = first === 0 ? people : [people[1], people[0]] as const;
    const [mine, theirs] = [await formOf(early), await formOf(late)];
    expect(mine.version).toBe(theirs.version);
    expect((await save(early, mine, 'born', { valueString: 'early' })).status).toBe(200);
    const refused = await save(late, theirs, 'mobile', { valueBoolean: true });
    expect(refused).toMatchObject({ status: 409, body: { error: { code: 'FORM_CHANGED', nextStep: expect.any(String), current: { version: mine.version + 1, saved: { by: { reference: expect.any(String) } } } } } });
    const current = refused.body.error.current;
    if (!current) throw new Error('no current form');
    expect(valueOf(current.response, 'born')).toMatchObject({ valueString: 'early' });
    const merged = await save(late, current, 'mobile', { valueBoolean: true });
    expect(merged.status).toBe(200);
    expect(valueOf((await formOf(early)).response, 'mobile')).toMatchObject({ valueBoolean: true });
    await copyWith('mobile');
  });

  it('of two saves at once one is kept and one is told', async () => {
    const context = newOrder();
    const [a, b] = [await launchAs('Practitioner/clinician-1', context), await launchAs('Practitioner/nurse-1', context)];
    const form = await formOf(a);
    const answers = await Promise.all([save(a, form, 'born', { valueString: 'a' }), save(b, form, 'born', { valueString: 'b' })]);
    expect(answers.map(({ status }) => status)).toEqual(expect.arrayContaining([200, 409]));
  });
});

describe('the EHR’s copy', () => {
  it('is made by the first save and updated by the next, at the version that was read', async () => {
    const panel = await launchAs('Practitioner/clinician-1', newOrder());
    const saved = await save(panel, await formOf(panel), 'born', { valueString: 'one' });
    expect((await copyWith('one')).status).toBe('in-progress');
    await save(panel, saved.body.form, 'born', { valueString: 'two' });
    const copy = await copyWith('two');
    expect(copy.meta?.versionId).toBe('2');
    expect(copy.subject?.reference).toBe('Patient/patient-1');
  });

  it('changed by someone else elsewhere is read at the next opening', async () => {
    const panel = await launchAs('Practitioner/clinician-1', newOrder());
    await save(panel, await formOf(panel), 'born', { valueString: 'one' });
    inEhr(await copyWith('one'), 'mobile', { valueBoolean: false });
    const again = await formOf(panel);
    expect(valueOf(again.response, 'mobile')).toMatchObject({ valueBoolean: false });
    expect(valueOf(again.response, 'born')).toMatchObject({ valueString: 'one' });
    expect(again.saved?.by.name).toBe('Elsewhere');
  });

  it('answers 412 to a save: both sides’ answers are kept', async () => {
    const panel = await launchAs('Practitioner/clinician-1', newOrder());
    const { form } = (await save(panel, await formOf(panel), 'born', { valueString: 'one' })).body;
    inEhr(await copyWith('one'), 'mobile', { valueBoolean: false });
    expect((await save(panel, form, 'born', { valueString: 'two' })).status).toBe(200);
    const copy = await copyWith('two');
    expect(server.ehr.calls).toContain('412 QuestionnaireResponse');
    expect(valueOf(copy, 'mobile')).toMatchObject({ valueBoolean: false });
    expect(valueOf((await formOf(panel)).response, 'mobile')).toMatchObject({ valueBoolean: false });
  });

  it('contradicts ours: a person decides, nothing is overwritten before', async () => {
    const panel = await launchAs('Practitioner/clinician-1', newOrder());
    const { form } = (await save(panel, await formOf(panel), 'born', { valueString: 'one' })).body;
    inEhr(await copyWith('one'), 'born', { valueString: 'theirs' });
    await save(panel, form, 'born', { valueString: 'mine' });
    const open = await vi.waitFor(async () => {
      const now = await formOf(panel);
      expect(now.unsettled).toBeDefined();
      return now;
    });
    expect(valueOf(open.response, 'born')).toMatchObject({ valueString: 'mine' });
    expect(open.unsettled && valueOf(open.unsettled.theirs, 'born')).toMatchObject({ valueString: 'theirs' });
    expect(JSON.stringify(copyOf(thisOrder())?.item)).toContain('theirs');
    const settled = await save(panel, open, 'born', { valueString: 'mine' }, { settled: true });
    expect(settled.body.form.unsettled).toBeUndefined();
    await copyWith('mine');
  });

  it('begun by another app for this order is taken up', async () => {
    const context = newOrder();
    server.ehr.resources.set(`QuestionnaireResponse/foreign-${orders}`, {
      resourceType: 'QuestionnaireResponse', id: `foreign-${orders}`, meta: { versionId: '7' }, status: 'in-progress', questionnaire: TEST_FORM, subject: { reference: 'Patient/patient-1' },
      extension: [{ url: 'http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/qr-context', valueReference: { reference: thisOrder() } }, { url: 'https://other.example/kept', valueString: 'theirs' }],
      item: [{ linkId: 'mobile', answer: [{ valueBoolean: true }] }],
    });
    const panel = await launchAs('Practitioner/clinician-1', { ...context, fhirContext: [{ reference: `QuestionnaireResponse/foreign-${orders}` }] });
    const form = await formOf(panel);
    expect(valueOf(form.response, 'mobile')).toMatchObject({ valueBoolean: true });
    await save(panel, form, 'born', { valueString: 'more' });
    expect((await copyWith('more')).extension).toContainEqual({ url: 'https://other.example/kept', valueString: 'theirs' });
    expect([...server.ehr.resources.values()].filter((one) => one.resourceType === 'QuestionnaireResponse' && JSON.stringify(one.extension).includes(`"${thisOrder()}"`))).toHaveLength(1);
  });

  it('marked there as a mistake stays so, and the form gets another copy', async () => {
    const panel = await launchAs('Practitioner/clinician-1', newOrder());
    const { form } = (await save(panel, await formOf(panel), 'born', { valueString: 'one' })).body;
    const copy = await copyWith('one');
    server.ehr.resources.set(`QuestionnaireResponse/${copy.id}`, { ...copy, status: 'entered-in-error', meta: { versionId: '5' } });
    await save(panel, form, 'born', { valueString: 'two' });
    const copies = await vi.waitFor(() => {
      const all = [...server.ehr.resources.values()].filter((one): one is QuestionnaireResponse => one.resourceType === 'QuestionnaireResponse' && JSON.stringify(one.extension).includes(`"${thisOrder()}"`));
      expect(all).toHaveLength(2);
      return all;
    }, { timeout: 3000, interval: 20 });
    expect(copies.map(({ status }) => status)).toEqual(['entered-in-error', 'in-progress']);
  });

  it('of another patient is never taken', async () => {
    const context = newOrder();
    server.ehr.resources.set(`QuestionnaireResponse/strange-${orders}`, {
      resourceType: 'QuestionnaireResponse', id: `strange-${orders}`, status: 'in-progress', questionnaire: TEST_FORM, subject: { reference: 'Patient/patient-2' }, source: { reference: 'Patient/patient-1' },
      extension: [{ url: 'http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/qr-context', valueReference: { reference: thisOrder() } }],
      item: [{ linkId: 'mobile', answer: [{ valueBoolean: true }] }],
    });
    expect(valueOf((await formOf(await launchAs('Practitioner/clinician-1', context))).response, 'mobile')).toBeUndefined();
  });

  it('refused: the draft is kept here, that is said once, and the EHR is not asked again', async () => {
    const panel = await launchAs('Practitioner/clinician-1', newOrder());
    server.ehr.behaviour.refusedType = 'QuestionnaireResponse';
    const { form } = (await save(panel, await formOf(panel), 'born', { valueString: 'one' })).body;
    const said = await vi.waitFor(async () => {
      const now = await formOf(panel);
      expect(now.population.warnings).toContainEqual(expect.stringContaining('kept here'));
      return now;
    });
    delete server.ehr.behaviour.refusedType;
    await save(panel, { ...form, version: said.version }, 'born', { valueString: 'two' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await formOf(panel)).population.warnings.filter((warning) => warning.includes('kept here'))).toHaveLength(1);
    expect(copyOf(thisOrder())).toBeUndefined();
    expect(valueOf((await formOf(panel)).response, 'born')).toMatchObject({ valueString: 'two' });
  });
});

const taskOf = (handOver: HandOver | null): Task => {
  const task = server.ehr.resources.get(handOver?.task ?? '');
  if (task?.resourceType !== 'Task') throw new Error('no Task in the EHR');
  return task;
};
type Reply = { readonly status: number; readonly body: PanelReplies['readHandOver'] & PanelReplies['listColleagues'] & { readonly error?: { readonly code: string } } };
const ask = async (panel: TestPanel, method: string, path: string, body?: unknown): Promise<Reply> => (await panel.call(method, path, body)) as unknown as Reply;

describe('a hand-over', () => {
  it('lives as a Task: ready, moved to another person, taken over, completed with the form', async () => {
    const context = newOrder();
    const panel = await launchAs('Practitioner/clinician-1', context);
    const form = await formOf(panel);
    expect((await ask(panel, 'GET', '/hand-over')).body.handOver).toBeNull();
    const { colleagues } = (await ask(panel, 'GET', '/colleagues?q=')).body;
    expect(colleagues).toEqual(expect.arrayContaining([{ reference: 'Practitioner/nurse-1', name: 'Żaneta Łukasiewicz' }, { reference: 'PractitionerRole/desk', name: 'Authorization desk', role: 'Authorization desk' }]));
    expect(colleagues.map(({ reference }) => reference)).not.toContain('Practitioner/clinician-1');
    expect((await ask(panel, 'GET', '/colleagues?q=łukas')).body.colleagues.map(({ reference }) => reference)).toEqual(['Practitioner/nurse-1']);

    const handed = await ask(panel, 'POST', '/hand-over', { to: 'PractitionerRole/desk', note: 'Please ask the family.' });
    const task = taskOf(handed.body.handOver);
    expect(task).toMatchObject({
      status: 'ready', intent: 'order', for: { reference: 'Patient/patient-1' }, basedOn: [{ reference: thisOrder() }], owner: { reference: 'PractitionerRole/desk' }, requester: { reference: 'Practitioner/clinician-1' },
      code: { coding: [{ code: 'complete-questionnaire' }] }, description: expect.stringContaining('Is the patient mobile at home?'),
    });
    expect(task.focus?.reference).toBe(`QuestionnaireResponse/${copyOf(thisOrder())?.id}`);
    expect(task.input).toContainEqual(expect.objectContaining({ valueCanonical: TEST_FORM }));

    const moved = await ask(panel, 'POST', '/hand-over', { to: 'Practitioner/nurse-1', note: '' });
    expect(moved.body.handOver?.task).toBe(handed.body.handOver?.task);
    expect(taskOf(moved.body.handOver).owner?.reference).toBe('Practitioner/nurse-1');

    const nurse = await launchAs('Practitioner/nurse-1', { ...context, fhirContext: [{ reference: `Task/${task.id}` }] });
    expect((await nurse.call('GET', '/case')).body.case.service.order).toBe(thisOrder());
    expect((await ask(nurse, 'GET', '/hand-over')).body.handOver).toMatchObject({ status: 'requested', by: { name: 'Helen Fairchild' }, missing: [{ questions: ['Is the patient mobile at home?'] }] });
    const taken = await ask(nurse, 'POST', '/hand-over/take', {});
    expect(taskOf(taken.body.handOver)).toMatchObject({ status: 'in-progress', owner: { reference: 'Practitioner/nurse-1' } });

    const { response, version } = await formOf(nurse);
    const statement = 'I have looked through these answers.';
    const done = await nurse.call('POST', '/questionnaires/complete', { formId: TEST_FORM, version, response: withAnswer(response, 'mobile', { valueBoolean: true }), statement });
    expect(done.body).toMatchObject({ form: { attestation: { by: { reference: 'Practitioner/nurse-1' }, statement } }, case: { state: { kind: 'ready' } } });
    expect(taskOf(taken.body.handOver).status).toBe('completed');
    const actions = (await server.store.db.withTables<{ 'audit.event': { action: string; case_id: string } }>().selectFrom('audit.event').select('action').where('case_id', '=', done.body.case.id).execute()).map(({ action }) => action);
    expect(actions).toEqual(expect.arrayContaining(['handed-over', 'hand-over-taken', 'hand-over-completed', 'questionnaire-attested']));
    expect(form.attestation).toBeUndefined();
  });

  it('is marked and found in the worklist', async () => {
    const panel = await launchAs('Practitioner/clinician-1', newOrder());
    await formOf(panel);
    await ask(panel, 'POST', '/hand-over', { to: 'Practitioner/nurse-1', note: '' });
    const { caseId } = (await panel.call('GET', '/session')).body as unknown as { readonly caseId: string };
    const staff = new TestBrowser(server.baseUrl);
    await staff.signIn('/work/login');
    const list = (await (await staff.go('/work/api/cases?handedOver=true')).json()) as WorklistPage;
    expect(list.rows.find((row) => row.caseId === caseId)?.handedOver).toMatchObject({ by: 'Helen Fairchild', to: 'Żaneta Łukasiewicz' });
    expect(list.rows.every(({ handedOver }) => handedOver !== undefined)).toBe(true);
    expect(list.found.count).toBe(list.rows.length);
    await ask(panel, 'POST', '/hand-over/cancel', {});
    const after = (await (await staff.go('/work/api/cases')).json()) as WorklistPage;
    expect(after.rows.find((row) => row.caseId === caseId)?.handedOver).toBeUndefined();
  });

  it('can be undone, and what a colleague does to the Task in the EHR is seen', async () => {
    const panel = await launchAs('Practitioner/clinician-1', newOrder());
    await formOf(panel);
    const { handOver } = (await ask(panel, 'POST', '/hand-over', { to: 'Practitioner/nurse-1', note: '' })).body;
    const task = taskOf(handOver);
    server.ehr.resources.set(`Task/${task.id}`, { ...task, status: 'accepted', meta: { versionId: '9' } });
    expect((await ask(panel, 'GET', '/hand-over')).body.handOver?.status).toBe('in-progress');
    expect((await ask(panel, 'POST', '/hand-over/cancel', {})).body.handOver?.status).toBe('cancelled');
    expect(taskOf(handOver).status).toBe('cancelled');
    expect(await ask(panel, 'POST', '/hand-over/take', {})).toMatchObject({ status: 404, body: { error: { code: 'HAND_OVER_NOT_FOUND' } } });
  });

  it('is kept here when the EHR takes no Task', async () => {
    const panel = await launchAs('Practitioner/clinician-1', newOrder());
    await formOf(panel);
    server.ehr.behaviour.refusedType = 'Task';
    const handed = await ask(panel, 'POST', '/hand-over', { to: 'Practitioner/nurse-1', note: '' });
    expect(handed).toMatchObject({ status: 200, body: { handOver: { status: 'requested', task: null } } });
    expect((await ask(panel, 'GET', '/hand-over')).body.handOver?.to.name).toBe('Żaneta Łukasiewicz');
  });

  it.each([
    ['somebody unknown', { to: 'Practitioner/nobody', note: '' }], ['a patient', { to: 'Patient/patient-2', note: '' }], ['another server’s', { to: 'https://evil.example/Practitioner/1', note: '' }],
    ['nobody', { note: '' }], ['a note that is too long', { to: 'Practitioner/nurse-1', note: 'x'.repeat(2001) }],
  ])('to %s is refused', async (_what, body) => {
    const panel = await launchAs('Practitioner/clinician-1', newOrder());
    expect(await ask(panel, 'POST', '/hand-over', body)).toMatchObject({ status: 400, body: { error: { code: 'REQUEST_INVALID' } } });
  });
});

describe('the packet on paper', () => {
  it('has order, coverage, patient, provider, each answer with its origin, attestation and case number; a long one numbers its pages', async () => {
    const panel = await launchAs('Practitioner/nurse-1', newOrder());
    const { response, version } = await formOf(panel);
    const long = Array.from({ length: 400 }, (_none, index) => `line ${index} Świętosława`).join('\n');
    const answered = withAnswer(withAnswer(response, 'mobile', { valueBoolean: true, extension: manual('Practitioner/nurse-1') }), 'born', { valueString: long, extension: manual('Practitioner/nurse-1') });
    const completed = await panel.call('POST', '/questionnaires/complete', { formId: TEST_FORM, version, response: answered, statement: 'I stand for these answers.' });
    expect(completed.status).toBe(200);
    const { case: ofCase } = (await panel.call('GET', '/case')).body;

    const packet = await panel.call('GET', '/packet');
    expect(JSON.stringify(packet.body)).toContain('I stand for these answers.');
    const pdf = await panel.browser.go('/panel/api/packet.pdf', { headers: { [PANEL_SESSION_HEADER]: panel.sessionId } });
    expect(pdf).toMatchObject({ status: 200 });
    expect(pdf.headers.get('content-type')).toBe('application/pdf');
    const pages = readPdf(Buffer.from(await pdf.arrayBuffer()));
    const text = pages.join('\n');
    for (const words of [ofCase.id, ofCase.patient.name, ofCase.payer.name, ofCase.service.display, 'Is the patient mobile at home?', 'Yes', 'Entered by Żaneta Łukasiewicz', 'I stand for these answers.', 'Świętosława', 'line 399', 'Member number', 'NPI']) expect(text).toContain(words);
    expect(pages.length).toBeGreaterThan(5);
    for (const [index, page] of pages.entries()) {
      expect(page).toContain(ofCase.patient.name);
      expect(page).toContain(`page ${index + 1} of ${pages.length}`);
    }
    expect(text).not.toContain('Olga');
    const printed = await server.store.db.withTables<{ 'audit.event': { action: string; case_id: string } }>().selectFrom('audit.event').selectAll().where('action', '=', 'packet-printed').where('case_id', '=', ofCase.id).execute();
    expect(printed).toHaveLength(2);
  });

  it('needs a session', async () => {
    const panel = await launchAs('Practitioner/nurse-1', newOrder());
    expect((await panel.browser.go('/panel/api/packet.pdf')).status).toBe(401);
  });
});

const manual = (reference: string) => [{ url: 'http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/information-origin', extension: [{ url: 'source', valueCode: 'manual' }, { url: 'author', extension: [{ url: 'practitioner', valueReference: { reference } }] }] }];

/** The text of each page, by the fonts' own ToUnicode maps (ISO 32000-1 §9.10.3). */
function readPdf(pdf: Buffer): string[] {
  const objects = new Map<string, { readonly head: string; readonly stream: Buffer | undefined }>();
  const raw = pdf.toString('latin1');
  for (const match of raw.matchAll(/(\d+) 0 obj\n([\s\S]*?)endobj/g)) {
    const [, id = '', body = ''] = match;
    const [head = '', rest] = body.split(/stream\n/, 2);
    const bytes = rest === undefined ? undefined : Buffer.from(rest.slice(0, rest.lastIndexOf('\nendstream')), 'latin1');
    objects.set(id, { head, stream: bytes && (head.includes('FlateDecode') ? inflateSync(bytes) : bytes) });
  }
  const streamOf = (id: string | undefined): string => objects.get(id ?? '')?.stream?.toString('latin1') ?? '';
  const mapOf = (font: string): Map<string, string> => {
    const map = new Map<string, string>();
    const cmap = streamOf(/\/ToUnicode (\d+) 0 R/.exec(objects.get(font)?.head ?? '')?.[1]);
    for (const [, from = '', , list = ''] of cmap.matchAll(/<([0-9a-f]{4})> <([0-9a-f]{4})> \[([^\]]*)\]/gi)) {
      for (const [index, [, hex = '']] of [...list.matchAll(/<([0-9a-f ]*)>/gi)].entries()) map.set((parseInt(from, 16) + index).toString(16).padStart(4, '0'), Buffer.from(hex.replace(/ /g, ''), 'hex').swap16().toString('utf16le'));
    }
    return map;
  };
  const fonts = new Map<string, Map<string, string>>();
  for (const { head } of objects.values()) for (const [, name = '', id = ''] of head.matchAll(/\/(F\d+) (\d+) 0 R/g)) if (!fonts.has(name)) fonts.set(name, mapOf(id));
  return [...objects.values()].filter(({ head }) => /\/Type \/Page\n/.test(head)).map(({ head }) => {
    let font = new Map<string, string>();
    let text = '';
    for (const [, name, shown] of streamOf(/\/Contents (\d+) 0 R/.exec(head)?.[1]).matchAll(/\/(F\d+) [\d.]+ Tf|\[(<[^\]]*)\] TJ/g)) {
      if (name) font = fonts.get(name) ?? font;
      else text += `${[...(shown ?? '').matchAll(/<([0-9a-f]+)>/gi)].flatMap(([, hex = '']) => hex.toLowerCase().match(/.{4}/g) ?? []).map((code) => font.get(code) ?? '?').join('')} `;
    }
    return text.replace(/ +/g, ' ');
  });
}
