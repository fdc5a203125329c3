import { describe, expect, it } from 'vitest';
import { evaluateFhirPath } from './evaluate-fhirpath.ts';

const ENDLESS = `'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a+)+$')`;
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('a payer’s FHIRPath on the server', () => {
  const answer = (value: object, more: object = {}) => ({ linkId: 'a', answer: [{ ...value, ...more }] });
  const response = { resourceType: 'QuestionnaireResponse', item: [answer({ valueInteger: 2 }, { item: [answer({ valueInteger: 3 })] }), { linkId: 'g', item: [answer({ valueInteger: 5 })] }] };
  it.each<[string, unknown[]]>([
    ['%resource.answers().sum()', [10]], ['%resource.item.answers()', [2, 3, 5]], ['%resource.item.where(linkId = \'none\').answers()', []], ['%resource.answers().avg() > 3', [true]],
  ])('SDC functions: %s', (expression, expected) => expect(evaluateFhirPath(expression, response, { resource: response })).toEqual(expected));

  it('one that does not end is ended and throws like a wrong one', async () => {
    await nextTurn();
    const started = performance.now();
    expect(() => evaluateFhirPath(ENDLESS, {}, {})).toThrow(/timed out|too long/);
    expect(performance.now() - started).toBeLessThan(1_500);
    expect(evaluateFhirPath('1 + 1', {}, {})).toEqual([2]);
  });
  it('many of them cost a bounded time together, and the next turn is free again', async () => {
    await nextTurn();
    const started = performance.now();
    for (let run = 0; run < 50; run += 1) expect(() => evaluateFhirPath(ENDLESS, {}, {})).toThrow(/timed out|too long/);
    expect(performance.now() - started).toBeLessThan(4_000);
    await nextTurn();
    expect(evaluateFhirPath('1 + 1', {}, {})).toEqual([2]);
  });
});
