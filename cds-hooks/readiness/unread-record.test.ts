import { afterAll, beforeAll, expect, it } from 'vitest';
import { readRequirement } from '#prior-auth/coverage-requirement/read-requirement.ts';
import { type HookReply, runCdsHooks, type RunningCdsHooks } from '../../test-fixtures/running-cds-hooks.ts';

/* That the record does not show something is one thing, that it could not be read another: no card may say the first of the second. */

let service: RunningCdsHooks;
beforeAll(async () => {
  service = await runCdsHooks({
    model: { score: async () => ({ probability: 0.6, band: 'high', reasons: [{ feature: 'criteria_unknown_count', text: '3 of 3 payer criteria not found in the record', contribution: 1, says: { code: 'criteria-unknown', count: 3, total: 3 } }], modelVersion: 'test', simulated: true }) },
  });
});
afterAll(() => service.stop());

// Cardiac MRI: its policy offers an echocardiogram where the record shows none.
const order = { resourceType: 'ServiceRequest', id: 's1', status: 'draft', intent: 'order', code: { coding: [{ system: 'http://www.ama-assn.org/go/cpt', code: '75561' }] }, subject: { reference: 'Patient/p1' }, requester: { reference: 'Practitioner/u1' }, authoredOn: '2026-11-22' };
const bundle = (...resources: readonly object[]) => ({ resourceType: 'Bundle', type: 'searchset', entry: resources.map((resource) => ({ resource })) });
const coverage = { resourceType: 'Coverage', id: 'c1', status: 'active', beneficiary: { reference: 'Patient/p1' }, payor: [{ display: 'Medicare' }] };
const CHART = ['conditions', 'observations', 'procedures', 'reports', 'documents', 'medicationHistory'];
const ask = (hook: 'order-sign' | 'order-select', chart: object): Promise<HookReply> =>
  service.post(`${hook}-crd`, {
    hook, hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea', context: { userId: 'Practitioner/u1', patientId: 'p1', draftOrders: bundle(order), ...(hook === 'order-select' ? { selections: ['ServiceRequest/s1'] } : {}) },
    prefetch: { patient: { resourceType: 'Patient', id: 'p1' }, coverage: bundle(coverage), ...chart },
  });
const empty = Object.fromEntries(CHART.map((key) => [key, null]));
const details = ({ cards }: HookReply) => cards.map(({ summary, detail }) => `${summary}\n${detail}`).join('\n');
const topics = ({ cards }: HookReply) => cards.map(({ source }) => source.topic.code);
const reasons = (reply: HookReply) => reply.systemActions.flatMap(({ resource }) => readRequirement(resource as never)).flatMap((each) => each.reasons);

it('what the record does not show is asked for', async () => {
  const reply = await ask('order-sign', empty);
  expect(details(reply)).toMatch(/The record shows no echocardiogram/);
  expect(details(reply)).toMatch(/Not found in the record: [^]*Find or document: /);
  expect(topics(reply)).toContain('denial-risk');
});

it('what could not be read is said to be unchecked, in every card, and nothing is offered for its want', async () => {
  const reply = await ask('order-sign', {});
  expect(details(reply)).not.toMatch(/shows no|not found in the record|Find or document/i);
  expect(details(reply)).toMatch(/payer criteria not checked: the record could not be read[^]*Not checked, the record could not be read: [^]*Look in the chart, it could not be read from here: /);
  expect(JSON.stringify(reply.cards.map(({ extension }) => extension['org.openpriorauth.denial-risk']))).toContain('"unread":true');
  expect(reasons(reply)).toContainEqual(expect.stringMatching(/^Not checked, because it could not be read from the record: /));
});

it('a part that could not be read is unchecked, the rest is not', async () => {
  const { reports: _unread, ...rest } = empty;
  expect(details(await ask('order-sign', rest))).toMatch(/Not checked, the record could not be read: /);
});

it('at a secondary hook no documents are asked for', async () => {
  const text = details(await ask('order-select', empty));
  expect(text).toMatch(/What to do[^]*See whether the chart has it: /);
  expect(text).not.toMatch(/document:/);
});
