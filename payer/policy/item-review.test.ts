import { describe, expect, it } from 'vitest';
import { confidenceOf, type CriterionResult, decideAfterReview, decideOnArrival, type ItemReview } from './item-review.ts';

const sandbox = { automaticConfidence: 0.5, sandboxDecisions: true };
const alone = { automaticConfidence: 0.5, sandboxDecisions: false };
const strict = { automaticConfidence: 1, sandboxDecisions: true };
const service = { system: 'urn:test', code: 'X' };
const policy = (route: 'automatic' | 'reviewer' | 'limit', more: object = {}): NonNullable<ItemReview['policy']> => ({ policyId: 'p', revision: '1', covered: 'covered', authorization: 'auth-needed', decision: { route, denial: 'No.', ...(route === 'limit' ? { limit: { max: 3, unit: 'months' } } : {}) }, ...more });
const met = (basis: 'records' | 'answers'): CriterionResult => ({ id: basis, label: basis, result: 'met', basis });
const not: CriterionResult = { id: 'n', label: 'Shown', result: 'not-met' };
const unknown: CriterionResult = { id: 'u', label: 'Seen', result: 'unknown' };
const thirteen = { value: 13, unit: 'months' };

describe('what is decided without a person', () => {
  it.each<[string, ItemReview, typeof sandbox, string, RegExp]>([
    ['all met by the record', { service, policy: policy('automatic'), criteria: [met('records')] }, strict, 'approve', /^$/],
    ['met by answers alone: enough for the sandbox', { service, policy: policy('automatic'), criteria: [met('answers')] }, sandbox, 'approve', /^$/],
    ['met by answers alone: not above a threshold of 1', { service, policy: policy('automatic'), criteria: [met('answers'), met('records')] }, strict, 'pend', /answers more than by the record/],
    ['not met: a rule of the sandbox refuses, and says so', { service, policy: policy('automatic'), criteria: [not] }, sandbox, 'deny', /rule of this sandbox, not by a person/],
    ['not met, sandbox off: a person', { service, policy: policy('automatic'), criteria: [not] }, alone, 'pend', /reviewer/],
    ['not covered: a rule of the sandbox', { service, policy: policy('automatic', { covered: 'not-covered' }), criteria: [] }, sandbox, 'deny', /rule of this sandbox/],
    ['not covered, sandbox off: a person', { service, policy: policy('automatic', { covered: 'not-covered' }), criteria: [] }, alone, 'pend', /reviewer/],
    ['more than the limit: a rule of the sandbox', { service, asked: thirteen, policy: policy('limit'), criteria: [met('records')] }, sandbox, 'modify', /3 months of the 13.*rule of this sandbox/],
    ['more than the limit, sandbox off: a person', { service, asked: thirteen, policy: policy('limit'), criteria: [met('records')] }, alone, 'pend', /reviewer/],
    ['unknown: a person', { service, policy: policy('automatic'), criteria: [met('records'), unknown] }, sandbox, 'pend', /Not shown.*Seen/],
    ['the policy wants a reviewer', { service, policy: policy('reviewer'), criteria: [met('records')] }, sandbox, 'pend', /reviewer/],
    ['no authorization needed', { service, policy: policy('automatic', { authorization: 'no-auth' }), criteria: [] }, alone, 'approve', /No authorization/],
    ['no policy names it', { service, criteria: [] }, alone, 'approve', /No authorization/],
    ['not recognised', { criteria: [] }, sandbox, 'pend', /not be recognised/],
  ])('%s', (_name, review, rules, kind, note) => {
    const verdict = decideOnArrival(review, rules);
    expect(verdict.kind).toBe(kind);
    expect(verdict.note ?? '').toMatch(note);
  });

  it('without the sandbox nothing is ever refused, in whole or in part', () => {
    for (const route of ['automatic', 'reviewer', 'limit'] as const) {
      for (const criteria of [[], [not], [unknown], [met('answers')], [met('records'), not]]) {
        for (const covered of ['covered', 'not-covered', 'conditional'] as const) {
          expect(['approve', 'pend']).toContain(decideOnArrival({ service, asked: thirteen, policy: policy(route, { covered }), criteria }, alone).kind);
        }
      }
    }
  });

  it('the stand-in of the sandbox says what it is', () => expect(decideAfterReview({ service, policy: policy('reviewer'), criteria: [unknown] })).toMatchObject({ kind: 'deny', note: expect.stringMatching(/sandbox reviewer, who stands in for a person/) }));
});

it.each<[number, CriterionResult[]]>([
  [1, []],
  [1, [met('records')]],
  [0.5, [met('answers')]],
  [0.75, [met('records'), met('answers')]],
  [0.5, [met('records'), unknown]],
])('confidence %d', (confidence, criteria) => expect(confidenceOf({ criteria })).toBe(confidence));
