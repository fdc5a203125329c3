import { describe, expect, it } from 'vitest';
import { DENIAL_RISK_FEATURES, FEATURE_RANGES } from '#prior-auth/learning/features.ts';
import { type DataCheckOptions, dataFaults, refuseFaultyData } from './data-checks.ts';
import type { TrainingTable } from './dataset.ts';
import { seededRandom } from './seeded-random.ts';

const ROWS = 600;
const WIDTH = DENIAL_RISK_FEATURES.length;
const at = (feature: (typeof DENIAL_RISK_FEATURES)[number]) => DENIAL_RISK_FEATURES.indexOf(feature);

/** Sound data: labels depend on a few features, weakly. */
function sound(): TrainingTable & { readonly rows: Float32Array; readonly labels: Uint8Array; readonly times: Float64Array; readonly rowIds: string[]; readonly groups: Record<string, string[]> } {
  const random = seededRandom(11);
  const rows = new Float32Array(ROWS * WIDTH);
  for (let row = 0; row < ROWS; row += 1) {
    DENIAL_RISK_FEATURES.forEach((feature, column) => {
      const [least, most] = FEATURE_RANGES[feature];
      rows[row * WIDTH + column] = random() < 0.1 ? Number.NaN : least + (Math.min(most, 90) - least) * random();
    });
  }
  return {
    features: [...DENIAL_RISK_FEATURES], rows, labels: Uint8Array.from({ length: ROWS }, (_, row) => Number(random() < 0.2 + 0.2 * ((rows[row * WIDTH] ?? 0) > 45 ? 1 : 0))),
    times: Float64Array.from({ length: ROWS }, (_, row) => Date.UTC(2026, Math.floor(row / 100), 1)), groups: { payer: Array.from({ length: ROWS }, (_, row) => (row % 2 === 0 ? 'a' : 'b')) },
    rowIds: Array.from({ length: ROWS }, (_, row) => `row-${row}`), simulated: false, source: 'test',
  };
}
type Table = ReturnType<typeof sound>;

describe('what stops a training', () => {
  it('nothing about sound data', () => expect(dataFaults(sound(), { nowMs: Date.UTC(2026, 10, 22) })).toEqual([]));

  it.each<[string, (table: Table) => Partial<TrainingTable> | void, string, RegExp, DataCheckOptions?]>([
    ['a feature that is missing', () => ({ features: DENIAL_RISK_FEATURES.slice(1) }), 'schema', /Features are missing: criteria_met_count/],
    ['a feature that no score has', ({ features }) => ({ features: [...features, 'denial_reason_count'] }), 'schema', /no score could be given: denial_reason_count/],
    ['another order of features', ({ features }) => ({ features: [...features].reverse() }), 'schema', /another order/],
    ['values that make no rows', ({ rows }) => ({ rows: rows.subarray(1) }), 'schema', /do not make 600 rows/],
    ['groups of another length', () => ({ groups: { payer: ['a'] } }), 'schema', /groups\.payer has 1 entries for 600/],
    ['a label of neither kind', ({ labels }) => void (labels[3] = 2), 'schema', /neither 0 nor 1/],
    ['a share above 1', ({ rows }) => void (rows[at('payer_denial_rate')] = 1.4), 'range', /payer_denial_rate: 1 of 600 rows are outside 0 to 1/],
    ['a negative age of evidence', ({ rows }) => void (rows[at('newest_evidence_age_days')] = -3), 'range', /newest_evidence_age_days: 1/],
    ['an endless number', ({ rows }) => void (rows[at('quantity_to_limit_ratio')] = Infinity), 'range', /quantity_to_limit_ratio: 1/],
    ['a feature that knows the label', ({ rows, labels }) => labels.forEach((label, row) => (rows[row * WIDTH + at('evidence_count')] = label * 10 + (row % 3))), 'leakage', /evidence_count alone tells the label/],
    ['a feature that is the label turned round', ({ rows, labels }) => labels.forEach((label, row) => (rows[row * WIDTH + at('urgent_flag')] = 1 - label)), 'leakage', /urgent_flag alone tells/],
    ['a feature known only of denials', ({ rows, labels }) => labels.forEach((label, row) => (rows[row * WIDTH + at('reason_code_count')] = label === 1 ? 2 : Number.NaN)), 'leakage', /Whether reason_code_count is known/],
    ['features computed after the decision', () => undefined, 'leakage', /features of 1 rows were computed after/, { clock: { computedAt: Float64Array.from({ length: ROWS }, (_, row) => (row === 5 ? 11 : 9)), decidedAt: new Float64Array(ROWS).fill(10) } }],
    ['the same decision twice', ({ rowIds }) => void (rowIds[7] = 'row-6'), 'duplicates', /1 rows are of a decision that is in the table already/],
    ['data read twice', ({ rows, labels }) => {
      for (let row = 0; row < 150; row += 1) {
        rows.copyWithin((row * 2 + 1) * WIDTH, row * 2 * WIDTH, (row * 2 + 1) * WIDTH);
        labels[row * 2 + 1] = labels[row * 2] as number;
      }
    }, 'duplicates', /150 of 600 rows repeat another row/],
    ['hardly a denial', ({ labels }) => void labels.fill(0, 20), 'label-balance', /Only \d+ rows have label 1; at least 30/],
    ['nothing but denials', ({ labels }) => void labels.fill(1), 'label-balance', /Only 0 rows have label 0/],
    ['too few rows', () => undefined, 'label-balance', /600 rows are too few; at least 5000/, { limits: { leastRows: 5000 } }],
    ['rows out of time order', ({ times }) => void times.reverse(), 'time-order', /not in time order: 5 are earlier/],
    ['a row without a time', ({ times }) => void (times[4] = Number.NaN), 'time-order', /no time/],
    ['a decision still to come', () => undefined, 'time-order', /100 rows are of decisions that are still to come/, { nowMs: Date.UTC(2026, 5, 1) - 1 }],
    ['a group that could point at persons', ({ groups }) => void (groups['payer'] as string[]).fill('c', 0, 4), 'rare-values', /groups\.payer: 1 values stand for fewer than 11/],
  ])('%s', (_name, damage, check, message, options) => {
    const table = sound();
    const damaged: TrainingTable = { ...table, ...damage(table) };
    const faults = dataFaults(damaged, options);
    expect(faults.map((fault) => fault.check)).toContain(check);
    expect(faults.map((fault) => fault.message).join('\n')).toMatch(message);
    expect(() => refuseFaultyData(damaged, options)).toThrow(expect.objectContaining({ code: 'TRAINING_REFUSED', message: expect.stringMatching(message) }));
  });

  it('a table of other features, with or without ranges of its own', () => {
    const table = { ...sound(), features: DENIAL_RISK_FEATURES.map((name) => `own_${name}`) };
    expect(dataFaults(table, { ranges: {} })).toEqual([]);
    expect(dataFaults(table, { ranges: { own_urgent_flag: [0, 0.1], other: [0, 1] } }).map(({ message }) => message)).toEqual(['Features are missing: other.']);
    expect(dataFaults(table, { ranges: { own_urgent_flag: [0, 0.1] } }).map(({ check }) => check)).toEqual(['range']);
  });

  it('a group of synthetic persons may be small', () => {
    const table = sound();
    (table.groups['payer'] as string[]).fill('c', 0, 4);
    expect(dataFaults({ ...table, simulated: true })).toEqual([]);
  });
});
