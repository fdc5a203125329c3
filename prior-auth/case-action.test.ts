import { describe, expect, it } from 'vitest';
import { CASE_ACTIONS, type CaseAction, mayDo } from './case-action.ts';
import { type AnsweredState, CASE_STEPS, type CaseState, standingAnswer } from './case.ts';
import { explainState } from './case-words.ts';
import { LANGUAGES } from './language.ts';
import type { PayerDecision } from './payer-decision/decision.ts';

const decision = (overall: PayerDecision['overall'], kind: 'approved' | 'denied' | 'pended', more: Partial<PayerDecision> = {}): PayerDecision => ({
  decidedAt: '2026-11-20T10:00:00.000Z', overall, errors: [], ...more,
  items: [{ sequence: 1, decision: kind === 'approved' ? { kind } : kind === 'denied' ? { kind, reasonCodes: ['0M'], explanation: [] } : { kind, explanation: [] } }],
});
const pended: AnsweredState = { kind: 'pended', submittedAt: '2026-11-20T09:00:00.000Z', decision: decision('pended', 'pended') };
const ask = { id: 'a', sequence: 1, wants: { kind: 'attachment', codes: [] }, state: 'open', due: '2026-12-01' } as const;
const asking: AnsweredState = { ...pended, asks: [ask] };
const approved: AnsweredState = { kind: 'decided', submittedAt: '2026-11-20T09:00:00.000Z', decision: decision('approved', 'approved') };
const denied: AnsweredState = { ...approved, decision: decision('denied', 'denied') };
const entered: AnsweredState = { ...approved, decision: decision('approved', 'approved', { entered: { by: { reference: 'Practitioner/1', name: 'Nora Nurse' }, at: '2026-11-20T10:00:00.000Z', learnedBy: 'fax' } }) };
const queued = { kind: 'queued', queuedAt: '2026-11-20T09:00:00.000Z', attempts: 0 } as const;
const held = { kind: 'held', heldAt: '2026-11-20T09:00:00.000Z', heldBy: 'Nora Nurse', queuedAt: '2026-11-20T09:00:00.000Z' } as const;
const manual = { kind: 'manual', since: '2026-11-20T09:00:00.000Z', by: 'Nora Nurse' } as const;

const STATES: readonly (readonly [string, CaseState, readonly CaseAction[]])[] = [
  ['nothing needed', { kind: 'no-authorization-needed' }, []],
  ['forms open', { kind: 'questionnaire', missing: 2 }, ['switch-to-manual', 'add-orders']],
  ['ready', { kind: 'ready' }, ['submit', 'switch-to-manual', 'add-orders']],
  ['queued, not tried', queued, ['hold', 'resend', 'withdraw', 'switch-to-manual']],
  ['queued, tried: the payer may have it', { ...queued, attempts: 2 }, ['hold', 'resend', 'switch-to-manual']],
  ['an update on its way', { ...queued, purpose: 'update', before: pended }, ['hold', 'resend', 'withdraw', 'switch-to-manual', 'check-now']],
  ['held', held, ['release', 'withdraw', 'switch-to-manual']],
  ['held after a try', { ...held, attempts: 1 }, ['release', 'switch-to-manual']],
  ['pended', pended, ['switch-to-manual', 'check-now', 'change-request', 'cancel-request', 'add-orders']],
  ['pended, the payer asks', asking, ['switch-to-manual', 'check-now', 'change-request', 'cancel-request', 'add-orders', 'answer-ask']],
  ['approved', approved, ['renew', 'change-request', 'cancel-request', 'add-orders', 'record-use']],
  ['approved, entered by hand', entered, ['renew', 'record-use']],
  ['denied', denied, ['request-again']],
  ['cancelled', { kind: 'cancelled', cancelledAt: '2026-11-20T10:00:00.000Z', submittedAt: '2026-11-20T09:00:00.000Z', decision: approved.decision }, ['request-again']],
  ['refused', { kind: 'refused', refusedAt: '2026-11-20T10:00:00.000Z', reason: 'HTTP 422' }, ['submit', 'switch-to-manual', 'add-orders']],
  ['by hand', manual, ['switch-back', 'record-decision']],
  ['by hand, while the payer decides', { ...manual, was: pended }, ['switch-back', 'record-decision', 'check-now']],
];

describe.each(STATES)('%s', (_name, state, allowed) => {
  it('allows what the table says, and says why not for all else, in each language', () => {
    expect(CASE_ACTIONS.filter((action) => mayDo({ state }, action).kind === 'may')).toEqual(CASE_ACTIONS.filter((action) => allowed.includes(action)));
    const whys = LANGUAGES.flatMap((language) => CASE_ACTIONS.map((action) => mayDo({ state }, action, language)).flatMap((permission) => (permission.kind === 'may-not' ? [permission.why] : [])));
    expect(whys).toHaveLength(LANGUAGES.length * (CASE_ACTIONS.length - allowed.length));
    expect(whys.filter((why) => !why.endsWith('.'))).toEqual([]);
  });

  it('is explained: what is going on, what comes next, who must act', () => {
    for (const language of LANGUAGES) {
      const { headline, next } = explainState({ state, payer: { id: 'p', name: 'Cascade' } }, language);
      expect(headline.length).toBeGreaterThan(3);
      expect(next).toMatch(/\.$/);
    }
  });
});

it.each([
  ['forms', { kind: 'questionnaire', missing: 1 }, 'us'],
  ['on its way', queued, 'nobody'],
  ['held', held, 'us'],
  ['pended', pended, 'payer'],
  ['asked', asking, 'us'],
  ['asked, our answer on its way', { ...pended, asks: [{ ...ask, answer: { kind: 'sending', queuedAt: '2026-11-20T09:00:00.000Z', by: 'N' } }] }, 'payer'],
  ['answered in a way that cannot be read', { ...pended, decision: decision('unreadable', 'pended') }, 'us'],
  ['approved', approved, 'nobody'],
  ['denied', denied, 'us'],
] as const)('who must act: %s', (_name, state, who) => {
  expect(explainState({ state, payer: { id: 'p', name: 'Cascade' } }).mustAct).toBe(who);
});

it('an approval entered by hand says who, and that the payer’s system did not', () => {
  expect(explainState({ state: entered, payer: { id: 'p', name: 'Cascade' } }).details).toEqual(['Entered by Nora Nurse, learned by fax. The payer’s system has not said so.']);
});

it('what stands at the payer is found wherever it is kept', () => {
  expect(standingAnswer({ ...manual, was: { ...queued, purpose: 'cancel', before: approved } })).toBe(approved);
  expect(standingAnswer(queued)).toBeUndefined();
  expect(Object.values(CASE_STEPS).flat().every((kind) => kind in CASE_STEPS)).toBe(true);
});
