import type { Observation, Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { MOST_OF_A_KIND, readChart } from './evidence.ts';
import { recordFault } from './expression-faults.ts';
import { holdCriteria, holds } from './hold-criteria.ts';
import type { PolicyCriterion } from './policy.ts';

const OXYGEN: Observation = { resourceType: 'Observation', id: 'o', status: 'final', code: { coding: [{ code: '59408-5' }] }, valueQuantity: { value: 86, unit: '%' } };
const criterion = (record: string) => ({ id: 'c', label: 'C', evidence: [{ type: 'Observation' as const, codes: ['59408-5'] }], record });
const statusOf = (record: string) => holdCriteria([criterion(record)], { chart: readChart([OXYGEN]), others: [], today: '2026-11-22' })[0]?.status;

describe('the orders of one call', () => {
  const chart = readChart([OXYGEN]);
  const order = (id: string): Resource => ({ resourceType: 'DeviceRequest', id, intent: 'order', subject: {} });
  const finding = (criterion: PolicyCriterion, id: string, today = '2026-11-22') => holdCriteria([criterion], { chart, others: [order(id)], today })[0];
  it.each(['%evidence.exists()', '%evidence.value.ofType(Quantity).value.first() <= 88 and %today > @2020-01-01'])('share a finding that rests on the chart: %s', (record) => {
    const own = criterion(record);
    const first = finding(own, 'a');
    expect(first?.status).toBe('met');
    expect(finding(own, 'b')).toBe(first);
    expect(finding(own, 'b', '2026-11-23')).not.toBe(first);
    expect(holdCriteria([own], { chart: readChart([]), others: [], today: '2026-11-22' })[0]?.status).toBe('unknown');
  });
  it.each(["entry.resource.where(id = 'a').exists()", "%context.entry.resource.id contains 'a'", "descendants().where($this ~ 'a').exists()", "%evidence.exists() and Bundle.entry.first().resource.id = 'a'"])('each have their own where it looks at the order: %s', (record) => {
    const own = criterion(record);
    expect(['a', 'b', 'a'].map((id) => finding(own, id)?.status)).toEqual(['met', 'not-met', 'met']);
  });
});

describe('a chart with more of one kind than is looked at', () => {
  const day = (i: number): string => new Date(Date.parse('2020-01-01') + i * 86_400_000).toISOString().slice(0, 10);
  const chart = (count: number) => readChart(Array.from({ length: count }, (_, i) => ({ ...OXYGEN, id: `o${i}`, effectiveDateTime: day(i), valueQuantity: { value: i === 0 ? 86 : 97 } })));
  const held = (count: number, record: string) => holdCriteria([criterion(record)], { chart: chart(count), others: [], today: '2026-11-22' })[0];
  const LOW = '%evidence.where(value.value <= 88).exists()';
  it('is looked at as far as it is newest, and the finding says so', () => {
    expect(held(MOST_OF_A_KIND, LOW)).toMatchObject({ status: 'met' });
    expect(held(MOST_OF_A_KIND, LOW)?.olderLeftOut).toBeUndefined();
    expect(held(MOST_OF_A_KIND + 1, LOW)).toMatchObject({ status: 'not-met', olderLeftOut: true });
    expect(held(MOST_OF_A_KIND + 1, `%evidence.count() = ${MOST_OF_A_KIND}`)).toMatchObject({ status: 'met', evidence: [{ date: day(MOST_OF_A_KIND) }, {}, {}] });
  });
});

describe('an expression that is none, of a policy that was never read from a file', () => {
  it.each(['%evidence.first( >= 3', '%evidence.existz()', '%evidnce.exists()'])('%s leaves its criterion unknown, and no other', (record) => {
    expect(statusOf(record)).toBe('unknown');
    expect(holdCriteria([criterion(record), criterion('%evidence.exists()')], { chart: readChart([OXYGEN]), others: [], today: '2026-11-22' }).map(({ status }) => status)).toEqual(['unknown', 'met']);
  });
  it('is no condition that holds', () => expect(holds('status = (', OXYGEN, '2026-11-22')).toBe(false));
});

describe('what is found before any call', () => {
  it.each([
    '%evidence.exists()',
    '%evidence.value.ofType(Quantity).value.first() >= 45',
    "%evidence.code.text = 'existz('",
    "defineVariable('first', %evidence.first()).select(%first.exists())",
    '%evidence.count() > 1 and (%today > @2020-01-01)',
    '{}',
    "%evidence.exists() /* not tried(%here) */ // nor there(%at https://x.example)",
    "%evidence.code.coding.where(system = 'http://loinc.org').exists()",
  ])('%s: nothing', (record) => expect(recordFault(criterion(record))).toBeUndefined());
  it.each([
    ['%evidence.exists(', /^is no FHIRPath: column 17: mismatched input the end$/],
    ['%evidence.first() >= 3', /^cannot be evaluated, even on one empty Observation: /],
    ["'yes'", /^gives "yes" on no evidence/],
  ])('%s', (record, fault) => expect(recordFault(criterion(record))).toMatch(fault));
});
