import type { TrainingTable } from '../dataset.ts';
import { encodeLevel, levelOf } from '../encode.ts';
import type { CategoryEncoder } from '../model-file.ts';
import { seededRandom } from '../seeded-random.ts';

export interface EncodingSettings {
  /** The fields, or pairs of fields, to encode. */
  readonly encode: readonly (readonly string[])[];
  /** Pseudo-rows that pull a small level's rate towards the overall one. */
  readonly smoothing: number;
  readonly folds: number;
  readonly seed: number;
}

/**
 * Target rates and counts of the levels met in the learnt rows, which are the table's first `learnRows`. A learnt row's own columns come from the other folds
 * only, so that no row sees its own label; later rows read the table, as serving does.
 */
export function encodeCategories(table: TrainingTable, learnRows: number, settings: EncodingSettings): { encoders: CategoryEncoder[]; columns: Float32Array[] } {
  const random = seededRandom(settings.seed ^ 0x5bd1e995);
  const folds = Uint8Array.from({ length: learnRows }, () => Math.floor(random() * settings.folds));
  const encoded = settings.encode.map((fields) => {
    const levels = Array.from(table.labels, (_, row) => levelOf(fields, (field) => table.categories?.[field]?.[row] ?? null));
    const encoderOver = (includes: (row: number) => boolean) => encoderOf(fields, levels, table.labels, learnRows, settings.smoothing, includes);
    const whole = encoderOver(() => true);
    const withoutFold = Array.from({ length: settings.folds }, (_, fold) => encoderOver((row) => folds[row] !== fold));
    const rates = new Float32Array(levels.length);
    const counts = new Float32Array(levels.length);
    levels.forEach((level, row) => {
      const learnt = row < learnRows;
      const [rate, count] = encodeLevel(learnt ? (withoutFold[folds[row] as number] as CategoryEncoder) : whole, level);
      rates[row] = rate;
      // Scaled up for the fold left out, so that a count says the same to the trees here and in serving.
      counts[row] = learnt ? (count * settings.folds) / (settings.folds - 1) : count;
    });
    return { encoder: whole, columns: [rates, counts] };
  });
  return { encoders: encoded.map(({ encoder }) => encoder), columns: encoded.flatMap(({ columns }) => columns) };
}

function encoderOf(fields: readonly string[], levels: readonly (string | null)[], labels: Uint8Array, learnRows: number, smoothing: number, includes: (row: number) => boolean): CategoryEncoder {
  const sums = new Map<string, { rows: number; positives: number }>();
  let rows = 0;
  let positives = 0;
  for (let row = 0; row < learnRows; row += 1) {
    if (!includes(row)) continue;
    const label = labels[row] as number;
    rows += 1;
    positives += label;
    const level = levels[row];
    if (level === null || level === undefined) continue;
    const sum = sums.get(level) ?? { rows: 0, positives: 0 };
    sum.rows += 1;
    sum.positives += label;
    sums.set(level, sum);
  }
  const overall = positives / Math.max(1, rows);
  const inOrder = [...sums].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    name: fields.join('_'),
    fields: [...fields],
    overall,
    levels: Object.fromEntries(inOrder.map(([level, sum]) => [level, { rate: (sum.positives + smoothing * overall) / (sum.rows + smoothing), count: sum.rows }])),
  };
}
