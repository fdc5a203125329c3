import type { Timing } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { PAS_EXTENSIONS } from '#fhir/pas/canonical-urls.ts';
import { writeTiming } from './timing.ts';

const abbreviation = (code: string): Timing => ({ code: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation', code }] } });
const pattern = { url: PAS_EXTENSIONS.timingCalendarPattern, valueCodeableConcept: { coding: [{ system: 'https://codesystem.x12.org/005010/678', code: 'L' }] } };

describe('PASTiming', () => {
  it.each<[string, Timing, Timing | undefined, Timing | undefined]>([
    ['a frequency with its period', { repeat: { frequency: 2, period: 1, periodUnit: 'd' } }, { repeat: { frequency: 2, period: 1, periodUnit: 'd' } }, { repeat: { frequency: 2, period: 1, periodUnit: 'd' } }],
    ['a count', { repeat: { count: 12 } }, { repeat: { count: 12 } }, { repeat: { count: 12 } }],
    ['bounds as a period are said by the item', { repeat: { count: 12, boundsPeriod: { start: '2026-12-01' } } }, { repeat: { count: 12 } }, { repeat: { count: 12 } }],
    ['a period alone', { repeat: { boundsPeriod: { start: '2026-12-01' } } }, undefined, undefined],
    ['a frequency without its period', { repeat: { frequency: 2 } }, { repeat: { frequency: 2 } }, undefined],
    ['a duration without how often', { repeat: { boundsDuration: { value: 9, unit: 'mo' } } }, { repeat: { boundsDuration: { value: 9, unit: 'mo' } } }, undefined],
    ['an abbreviation', abbreviation('BID'), { ...abbreviation('BID'), repeat: { frequency: 2, period: 1, periodUnit: 'd' } }, { ...abbreviation('BID'), repeat: { frequency: 2, period: 1, periodUnit: 'd' } }],
    ['an unknown abbreviation', abbreviation('PRN'), undefined, undefined],
    ['an X12 pattern', { extension: [pattern, { url: 'https://other.example.org', valueString: 'x' }] }, { extension: [pattern] }, { extension: [pattern] }],
  ])('%s', (_name, timing, in201, in221) => {
    expect(writeTiming(timing, false)).toEqual(in201);
    expect(writeTiming(timing, true)).toEqual(in221);
  });
});
