import type { RequestedService } from '../order/requested-service.ts';
import type { PayerDecision } from './decision.ts';

/**
 * The payer's legal clock (CMS-0057-F, 42 CFR 422.568/422.572 and alike): 72 hours expedited, 7 calendar days standard, from receipt of the request.
 */
export interface Clock {
  readonly kind: 'expedited' | 'standard';
  /** ISO instant. */
  readonly startedAt: string;
  /** ISO instant. */
  readonly dueAt: string;
  /** ISO instant of the payer's final answer; absent while the clock runs. */
  readonly stoppedAt?: string;
}

export interface ClockFacts {
  readonly priority: RequestedService['priority'];
  /** ISO instant at which the payer had the request. */
  readonly submittedAt: string;
  readonly decision?: PayerDecision | undefined;
  /** IANA name of the payer's time zone: calendar days are counted there. */
  readonly timeZone: string;
}

const HOUR_MS = 3_600_000;
const EXPEDITED_HOURS = 72;
const STANDARD_DAYS = 7;

/** Hours are elapsed time; days are calendar days: due at the same time of day by the payer's wall clock, whatever daylight saving did in between. */
export function clockOf({ priority, submittedAt, decision, timeZone }: ClockFacts): Clock {
  const kind = priority === 'routine' ? 'standard' : 'expedited';
  const startedMs = Date.parse(submittedAt);
  const dueMs = kind === 'expedited' ? startedMs + EXPEDITED_HOURS * HOUR_MS : addCalendarDays(startedMs, STANDARD_DAYS, timeZone);
  return {
    kind,
    startedAt: new Date(startedMs).toISOString(),
    dueAt: new Date(dueMs).toISOString(),
    // A payer's clock may be behind ours: no decision is older than its request.
    ...(decision && isFinal(decision) ? { stoppedAt: new Date(Math.max(startedMs, Date.parse(decision.decidedAt))).toISOString() } : {}),
  };
}

/** The payer has said its last word on every item: the clock stops, nothing more is to be asked. */
export function isFinal({ overall }: PayerDecision): boolean {
  return overall === 'approved' || overall === 'modified' || overall === 'partly-approved' || overall === 'denied';
}

function addCalendarDays(epochMs: number, days: number, timeZone: string): number {
  return atWallClock(epochMs + offsetMs(epochMs, timeZone) + days * 24 * HOUR_MS, timeZone);
}

/** The instant of a wall-clock time, both in milliseconds. A time that the zone skips is read with the offset before the change; one it has twice is the first. */
function atWallClock(wall: number, timeZone: string): number {
  const offsets = [wall - 24 * HOUR_MS, wall + 24 * HOUR_MS].map((near) => offsetMs(near, timeZone));
  const matching = offsets.map((offset) => wall - offset).filter((instant) => instant + offsetMs(instant, timeZone) === wall);
  return matching.length > 0 ? Math.min(...matching) : wall - (offsets[0] ?? 0);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Wall-clock minus UTC at that instant. */
function offsetMs(epochMs: number, timeZone: string): number {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' });
  formats.set(timeZone, format);
  const part = Object.fromEntries(format.formatToParts(epochMs).map(({ type, value }) => [type, Number(value)]));
  const wall = Date.UTC(part['year'] ?? 0, (part['month'] ?? 1) - 1, part['day'], part['hour'], part['minute'], part['second']);
  return wall - Math.floor(epochMs / 1000) * 1000;
}

/** How a clock stands at an instant. `warning`: less than a quarter of the whole time is left. */
export interface ClockReading {
  readonly kind: 'running' | 'warning' | 'overdue' | 'stopped';
  /** Milliseconds left; negative once it is over: how much later the answer came, or how late it is by now. */
  readonly leftMs: number;
}

export function readClock({ startedAt, dueAt, stoppedAt }: Pick<Clock, 'startedAt' | 'dueAt' | 'stoppedAt'>, nowMs: number): ClockReading {
  const dueMs = Date.parse(dueAt);
  if (stoppedAt !== undefined) return { kind: 'stopped', leftMs: dueMs - Date.parse(stoppedAt) };
  const leftMs = dueMs - nowMs;
  const warnMs = (dueMs - Date.parse(startedAt)) / 4;
  return { kind: leftMs < 0 ? 'overdue' : leftMs < warnMs ? 'warning' : 'running', leftMs };
}

/** The end of a calendar day at the payer, as an ISO instant. */
export function endOfDay(day: string, timeZone: string): string {
  return new Date(atWallClock(Date.parse(`${day}T00:00:00Z`) + 24 * HOUR_MS, timeZone) - 1).toISOString();
}
