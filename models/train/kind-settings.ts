import type { TrainingTable } from '../dataset.ts';
import type { TrainingParameters } from './parameters.ts';

/** What makes a denial likelier, or less likely, on its face: the model may not learn the opposite from chance. */
const MONOTONE = {
  criteria_not_met_count: 1,
  criteria_unknown_count: 1,
  criteria_met_share: -1,
  has_reason_code_flag: -1,
  requester_known_flag: -1,
  quantity_to_limit_ratio: 1,
} as const;

const DENIAL_RISK = { trees: 300, depth: 4, learningRate: 0.08, minChildWeight: 5, rowShare: 0.8, columnShare: 0.8, earlyStoppingTrees: 25, monotone: MONOTONE } as const;
/** Share of the rows, the earliest, that the stored past shares are counted over. */
const HISTORY_SHARE = 0.6;
/** Pseudo-decisions that pull a small group's share towards the overall one. */
const SMOOTHING = 50;

/** The settings that a kind of model is trained with where the caller names no others. */
export function settingsOf(kind: TrainingParameters['kind'], table: TrainingTable): Partial<TrainingParameters> {
  return kind === 'denial-risk' ? { ...DENIAL_RISK, history: pastShares(table) } : {};
}

/** Smoothed denial shares of the earliest rows by payer, family and both, where the table's audit groups name them. */
function pastShares({ groups, labels, times }: TrainingTable): NonNullable<TrainingParameters['history']> {
  const early = Array.from(times.keys())
    .sort((a, b) => (times[a] as number) - (times[b] as number) || a - b)
    .slice(0, Math.floor(times.length * HISTORY_SHARE));
  const overall = early.reduce((sum, row) => sum + (labels[row] as number), 0) / early.length;
  const sharesBy = (...names: string[]): Record<string, number> => {
    const columns = names.flatMap((name) => (groups[name] ? [groups[name]] : []));
    if (columns.length < names.length) return {};
    const sums = new Map<string, { rows: number; denied: number }>();
    for (const row of early) {
      const values = columns.map((column) => column[row] as string);
      if (values.includes('unknown')) continue;
      const sum = sums.get(values.join('|')) ?? { rows: 0, denied: 0 };
      sums.set(values.join('|'), { rows: sum.rows + 1, denied: sum.denied + (labels[row] as number) });
    }
    const inOrder = [...sums].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(inOrder.map(([key, { rows, denied }]) => [key, (denied + SMOOTHING * overall) / (rows + SMOOTHING)]));
  };
  return { byPayer: sharesBy('payer'), byFamily: sharesBy('service_family'), byPayerAndFamily: sharesBy('payer', 'service_family') };
}
