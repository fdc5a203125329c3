import type { Observation } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { readChart } from './evidence.ts';
import { recordFault } from './expression-faults.ts';
import { holdCriteria, holds } from './hold-criteria.ts';

const OXYGEN: Observation = { resourceType: 'Observation', id: 'o', status: 'final', code: { coding: [{ code: '59408-5' }] }, valueQuantity: { value: 86, unit: '%' } };
const criterion = (record: string) => ({ id: 'c', label: 'C', evidence: [{ type: 'Observation' as const, codes: ['59408-5'] }], record });
const statusOf = (record: string) => holdCriteria([criterion(record)], { chart: readChart([OXYGEN]), others: [], today: '2026-11-22' })[0]?.status;

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
