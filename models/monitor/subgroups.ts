import type { Interval } from '../model-file.ts';
import { difference, wilson, zForPairs } from './intervals.ts';

/** A level with fewer rows is shown with its interval and compared with no other. */
const LEAST_ROWS = 30;

export interface AuditedRow {
  readonly level: string;
  readonly selected: boolean;
  /** null: not decided. */
  readonly denied: boolean | null;
}

interface Share {
  readonly hits: number;
  readonly count: number;
}

/** Greatest difference of the share called high risk between two levels; null with fewer than two levels of enough rows. Intervals hold for all pairs at once. */
export function parity(rows: readonly AuditedRow[]): Interval | null {
  return greatestGap(byLevel(rows).map(({ selected }) => selected));
}

/** The greater of the differences of the true and of the false positive rate between two levels; null as in `parity`. */
export function equalisedOdds(rows: readonly AuditedRow[]): Interval | null {
  const levels = byLevel(rows);
  const gaps = [greatestGap(levels.map(({ truePositive }) => truePositive)), greatestGap(levels.map(({ falsePositive }) => falsePositive))].filter((gap) => gap !== null);
  return gaps.sort((a, b) => b.value - a.value)[0] ?? null;
}

/** Each level's rates, by the level's name. A rate over no rows is null. */
export function levelRates(rows: readonly AuditedRow[]) {
  const rate = ({ hits, count }: Share): Interval | null => (count === 0 ? null : wilson(hits, count));
  return byLevel(rows).map(({ level, selected, truePositive, falsePositive }) => ({
    level, rows: selected.count, decided: truePositive.count + falsePositive.count,
    selectionRate: wilson(selected.hits, selected.count), truePositiveRate: rate(truePositive), falsePositiveRate: rate(falsePositive),
  }));
}

function byLevel(rows: readonly AuditedRow[]) {
  const share = (of: readonly AuditedRow[]): Share => ({ hits: of.filter(({ selected }) => selected).length, count: of.length });
  const levels = new Map<string, AuditedRow[]>();
  for (const row of rows) {
    const own = levels.get(row.level);
    if (own) own.push(row);
    else levels.set(row.level, [row]);
  }
  return [...levels]
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([level, own]) => ({ level, selected: share(own), truePositive: share(own.filter(({ denied }) => denied === true)), falsePositive: share(own.filter(({ denied }) => denied === false)) }));
}

function greatestGap(given: readonly Share[]): Interval | null {
  const enough = given.filter(({ count }) => count >= LEAST_ROWS).sort((a, b) => b.hits / b.count - a.hits / a.count);
  const [most, least] = [enough[0], enough.at(-1)];
  if (most === undefined || least === undefined || enough.length < 2) return null;
  const z = zForPairs((enough.length * (enough.length - 1)) / 2);
  const gap = difference(wilson(most.hits, most.count, z), wilson(least.hits, least.count, z));
  return { ...gap, low: Math.max(0, gap.low) };
}
