import { type Clock, readClock } from '#prior-auth/payer-decision/deadlines.ts';

type Unit = 'day' | 'hour' | 'minute';

export type TimeLeft =
  | { readonly kind: 'left' | 'overdue'; readonly count: number; readonly unit: Unit; /** Less than a quarter of the time is left. */ readonly soon: boolean }
  | { readonly kind: 'stopped'; readonly late: boolean }
  | { readonly kind: 'unknown' };

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Rounds down, so that nobody counts on time that is not there. Days from 48 h on, minutes below 2 h. */
export function timeLeft(clock: Pick<Clock, 'startedAt' | 'dueAt' | 'stoppedAt'>, now: number): TimeLeft {
  if (Number.isNaN(Date.parse(clock.dueAt))) return { kind: 'unknown' };
  const { kind, leftMs } = readClock(clock, now);
  if (kind === 'stopped') return { kind, late: leftMs < 0 };
  return { kind: kind === 'overdue' ? 'overdue' : 'left', ...inUnits(Math.abs(leftMs)), soon: kind !== 'running' };
}

function inUnits(ms: number): { readonly count: number; readonly unit: Unit } {
  if (ms >= 2 * DAY) return { count: Math.floor(ms / DAY), unit: 'day' };
  if (ms >= 2 * HOUR) return { count: Math.floor(ms / HOUR), unit: 'hour' };
  return { count: Math.floor(ms / MINUTE), unit: 'minute' };
}
