import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenForestSession, openForestSession } from '#models/serve/forest-session.ts';
import { createLiveModel, type LiveModel, type LiveModelOptions } from '#models/serve/live-model.ts';
import { shippedModel } from '#models/serve/shipped-model.ts';
import { changingSource, variant } from '#test-fixtures/model-variants.ts';
import { type RunningCdsHooks, runCdsHooks } from '../../test-fixtures/running-cds-hooks.ts';

const NO_FAULT = (): void => undefined;
/** Checks itself well at the start; what it says afterwards is up to `then`. */
const failing = (then: (answers: ArrayLike<number>) => Promise<ArrayLike<number>>): OpenForestSession => async (onnx, threads) => {
  const session = await openForestSession(onnx, threads);
  let checked = false;
  return {
    async run(rows, width) {
      const answers = await session.run(rows, width);
      if (checked) return then(answers);
      checked = true;
      return answers;
    },
    release: () => session.release(),
  };
};
const FAULTS: readonly (readonly [string, Partial<LiveModelOptions>])[] = [
  ['missing', { shipped: () => Promise.reject(new Error('ENOENT')) }],
  ['truncated', { shipped: async () => { const shipped = await shippedModel(); return { ...shipped, onnx: shipped.onnx.subarray(0, 500) }; } }],
  ['of another feature list', { shipped: () => variant((file) => ({ features: [...file.features].reverse() })) }],
  ['throwing', { openSession: failing(() => Promise.reject(new Error('the runtime fails'))) }],
  ['without a number', { openSession: failing(async (answers) => Array.from(answers, () => Number.NaN)) }],
  ['taking five seconds', { openSession: failing(async (answers) => wait(5_000, answers, { ref: false })) }],
  ['read from a registry that is away', { shipped: () => Promise.reject(new Error('ENOENT')), source: (() => { const source = changingSource(); source.becomes(new Error('away')); return source; })() }],
];

describe('a hook', () => {
  let model: LiveModel;
  let service: RunningCdsHooks;
  beforeAll(async () => {
    service = await runCdsHooks({ model: { score: (facts, context) => model.score(facts, context) } });
  });
  afterAll(() => service.stop());

  const bundle = (...resources: readonly object[]) => ({ resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ resource })) });
  const subject = { reference: 'Patient/p1' };
  const call = (id: string) => service.post('order-sign-crd', {
    hook: 'order-sign', hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea',
    context: { userId: 'Practitioner/u1', patientId: 'p1', draftOrders: bundle({ resourceType: 'DeviceRequest', id, status: 'draft', intent: 'order', authoredOn: '2026-11-22', requester: { reference: 'Practitioner/u1' }, subject, codeCodeableConcept: { coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'E1390' }] } }) },
    prefetch: { patient: { resourceType: 'Patient', id: 'p1' }, coverage: bundle({ resourceType: 'Coverage', id: 'c1', status: 'active', beneficiary: subject, payor: [{ display: 'Centers for Medicare and Medicaid Services' }] }), conditions: null, observations: null, procedures: null, reports: null, documents: null, medications: null },
  });
  const answered = async (more: Partial<LiveModelOptions>) => {
    model = await createLiveModel({ shipped: shippedModel, now: Date.now, onFault: NO_FAULT, ...more });
    try {
      const startedAt = performance.now();
      const { status, cards, systemActions } = await call('o1');
      return { status, tookMs: performance.now() - startedAt, topics: cards.map((card) => card.source.topic.code), coverageInformation: systemActions.length };
    } finally {
      void model.close();
    }
  };

  it('has the card when the model is well', async () => {
    const { status, topics } = await answered({});
    expect([status, topics.includes('denial-risk')]).toEqual([200, true]);
  });
  it.each(FAULTS)('is answered in time without the card when the model is %s', async (_name, fault) => {
    const { status, topics, coverageInformation, tookMs } = await answered(fault);
    expect([status, topics.includes('denial-risk'), coverageInformation]).toEqual([200, false, 1]);
    expect(tookMs).toBeLessThan(2_000);
  });
});
