import type { SubgroupLevel } from '#prior-auth/learning-api.ts';
import type { Interval } from '../model-file.ts';
import { difference, wilson, zForPairs } from './intervals.ts';

/** A level with fewer rows is shown with its interval and compared with no other. */
const LEAST_ROWS = 30;

export interface AuditedRow {
  readonly level: string;
  /** Called high risk. */
  readonly selected: boolean;
}

interface DecidedRow extends AuditedRow {
  readonly denied: boolean;
}

/** Greatest difference of the share called high risk between two levels; null with fewer than two levels of enough rows. The interval holds for all pairs at once. */
export function parity(rows: readonly AuditedRow[]): Interval | null {
  return greatestGap(byLevel(rows).map(([, own]) => shareOf(own)));
}

/** The greater of the differences of the true and of the false positive rate between two levels; null as in `parity`. */
export function equalisedOdds(rows: readonly DecidedRow[]): Interval | null {
  const gaps = [true, false].flatMap((denied) => greatestGap(byLevel(rows.filter((row) => row.denied === denied)).map(([, own]) => shareOf(own))) ?? []);
  return gaps.sort((a, b) => b.value - a.value)[0] ?? null;
}

/** Each level's rates. A rate over no rows is null. */
export function levelRates(scored: readonly AuditedRow[], decided: readonly DecidedRow[]): SubgroupLevel[] {
  const known = new Map(byLevel(decided));
  return byLevel(scored).map(([level, rows]) => {
    const own = known.get(level) ?? [];
    const rate = (denied: boolean): Interval | null => {
      const { hits, count } = shareOf(own.filter((row) => row.denied === denied));
      return count === 0 ? null : wilson(hits, count);
    };
    const { hits, count } = shareOf(rows);
    return { level, rows: count, decided: own.length, selectionRate: wilson(hits, count), truePositiveRate: rate(true), falsePositiveRate: rate(false) };
  });
}

function byLevel<R extends AuditedRow>(rows: readonly R[]): [string, R[]][] {
  const levels = new Map<string, R[]>();
  for (const row of rows) {
    const own = levels.get(row.level);
    if (own) own.push(row);
    else levels.set(row.level, [row]);
  }
  return [...levels].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
}

interface Share {
  readonly hits: number;
  readonly count: number;
}

function shareOf(rows: readonly AuditedRow[]): Share {
  return { hits: rows.filter(({ selected }) => selected).length, count: rows.length };
}

function greatestGap(given: readonly Share[]): Interval | null {
  const enough = given.filter(({ count }) => count >= LEAST_ROWS).sort((a, b) => b.hits / b.count - a.hits / a.count);
  const [most, least] = [enough[0], enough.at(-1)];
  if (most === undefined || least === undefined || enough.length < 2) return null;
  const z = zForPairs((enough.length * (enough.length - 1)) / 2);
  const gap = difference(wilson(most.hits, most.count, z), wilson(least.hits, least.count, z));
  return { ...gap, low: Math.max(0, gap.low) };
}
