import { afterEach, describe, expect, it } from 'vitest';
import type { PayerDecision } from './decision.ts';
import { clockOf } from './deadlines.ts';

const decided = (overall: PayerDecision['overall']): PayerDecision => ({ decidedAt: '2026-11-01T12:00:00.000Z', items: [], overall, errors: [] });
const machineZone = process.env['TZ'];

afterEach(() => {
  if (machineZone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = machineZone;
});

describe.each(['UTC', 'America/Los_Angeles', 'Asia/Kolkata'])('on a machine in %s', (zone) => {
  it.each([
    // The clocks of Los Angeles go back on 2026-11-01: seven days are 169 hours.
    ['standard over the end of daylight saving', 'routine', 'America/Los_Angeles', '2026-10-30T17:00:00Z', '2026-11-06T18:00:00.000Z'],
    ['standard over its beginning (2026-03-08): 167 hours', 'routine', 'America/Los_Angeles', '2026-03-05T18:00:00Z', '2026-03-12T17:00:00.000Z'],
    ['standard where there is no daylight saving', 'routine', 'Asia/Kolkata', '2026-10-30T17:00:00Z', '2026-11-06T17:00:00.000Z'],
    ['standard in New York over the end of daylight saving', 'routine', 'America/New_York', '2026-10-27T13:15:30Z', '2026-11-03T14:15:30.000Z'],
    ['due at a time that the clock skips: an hour later by the wall', 'routine', 'America/New_York', '2026-03-01T07:30:00Z', '2026-03-08T07:30:00.000Z'],
    ['due at a time that the clock shows twice: the first', 'routine', 'America/New_York', '2026-10-25T05:30:00Z', '2026-11-01T05:30:00.000Z'],
    ['expedited is 72 hours elapsed, whatever the clock does', 'urgent', 'America/Los_Angeles', '2026-10-30T17:00:00Z', '2026-11-02T17:00:00.000Z'],
    ['asap is expedited', 'asap', 'America/New_York', '2026-03-06T12:00:00Z', '2026-03-09T12:00:00.000Z'],
    ['stat is expedited', 'stat', 'America/New_York', '2026-12-31T23:00:00Z', '2027-01-03T23:00:00.000Z'],
  ] as const)('%s', (_name, priority, timeZone, submittedAt, dueAt) => {
    process.env['TZ'] = zone;
    const clock = clockOf({ priority, submittedAt, timeZone });
    expect(clock).toEqual({ kind: priority === 'routine' ? 'standard' : 'expedited', startedAt: new Date(submittedAt).toISOString(), dueAt });
  });
});

it.each([
  ['approved', true],
  ['modified', true],
  ['partly-approved', true],
  ['denied', true],
  ['pended', false],
  ['unreadable', false],
  ['error', false],
] as const)('%s stops the clock: %s', (overall, stops) => {
  const clock = clockOf({ priority: 'routine', submittedAt: '2026-10-30T17:00:00Z', timeZone: 'America/Denver', decision: decided(overall) });
  expect(clock.stoppedAt).toBe(stops ? '2026-11-01T12:00:00.000Z' : undefined);
});

it('is not stopped before it started, however far the payer’s clock is behind', () => {
  expect(clockOf({ priority: 'stat', submittedAt: '2026-11-02T00:00:00Z', timeZone: 'UTC', decision: decided('approved') }).stoppedAt).toBe('2026-11-02T00:00:00.000Z');
});
