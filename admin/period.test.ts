import { describe, expect, it } from 'vitest';
import { readPeriod } from './period.ts';

const NOW = Date.parse('2026-11-22T10:00:00Z');
const given = (from: string | undefined, to: string | undefined): string => {
  const period = readPeriod(from, to, NOW);
  return period.kind === 'fault' ? period.why : `${period.from.toISOString()} ${period.to.toISOString()}`;
};
const NOT_A_TIME = /^from and to are days/;
const OUT_OF_RANGE = /between the years 1 and 9999/;

describe('a period', () => {
  it.each<[string | undefined, string | undefined, string]>([
    ['2026-11-01', '2026-11-30', '2026-11-01T00:00:00.000Z 2026-12-01T00:00:00.000Z'],
    ['2026-11-22', '2026-11-22', '2026-11-22T00:00:00.000Z 2026-11-23T00:00:00.000Z'],
    ['2028-02-29', '2028-02-29', '2028-02-29T00:00:00.000Z 2028-03-01T00:00:00.000Z'],
    ['2026-11-22T10:00:00Z', '2026-11-22T12:00:00.5+01:00', '2026-11-22T10:00:00.000Z 2026-11-22T11:00:00.500Z'],
    ['2026-11-22T10:00Z', '2026-11-22', '2026-11-22T10:00:00.000Z 2026-11-23T00:00:00.000Z'],
    [undefined, undefined, '1970-01-01T00:00:00.000Z 2026-11-22T10:00:00.001Z'],
    [undefined, '2026-11-22', '1970-01-01T00:00:00.000Z 2026-11-23T00:00:00.000Z'],
    ['0001-01-01', '9999-12-31', '0001-01-01T00:00:00.000Z 9999-12-31T23:59:59.999Z'],
    ['2026-11-22', '9999-12-31T23:59:59-12:00', '2026-11-22T00:00:00.000Z 9999-12-31T23:59:59.999Z'],
  ])('%s to %s is taken', (from, to, period) => expect(given(from, to)).toBe(period));

  it.each<[string | undefined, string | undefined, RegExp]>([
    ['2026-02-30', '2026-03-30', NOT_A_TIME],
    ['2026-02-29', undefined, NOT_A_TIME],
    ['2026-11-01', '2026-11-31', NOT_A_TIME],
    ['2026-13-01', undefined, NOT_A_TIME],
    ['2026-00-10', undefined, NOT_A_TIME],
    ['2026-02-30T10:00:00Z', undefined, NOT_A_TIME],
    ['2026-11-22T25:00:00Z', undefined, NOT_A_TIME],
    ['2026-11-22T10:00:00', undefined, NOT_A_TIME],
    ['2026-11', undefined, NOT_A_TIME],
    ['1', undefined, NOT_A_TIME],
    ['', undefined, NOT_A_TIME],
    ['+010000-01-01', undefined, NOT_A_TIME],
    ['2026-11-22 ', undefined, NOT_A_TIME],
    ["2026-11-22'; drop", undefined, NOT_A_TIME],
    ['0000-01-01', '9999-12-31', OUT_OF_RANGE],
    ['0001-01-01T00:00:00+01:00', undefined, OUT_OF_RANGE],
    ['9999-12-31T23:59:59-12:00', undefined, OUT_OF_RANGE],
    ['2026-11-22', '2026-11-21', /^from must be before to$/],
    ['2026-11-22T10:00:00Z', '2026-11-22T10:00:00Z', /^from must be before to$/],
    ['2026-11-23', undefined, /^from must be before to$/],
  ])('%j to %j is refused', (from, to, why) => expect(given(from, to)).toMatch(why));
});
