import type { Coverage } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { calendarDay } from '#prior-auth/coverage-requirement/calendar-day.ts';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import { chooseCoverage } from './coverage-choice.ts';

const at = (id: string, timeZone: string, period: Coverage['period'], more: Partial<Coverage> = {}) => ({ coverage: { resourceType: 'Coverage', id, status: 'active', beneficiary: { reference: 'Patient/p1' }, payor: [], ...(period ? { period } : {}), ...more } as Coverage, payer: { id: timeZone, name: timeZone, timeZone } as unknown as Payer, payerUnreadable: false });

describe('the coverage of an answer', () => {
  it.each<[string, string, string, Coverage['period'], string | undefined]>([
    ['the last evening of the year in Los Angeles', '2027-01-01T02:00:00Z', 'America/Los_Angeles', { end: '2026-12-31' }, undefined],
    ['the first hours of the next in Auckland', '2026-12-31T12:00:00Z', 'Pacific/Auckland', { end: '2026-12-31' }, 'no-active-coverage'],
    ['midnight in Los Angeles', '2027-01-01T08:00:00Z', 'America/Los_Angeles', { end: '2026-12-31' }, 'no-active-coverage'],
    ['the evening before it begins in Los Angeles', '2027-01-01T02:00:00Z', 'America/Los_Angeles', { start: '2027-01-01' }, 'no-active-coverage'],
    ['the first morning in Auckland', '2026-12-31T12:00:00Z', 'Pacific/Auckland', { start: '2027-01-01' }, undefined],
    ['two hours after the instant it begins', '2026-11-23T02:00:00Z', 'America/Los_Angeles', { start: '2026-11-23T00:00:00Z' }, undefined],
    ['a day after the instant it ended', '2026-11-23T02:00:00Z', 'America/Los_Angeles', { end: '2026-11-22T01:00:00Z' }, 'no-active-coverage'],
    ['the day of the instant on which it ends', '2026-11-22T23:00:00Z', 'Pacific/Auckland', { end: '2026-11-22T23:30:00Z' }, undefined],
    ['a period of a year alone', '2026-12-31T23:00:00Z', 'UTC', { start: '2026', end: '2026' }, undefined],
  ])('is active by the day at its payer: %s', (_name, now, timeZone, period, cause) => {
    const choice = chooseCoverage([], { found: [at('c1', timeZone, period)], searched: 'all' }, (payer, instant = Date.parse(now)) => calendarDay(instant, payer?.timeZone ?? 'UTC'));
    expect(choice).toMatchObject({ kind: 'chosen', reference: 'Coverage/c1' });
    expect(choice.kind === 'chosen' ? choice.fault?.cause : 'none').toBe(cause);
  });
  it.each<[string, readonly string[], Partial<Coverage>, object]>([
    ['an active one serves', [], {}, { kind: 'chosen', reference: 'Coverage/c1', remark: expect.stringMatching(/Not all/) }],
    ['another that the order names may be among the rest', ['Coverage/c2'], {}, { kind: 'chosen', reference: 'Coverage/c1', remark: expect.stringMatching(/names is not active or could not be read.*Not all/) }],
    ['the one that the order names is no guess', ['Coverage/c1'], {}, { kind: 'chosen', reference: 'Coverage/c1', remark: undefined }],
    ['one that is not active leaves it open', [], { status: 'cancelled' }, { kind: 'unreachable' }],
    ['also where the order names another', ['Coverage/c2'], { status: 'cancelled' }, { kind: 'chosen', reference: 'Coverage/c2', fault: { cause: 'technical' } }],
    ['one that the patient pays leaves it open', [], { payor: [{ reference: 'Patient/p1' }] }, { kind: 'unreachable' }],
  ])('known in part: %s', (_name, insurance, more, expected) => {
    const choice = chooseCoverage(insurance, { found: [at('c1', 'UTC', undefined, more)], searched: 'part' }, () => '2026-11-22');
    expect({ remark: undefined, ...choice }).toMatchObject(expected);
  });
  it.each<[string, Partial<Coverage>, RegExp]>([
    ['has no id', { id: undefined }, /no id/],
    ['is paid by the patient', { payor: [{ reference: 'Patient/p1' }] }, /pays without insurance/],
  ])('is none when the only one %s, and says which', (_name, more, why) => {
    expect(chooseCoverage([], { found: [at('c1', 'UTC', undefined, more)], searched: 'all' }, () => '2026-11-22')).toMatchObject({ kind: 'none', why: expect.stringMatching(why) });
  });
});
