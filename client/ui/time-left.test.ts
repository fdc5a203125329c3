import { describe, expect, it } from 'vitest';
import { timeLeftWords } from '../messages.ts';
import { timeLeft } from './time-left.ts';

const HOUR = 3_600_000;
const started = Date.parse('2026-11-22T00:00:00Z');
const clock = (hours: number, stoppedAt?: string) => ({ kind: 'standard' as const, startedAt: '2026-11-22T00:00:00Z', dueAt: new Date(started + hours * HOUR).toISOString(), ...(stoppedAt === undefined ? {} : { stoppedAt }) });

describe('the payer’s clock in words', () => {
  it.each([
    [168, 0, '7 days left'],
    [168, 0.5, '6 days left'],
    [72, 24.1, '47 hours left'],
    [72, 70.5, '90 minutes left'],
    [72, 71.99, '0 minutes left'],
    [72, 72.5, 'Overdue by 30 minutes'],
    [72, 75, 'Overdue by 3 hours'],
    [72, 144, 'Overdue by 3 days'],
  ])('due after %d h, now at %d h: %s', (due, now, words) => {
    expect(timeLeftWords(timeLeft(clock(due), started + now * HOUR))).toBe(words);
  });

  it('says so when less than a quarter of the time is left', () => {
    expect(timeLeft(clock(72), started + 53 * HOUR)).toMatchObject({ soon: false });
    expect(timeLeft(clock(72), started + 55 * HOUR)).toMatchObject({ soon: true });
  });

  it('stands still once the payer answered', () => {
    expect(timeLeftWords(timeLeft(clock(72, '2026-11-23T00:00:00Z'), started + 999 * HOUR))).toBe('Answered in time');
    expect(timeLeftWords(timeLeft(clock(72, '2026-11-29T00:00:00Z'), started))).toBe('Answered late');
  });

  it('does not guess at a clock it cannot read', () => {
    expect(timeLeftWords(timeLeft({ startedAt: '', dueAt: 'soon' }, started))).toBe('Deadline unknown');
  });
});
