import { describe, expect, it } from 'vitest';
import { ageInYears, showDate } from './fhir-date.ts';

describe('FHIR dates', () => {
  it.each([
    ['2026', '2026'],
    ['2026-11', 'Nov 2026'],
    ['2026-11-02', 'Nov 2, 2026'],
    ['86 %', '86 %'],
    ['', ''],
    ['2026-11-02Tnonsense', '2026-11-02Tnonsense'],
  ])('%s is shown as %s, never more exact than the record', (value, shown) => {
    expect(showDate(value, 'en-US')).toBe(shown);
  });

  it('counts whole years', () => {
    const now = new Date(2026, 10, 22).getTime();
    expect(ageInYears('1951-11-22', now)).toBe(75);
    expect(ageInYears('1951-11-23', now)).toBe(74);
    expect(ageInYears('1951', now)).toBeUndefined();
    expect(ageInYears('2027-01-01', now)).toBeUndefined();
  });
});
