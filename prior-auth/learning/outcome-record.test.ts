import { describe, expect, it } from 'vitest';
import { sampleInput } from '#test-fixtures/pas-submission-input.ts';
import type { ItemDecision, PayerDecision } from '../payer-decision/decision.ts';
import { toOutcomeRecords } from './outcome-record.ts';

const decided = (...items: readonly (ItemDecision & { readonly addedByPayer?: true })[]): PayerDecision => ({
  decidedAt: '2026-11-21T10:00:00.000Z',
  items: items.map(({ addedByPayer, ...decision }, index) => ({ sequence: index + 1, decision: decision as ItemDecision, ...(addedByPayer ? { addedByPayer } : {}) })),
  overall: 'unreadable',
  errors: [],
});
const context = { scored: null, submittedAt: '2026-11-19T10:00:00.000Z', simulated: false };
const labels = (decision: PayerDecision) => toOutcomeRecords({ ...sampleInput().case, further: [sampleInput().case.service] }, decision, context).map(({ itemSequence, label }) => [itemSequence, label]);

describe('what a decision teaches', () => {
  it.each<[string, PayerDecision, unknown]>([
    ['an approval', decided({ kind: 'approved' }), [[1, 'approved']]],
    ['a denial', decided({ kind: 'denied', reasonCodes: [], explanation: [] }), [[1, 'denied']]],
    ['a change is neither', decided({ kind: 'modified', explanation: [] }), [[1, 'modified']]],
    ['nothing while pended', decided({ kind: 'pended', explanation: [] }), []],
    ['nothing when unreadable', decided({ kind: 'unreadable', why: 'no-review-action', explanation: [] }), []],
    ['each item by itself', decided({ kind: 'approved' }, { kind: 'denied', reasonCodes: ['B'], explanation: [] }), [[1, 'approved'], [2, 'denied']]],
    ['nothing of a service nobody asked for', decided({ kind: 'approved' }, { kind: 'approved', addedByPayer: true }), [[1, 'approved']]],
  ])('%s', (_what, decision, expected) => {
    expect(labels(decision)).toEqual(expected);
  });

  it('names no person, no order and no day', () => {
    const [record] = toOutcomeRecords(sampleInput().case, decided({ kind: 'denied', reasonCodes: ['B'], explanation: ['Ada Example lacks a test'] }), context);
    expect(record).toMatchObject({ reasonCodes: ['B'], serviceCodes: [{ code: 'E1390' }], decidedInMonth: '2026-11', procedure: 'hcpcs:E1390', decisionDays: 2, facts: null });
    expect(JSON.stringify(record)).not.toMatch(/Ada|patient-1|DeviceRequest|2026-11-21|0193f000/);
  });
});
