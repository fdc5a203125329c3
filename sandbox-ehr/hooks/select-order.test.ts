import type { DeviceRequest } from '@medplum/fhirtypes';
import express from 'express';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunningSandboxEhr, runSandboxEhr } from '#test-fixtures/running-sandbox-ehr.ts';

interface Called { readonly hook: string; readonly context: { readonly selections?: readonly string[]; readonly draftOrders: { readonly entry: readonly { readonly resource: DeviceRequest }[] } } }
interface Reply { readonly order: string; readonly cards: readonly { readonly uuid: string; readonly service: string }[]; readonly written: readonly string[]; readonly removed: readonly string[]; readonly failure?: unknown }

let ehr: RunningSandboxEhr;
let cookie: string;
const calls: Called[] = [];
const feedback: unknown[] = [];
const topic = (code: string) => ({ label: 'Payer', topic: { code } });
const risk = { uuid: 'risk', summary: 'Denial risk', indicator: 'info', source: topic('denial-risk') };
const guideline = (uuid: string) => ({ uuid, summary: 'Guideline', indicator: 'info', source: topic('guideline') });
/** Cards of each hook, and the actions of the one suggestion that order-select makes. */
let answers: { select: readonly object[]; sign: readonly object[]; status: number };
let actions: (order: DeviceRequest) => readonly object[];

beforeAll(async () => {
  ehr = await runSandboxEhr({}, (app) => {
    app.use('/cds-services', express.json());
    app.get('/cds-services', (_request, response) => void response.json({ services: ['select', 'sign'].map((name) => ({ hook: `order-${name}`, id: `order-${name}-crd`, description: 'x' })) }));
    app.post('/cds-services/order-:name-crd', (request, response) => {
      calls.push(request.body);
      const { order } = { order: (request.body as Called).context.draftOrders.entry[0]?.resource as DeviceRequest };
      const cards = request.params.name === 'sign' ? answers.sign : [...answers.select, { uuid: 'instead', summary: 'Another device', indicator: 'info', source: topic('therapy-alternatives'), suggestions: [{ uuid: 'take', label: 'Use it', actions: actions(order) }] }];
      response.status(answers.status).json({ cards });
    });
    app.post('/cds-services/order-:name-crd/feedback', (request, response) => {
      feedback.push([request.params.name, request.body]);
      response.json({});
    });
  });
  cookie = await ehr.login();
});
afterAll(() => ehr.stop());
beforeEach(() => {
  calls.length = 0;
  answers = { select: [risk, guideline('g1')], sign: [guideline('g2')], status: 200 };
  actions = () => [];
});

async function ui(path: string, body?: unknown) {
  const response = await fetch(`${ehr.baseUrl}/ehr/ui${path}`, { method: body === undefined ? 'GET' : 'POST', headers: { cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return { status: response.status, body: (await response.json()) as Reply };
}
const stored = async (reference: string) => (await fetch(`${ehr.fhirBase}/${reference}`, { headers: { cookie } })).status;
const select = (more: object = {}) => ui('/patients/pat-oxygen/orders/select', { catalogId: 'e1390', ...more });
const accept = (order: string, suggestionUuid = 'take') => ui('/patients/pat-oxygen/suggestions/accept', { order, cardUuid: 'instead', suggestionUuid });

describe('an order that is being written', () => {
  it('is told to order-select and kept nowhere', async () => {
    const { status, body } = await select();
    expect([status, body.cards.map(({ uuid, service }) => [uuid, service])]).toEqual([200, [['risk', 'order-select-crd'], ['g1', 'order-select-crd'], ['instead', 'order-select-crd']]]);
    expect(calls).toMatchObject([{ hook: 'order-select', context: { selections: [body.order], draftOrders: { entry: [{ resource: { status: 'draft', subject: { reference: 'Patient/pat-oxygen' } } }] } } }]);
    expect(await stored(body.order)).toBe(404);
  });

  it('keeps its id until it is signed, and the cards that signing does not repeat', async () => {
    const { order } = (await select()).body;
    const id = order.split('/')[1];
    expect((await select({ id, quantity: 3 })).body.order).toBe(order);
    expect((await ui('/patients/pat-oxygen/orders', { catalogId: 'e1390', id })).body.order).toBe(order);
    const signed = await ui('/orders/sign', { order });
    expect(signed.body.cards.map(({ uuid, service }) => `${service} ${uuid}`)).toEqual(['order-sign-crd g2', 'order-select-crd risk', 'order-select-crd instead']);
    for (const again of [await select({ id }), await ui('/patients/pat-oxygen/orders', { catalogId: 'e1390', id })]) expect(again).toMatchObject({ status: 409, body: { error: { code: 'ORDER_ALREADY_WRITTEN' } } });
  });

  it('a service that fails is told as a failure, and nothing stops', async () => {
    answers = { ...answers, status: 500 };
    expect(await select()).toMatchObject({ status: 200, body: { cards: [], failure: { message: expect.stringContaining('500') } } });
  });
});

describe('a suggestion', () => {
  it('is done whole, and the service is told', async () => {
    actions = (order) => [
      { type: 'delete', description: 'x', resourceId: `DeviceRequest/${order.id}` },
      { type: 'create', description: 'y', resource: { ...order, codeCodeableConcept: { text: 'another' } } },
    ];
    const { order } = (await select()).body;
    const { status, body } = await accept(order);
    expect([status, body.removed, body.written.length]).toEqual([200, [order], 1]);
    expect(await stored(body.written[0] ?? '')).toBe(200);
    expect(feedback.at(-1)).toMatchObject(['select', { feedback: [{ card: 'instead', outcome: 'accepted', acceptedSuggestions: [{ id: 'take' }] }] }]);
  });

  it.each<[string, (order: DeviceRequest) => readonly object[]]>([
    ["another patient's record", (order) => [{ type: 'create', resource: { ...order, subject: { reference: 'Patient/pat-mri' } } }]],
    ['a resource that is none', () => [{ type: 'create', resource: { resourceType: 'Nothing' } }]],
    ['deleting a patient', () => [{ type: 'delete', resourceId: 'Patient/pat-oxygen' }]],
    ['an unknown kind of action', () => [{ type: 'burn', resourceId: 'DeviceRequest/x' }]],
    ['one good and one bad action', (order) => [{ type: 'create', resource: { ...order, id: 'half-done' } }, { type: 'create', resource: {} }]],
  ])('is refused: %s', async (_name, does) => {
    actions = does;
    const { order } = (await select()).body;
    expect(await accept(order)).toMatchObject({ status: 422, body: { error: { code: 'SUGGESTION_NOT_POSSIBLE', nextStep: expect.any(String) } } });
    expect(await stored('DeviceRequest/half-done')).toBe(404);
  });

  it('is taken once, whatever is asked about the order afterwards', async () => {
    actions = (order) => [{ type: 'create', description: 'y', resource: { ...order, codeCodeableConcept: { text: 'another' } } }];
    const suggesting = (uuid: string, label: string) => ({ uuid, summary: 'Another device', indicator: 'info', source: topic('therapy-alternatives'), suggestions: [{ uuid: `${uuid}-take`, label, actions: [] }] });
    answers = { ...answers, sign: [suggesting('again', 'Use it'), suggesting('other', 'Use that')] };
    const before = feedback.length;
    const { order } = (await select()).body;
    const id = order.split('/')[1];
    expect((await accept(order)).status).toBe(200);
    expect(await accept(order)).toMatchObject({ status: 404, body: { error: { code: 'SUGGESTION_NOT_FOUND', message: expect.stringContaining('already') } } });
    expect((await select({ id, quantity: 3 })).body.cards.at(-1)).toMatchObject({ uuid: 'instead', suggestions: [{ label: 'Use it', accepted: true }] });
    await ui('/patients/pat-oxygen/orders', { catalogId: 'e1390', id });
    const { cards } = (await ui('/orders/sign', { order })).body;
    expect(cards).toMatchObject([{ uuid: 'again', suggestions: [{ label: 'Use it', accepted: true }] }, { uuid: 'other', suggestions: [{ label: 'Use that' }] }, { uuid: 'risk' }, { uuid: 'g1' }]);
    expect(JSON.stringify(cards[1])).not.toContain('accepted');
    for (const [cardUuid, status] of [['again', 404], ['other', 200]] as const) expect((await ui('/patients/pat-oxygen/suggestions/accept', { order, cardUuid, suggestionUuid: `${cardUuid}-take` })).status).toBe(status);
    expect(feedback.length - before).toBe(2);
  });

  it('that is not done stays on offer', async () => {
    actions = () => [{ type: 'burn', resourceId: 'DeviceRequest/x' }];
    const { order } = (await select()).body;
    for (const _time of [1, 2]) expect((await accept(order)).status).toBe(422);
  });

  it('pressed twice at once is done once', async () => {
    actions = (order) => [{ type: 'create', description: 'y', resource: { ...order, codeCodeableConcept: { text: 'another' } } }];
    const { order } = (await select()).body;
    expect(new Set((await Promise.all([accept(order), accept(order)])).map(({ status }) => status))).toEqual(new Set([200, 404]));
  });

  it('that is not kept is not found', async () => {
    expect(await accept('DeviceRequest/none')).toMatchObject({ status: 404, body: { error: { code: 'SUGGESTION_NOT_FOUND' } } });
    const { order } = (await select()).body;
    expect((await accept(order, 'other')).status).toBe(404);
  });
});
