import type { Figures, Interval } from '../model-file.ts';

/** What a model is worth on one table. Every figure has a 95 % interval from a seeded bootstrap. */
export interface Evaluation extends Figures {
  readonly modelVersion: string;
  readonly source: string;
  readonly simulated: boolean;
  readonly rows: number;
  readonly baseRate: number;
  /** First and last decision, ISO. */
  readonly from: string;
  readonly to: string;
  /** Probability from which a row counts as selected in the subgroup table. */
  readonly threshold: number;
  readonly subgroups: readonly SubgroupRow[];
  /** The plain logistic regression of the bundle on the same rows; null when it has none (imported models). */
  readonly logistic: Figures | null;
}

/** One level of one audit group. A rate over no rows is null. */
export interface SubgroupRow {
  readonly group: string;
  readonly level: string;
  readonly rows: number;
  readonly baseRate: number;
  readonly selectionRate: Interval;
  readonly truePositiveRate: Interval | null;
  readonly falsePositiveRate: Interval | null;
}
