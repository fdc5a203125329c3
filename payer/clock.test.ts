import { expect, it } from 'vitest';
import { decideBy } from './clock.ts';

it.each([
  ['expedited: 72 hours', '2026-11-22T10:00:00Z', true, 'America/Los_Angeles', '2026-11-25T10:00:00Z'],
  ['standard: seven calendar days', '2026-11-22T10:00:00Z', false, 'America/Los_Angeles', '2026-11-29T10:00:00Z'],
  ['an hour more when the clocks go back', '2026-10-30T18:00:00Z', false, 'America/Los_Angeles', '2026-11-06T19:00:00Z'],
  ['an hour less when they go forward', '2027-03-12T18:00:00Z', false, 'America/New_York', '2027-03-19T17:00:00Z'],
  ['72 hours stay 72 hours', '2026-10-30T18:00:00Z', true, 'America/Los_Angeles', '2026-11-02T18:00:00Z'],
  ['no daylight saving', '2026-10-30T18:00:00Z', false, 'America/Phoenix', '2026-11-06T18:00:00Z'],
])('%s', (_name, received, isExpedited, zone, due) => expect(new Date(decideBy(Date.parse(received), isExpedited, zone)).toISOString()).toBe(new Date(due).toISOString()));
