import { FIRST_INSTANT_MS, LAST_INSTANT_MS } from '#store/storable-instant.ts';

export type Period = { readonly kind: 'period'; readonly from: Date; readonly to: Date } | { readonly kind: 'fault'; readonly why: string };

const DAY_MS = 86_400_000;

/** The period that a query asks for; a parameter that is none, or that is given twice, is a fault and no period of its own. */
export function readAskedPeriod(query: Readonly<Record<string, unknown>>, nowMs: number): Period {
  const { from, to, ...others } = query;
  const [other] = Object.keys(others);
  if (other !== undefined) return { kind: 'fault', why: `there is no parameter ${JSON.stringify(other.slice(0, 40))}; there are from and to` };
  if (!isOnce(from) || !isOnce(to)) return { kind: 'fault', why: 'from and to may be given once each' };
  return readPeriod(from, to, nowMs);
}

function isOnce(given: unknown): given is string | undefined {
  return given === undefined || typeof given === 'string';
}

/** Days (YYYY-MM-DD, UTC; `to` is the last day) or instants; without `from` all, without `to` up to now. */
export function readPeriod(from: string | undefined, to: string | undefined, nowMs: number): Period {
  const begin = from === undefined ? { ms: 0 } : readTime(from);
  const end = to === undefined ? { ms: nowMs + 1 } : readTime(to);
  if (!begin || !end) return { kind: 'fault', why: 'from and to are days (2026-11-22) or instants (2026-11-22T10:00:00Z) that exist' };
  const endMs = Math.min('isDay' in end ? end.ms + DAY_MS : end.ms, LAST_INSTANT_MS);
  if (begin.ms < FIRST_INSTANT_MS || endMs < FIRST_INSTANT_MS || begin.ms > LAST_INSTANT_MS) return { kind: 'fault', why: 'from and to must lie between the years 1 and 9999' };
  if (begin.ms >= endMs) return { kind: 'fault', why: 'from must be before to' };
  return { kind: 'period', from: new Date(begin.ms), to: new Date(endMs) };
}

function readTime(text: string): { readonly ms: number; readonly isDay?: true } | undefined {
  const [, day = '', time] = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/.exec(text) ?? [];
  const midnight = Date.parse(`${day}T00:00:00Z`);
  // The parser takes the 30th of February as the 2nd of March.
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(day)) return undefined;
  if (time === undefined) return { ms: midnight, isDay: true };
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : { ms };
}
