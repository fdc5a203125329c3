import { describe, expect, it } from 'vitest';
import { LANGUAGES } from '../language.ts';
import { sayDecision } from './decision-words.ts';
import type { ItemDecision, PayerDecision } from './decision.ts';

/* Every reading of a decision and the words that every screen says it in. Nothing unknown is said as approved, in any language. */

const decision = (overall: PayerDecision['overall'], items: readonly ItemDecision[] = [], more: Partial<PayerDecision> = {}): PayerDecision => ({
  decidedAt: '2026-11-22T10:00:00.000Z', overall, items: items.map((each, index) => ({ sequence: index + 1, decision: each })), errors: [], ...more,
});

const ITEMS: readonly (readonly [ItemDecision, tone: string, text: string, details: readonly string[]])[] = [
  [{ kind: 'approved' }, 'good', 'Approved', []],
  [{ kind: 'approved', authorizationNumber: 'A-1', validity: { start: '2026-11-22', end: '2027-05-21' }, authorized: { quantity: { value: 6, unit: 'months' } } }, 'good', 'Approved', ['Authorization number A-1', 'Authorized: 6 months', 'Valid from 2026-11-22 to 2027-05-21']],
  [{ kind: 'approved', validity: { end: '2027-05-21' } }, 'good', 'Approved', ['Valid until 2027-05-21']],
  [{ kind: 'modified', authorized: { quantity: { value: 3 } }, explanation: ['Three are enough.'] }, 'mixed', 'Approved with changes', ['Authorized: 3', 'Three are enough.']],
  [{ kind: 'denied', reasonCodes: ['0V', '1X'], explanation: ['No sleep study on file.'] }, 'bad', 'Denied', ['No sleep study on file.', 'Reason codes 0V, 1X']],
  [{ kind: 'denied', reasonCodes: [], explanation: [] }, 'bad', 'Denied', []],
  [{ kind: 'pended', administrativeReference: 'PEND0001', explanation: [] }, 'waiting', 'Not decided yet', ['Payer\'s reference PEND0001']],
  [{ kind: 'unreadable', why: 'no-review-action', explanation: [] }, 'unknown', 'No decision that can be read', ['The payer sent no review action for this item']],
  [{ kind: 'unreadable', why: 'unknown-review-action', reviewActionCode: 'APPROVED', explanation: [] }, 'unknown', 'No decision that can be read', ['The payer sent a review action that is not known here', 'Review action code APPROVED']],
  [{ kind: 'unreadable', why: 'item-missing', explanation: [] }, 'unknown', 'No decision that can be read', ['The payer said nothing about this item']],
];

describe('an item', () => {
  it.each(ITEMS)('%j is said', (item, tone, text, details) => {
    expect(sayDecision(decision('pended', [item])).items).toEqual([{ sequence: 1, tone, text, details }]);
  });
});

describe('the whole', () => {
  it.each([
    ['approved', 'good', 'Approved'],
    ['modified', 'mixed', 'Approved with changes'],
    ['partly-approved', 'mixed', 'Approved in part'],
    ['denied', 'bad', 'Denied'],
    ['pended', 'waiting', 'The payer is still deciding'],
    ['error', 'unknown', 'The payer could not process the request'],
    ['unreadable', 'unknown', 'The payer answered in a way we cannot read'],
  ] as const)('%s is %s: %s', (overall, tone, headline) => {
    expect(sayDecision(decision(overall))).toMatchObject({ tone, headline });
    expect(sayDecision(decision(overall)).nextStep).not.toBe('');
  });

  it('tells the payer’s errors once, with its first item', () => {
    const { items } = sayDecision(decision('error', [{ kind: 'unreadable', why: 'item-missing', explanation: [] }, { kind: 'unreadable', why: 'item-missing', explanation: [] }], { errors: [{ code: '33', text: 'Input Errors' }] }));
    expect(items.map(({ details }) => details.some((detail) => detail.includes('33')))).toEqual([true, false]);
  });

  it.each(LANGUAGES)('in %s, only what the payer approved is called so, and only that is green', (language) => {
    const approval = /approved|aprobad|autorizad|authorized/i;
    for (const [item] of ITEMS) {
      const isGranted = item.kind === 'approved' || item.kind === 'modified';
      const [said] = sayDecision(decision('pended', [item]), language).items;
      expect(approval.test(said?.text ?? '')).toBe(isGranted);
      expect(said?.tone === 'good').toBe(item.kind === 'approved');
    }
    for (const overall of ['denied', 'pended', 'error', 'unreadable'] as const) {
      const { headline, tone } = sayDecision(decision(overall), language);
      expect(approval.test(headline)).toBe(false);
      expect(tone).not.toBe('good');
    }
  });
});
