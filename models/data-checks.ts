import { DENIAL_RISK_FEATURES, type DenialRiskFeature, FEATURE_RANGES } from '#prior-auth/learning/features.ts';
import type { TrainingTable } from './dataset.ts';
import { areaUnderRoc } from './evaluate/measures.ts';
import { ModelError } from './model-error.ts';

/** Why a table must not be trained on, in words for whoever started the training. Names columns and counts, never a row. */
export interface DataFault {
  readonly check: 'schema' | 'range' | 'leakage' | 'duplicates' | 'label-balance' | 'time-order' | 'rare-values';
  readonly message: string;
  readonly feature?: string;
}

export interface DataLimits {
  readonly leastRows: number;
  /** Fewest rows of each label. */
  readonly leastOfLabel: number;
  /** A feature that alone ranks the labels this well, with certainty, knows the answer. */
  readonly mostAloneArea: number;
  /** Share of rows that repeat an earlier one in all values, label and time. */
  readonly mostCopies: number;
  /** Group values of fewer rows could point at persons. Tables of simulated decisions are exempt. */
  readonly leastOfGroup: number;
}

export const DATA_LIMITS: DataLimits = { leastRows: 200, leastOfLabel: 30, mostAloneArea: 0.9, mostCopies: 0.2, leastOfGroup: 11 };

/** What a fold of rare values is called; it may itself be rare. */
export const FOLDED = 'other';

export interface DataCheckOptions {
  readonly limits?: Partial<DataLimits>;
  /** Exact instants, epoch ms, where they are known: when each row's features were fixed, and when its decision was made. */
  readonly clock?: { readonly computedAt: Float64Array; readonly decidedAt: Float64Array };
  /** Epoch ms: no decision is later. */
  readonly nowMs?: number;
  /** Default the denial-risk features, those and no others, with their ranges. Given: features that must be there, among any others. */
  readonly ranges?: Readonly<Record<string, readonly [least: number, most: number]>>;
}

/** All that speaks against training on the table; empty when nothing does. */
export function dataFaults(table: TrainingTable, { limits, clock, nowMs, ranges }: DataCheckOptions = {}): readonly DataFault[] {
  const limit = { ...DATA_LIMITS, ...limits };
  const shape = shapeFaults(table, ranges);
  // Of a table whose parts do not fit nothing else can be said.
  if (shape.length > 0) return shape;
  return [
    ...rangeFaults(table, ranges ?? FEATURE_RANGES),
    ...balanceFaults(table, limit),
    ...timeFaults(table, nowMs),
    ...duplicateFaults(table, limit),
    ...leakageFaults(table, limit),
    ...(clock ? clockFaults(clock) : []),
    ...(table.simulated ? [] : rareFaults(table, limit)),
  ];
}

/** Throws TRAINING_REFUSED with every fault in its message. */
export function refuseFaultyData(table: TrainingTable, options?: DataCheckOptions): void {
  const faults = dataFaults(table, options);
  if (faults.length > 0) throw new ModelError('TRAINING_REFUSED', `The data must not be trained on: ${faults.map(({ message }) => message).join(' ')}`);
}

function shapeFaults({ features, rows, labels, times, rowIds, groups }: TrainingTable, ranges: DataCheckOptions['ranges']): DataFault[] {
  const fault = (message: string): DataFault => ({ check: 'schema', message });
  const expected = ranges ? Object.keys(ranges) : DENIAL_RISK_FEATURES;
  const missing = expected.filter((name) => !features.includes(name));
  const foreign = ranges ? [] : features.filter((name) => !expected.includes(name as DenialRiskFeature));
  const count = labels.length;
  const wrong = Object.entries({ times: times.length, rowIds: rowIds.length, ...Object.fromEntries(Object.entries(groups).map(([name, values]) => [`groups.${name}`, values.length])) }).filter(([, length]) => length !== count);
  return [
    ...(missing.length > 0 ? [fault(`Features are missing: ${missing.join(', ')}.`)] : []),
    ...(foreign.length > 0 ? [fault(`Features that no score could be given: ${foreign.join(', ')}.`)] : []),
    ...(!ranges && missing.length + foreign.length === 0 && features.join() !== expected.join() ? [fault('The features stand in another order than the model is asked in.')] : []),
    ...(rows.length === count * features.length ? [] : [fault(`${rows.length} values do not make ${count} rows of ${features.length} features.`)]),
    ...wrong.map(([name, length]) => fault(`${name} has ${length} entries for ${count} rows.`)),
    ...(labels.some((label) => label > 1) ? [fault('A label is neither 0 nor 1.')] : []),
  ];
}

function rangeFaults({ features, rows, labels }: TrainingTable, ranges: Readonly<Record<string, readonly [number, number]>>): DataFault[] {
  return features.flatMap((feature, column): DataFault[] => {
    const [least, most] = ranges[feature] ?? [-Infinity, Infinity];
    let outside = 0;
    for (let row = 0; row < labels.length; row += 1) {
      const value = rows[row * features.length + column] as number;
      if (value < least || value > most || value === Infinity || value === -Infinity) outside += 1;
    }
    return outside === 0 ? [] : [{ check: 'range', feature, message: `${feature}: ${outside} of ${labels.length} rows are outside ${least} to ${most}.` }];
  });
}

function balanceFaults({ labels }: TrainingTable, { leastRows, leastOfLabel }: DataLimits): DataFault[] {
  const positives = labels.reduce((sum, label) => sum + label, 0);
  const negatives = labels.length - positives;
  const fault = (message: string): DataFault => ({ check: 'label-balance', message });
  return [
    ...(labels.length < leastRows ? [fault(`${labels.length} rows are too few; at least ${leastRows} are needed.`)] : []),
    ...(positives < leastOfLabel ? [fault(`Only ${positives} rows have label 1; at least ${leastOfLabel} are needed.`)] : []),
    ...(negatives < leastOfLabel ? [fault(`Only ${negatives} rows have label 0; at least ${leastOfLabel} are needed.`)] : []),
  ];
}

function timeFaults({ times }: TrainingTable, nowMs: number | undefined): DataFault[] {
  const fault = (message: string): DataFault => ({ check: 'time-order', message });
  if (times.some((time) => !Number.isFinite(time))) return [fault('A row has no time.')];
  let back = 0;
  for (let row = 1; row < times.length; row += 1) if ((times[row] as number) < (times[row - 1] as number)) back += 1;
  const future = nowMs === undefined ? 0 : times.reduce((sum, time) => sum + Number(time > nowMs), 0);
  return [
    ...(back > 0 ? [fault(`The rows are not in time order: ${back} are earlier than the row before them, so that a later slice would not be later.`)] : []),
    ...(future > 0 ? [fault(`${future} rows are of decisions that are still to come.`)] : []),
  ];
}

function duplicateFaults({ features, rows, labels, times, rowIds }: TrainingTable, { mostCopies }: DataLimits): DataFault[] {
  const repeatedIds = rowIds.length - new Set(rowIds).size;
  const width = features.length;
  const seen = new Set<string>();
  for (let row = 0; row < labels.length; row += 1) seen.add(`${rows.subarray(row * width, (row + 1) * width).join()} ${labels[row]} ${times[row]}`);
  const copies = labels.length - seen.size;
  return [
    ...(repeatedIds > 0 ? [{ check: 'duplicates', message: `${repeatedIds} rows are of a decision that is in the table already.` } as const] : []),
    ...(copies > mostCopies * labels.length ? [{ check: 'duplicates', message: `${copies} of ${labels.length} rows repeat another row in every value: the same decisions may have been read twice.` } as const] : []),
  ];
}

const RANKED_ROWS = 20_000;

function leakageFaults({ features, rows, labels }: TrainingTable, { mostAloneArea }: DataLimits): DataFault[] {
  const every = Math.max(1, Math.ceil(labels.length / RANKED_ROWS));
  const picked = Array.from({ length: Math.ceil(labels.length / every) }, (_, index) => index * every);
  return features.flatMap((feature, column): DataFault[] => {
    const values = picked.map((row) => rows[row * features.length + column] as number);
    const known = picked.filter((_, index) => !Number.isNaN(values[index]));
    const byValue = surelyAtLeast(Float64Array.from(values.filter((value) => !Number.isNaN(value))), Uint8Array.from(known, (row) => labels[row] as number));
    const byAbsence = surelyAtLeast(Float64Array.from(values, (value) => Number(Number.isNaN(value))), Uint8Array.from(picked, (row) => labels[row] as number));
    return [
      ...(byValue > mostAloneArea ? [{ check: 'leakage', feature, message: `${feature} alone tells the label (area under the curve at least ${byValue.toFixed(2)}): it may have been computed from the decision.` } as const] : []),
      ...(byAbsence > mostAloneArea ? [{ check: 'leakage', feature, message: `Whether ${feature} is known tells the label (at least ${byAbsence.toFixed(2)}): it may be written down only after the decision.` } as const] : []),
    ];
  });
}

/** Lower end of the area's 95 % interval (Hanley and McNeil 1982), in whichever direction the values rank; 0.5 where a label has too few rows to tell. */
function surelyAtLeast(values: Float64Array, labels: Uint8Array): number {
  const positives = labels.reduce((sum, label) => sum + label, 0);
  const negatives = labels.length - positives;
  if (positives < 20 || negatives < 20) return 0.5;
  const either = areaUnderRoc(values, labels);
  const area = Math.max(either, 1 - either);
  const q1 = area / (2 - area);
  const q2 = (2 * area ** 2) / (1 + area);
  const variance = (area * (1 - area) + (positives - 1) * (q1 - area ** 2) + (negatives - 1) * (q2 - area ** 2)) / (positives * negatives);
  return area - 1.96 * Math.sqrt(Math.max(0, variance));
}

function clockFaults({ computedAt, decidedAt }: NonNullable<DataCheckOptions['clock']>): DataFault[] {
  const late = computedAt.reduce((sum, at, row) => sum + Number(!(at <= (decidedAt[row] as number))), 0);
  return late === 0 ? [] : [{ check: 'leakage', message: `The features of ${late} rows were computed after the decision that they are to foretell.` }];
}

function rareFaults({ groups }: TrainingTable, { leastOfGroup }: DataLimits): DataFault[] {
  return Object.entries(groups).flatMap(([name, values]): DataFault[] => {
    const counts = new Map<string, number>();
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    const rare = [...counts].filter(([value, count]) => value !== FOLDED && count < leastOfGroup).length;
    return rare === 0 ? [] : [{ check: 'rare-values', message: `groups.${name}: ${rare} values stand for fewer than ${leastOfGroup} rows each; fold them into "${FOLDED}".` }];
  });
}
