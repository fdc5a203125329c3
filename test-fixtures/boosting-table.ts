import type { TrainingTable } from '#models/dataset.ts';
import { seededRandom } from '#models/seeded-random.ts';

/** Columns that matter: steps, a curve, two meetings of columns, and a value whose absence says something. The rest is noise. */
const INFORMATIVE = 8;
const DAY_MS = 86_400_000;

/** Rows of invented numbers for measuring the trainer; the same arguments give the same table. Values have one decimal, so that every trainer can bin them exactly; one in twenty is unknown. */
export function boostingTable(rowCount: number, featureCount: number, seed: number): TrainingTable {
  const random = seededRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const rows = new Float32Array(rowCount * featureCount);
  const labels = new Uint8Array(rowCount);
  for (let row = 0; row < rowCount; row += 1) {
    const values = rows.subarray(row * featureCount, (row + 1) * featureCount);
    for (let feature = 0; feature < featureCount; feature += 1) values[feature] = Math.round(normal() * 10) / 10;
    const at = (feature: number) => values[feature] as number;
    const absent = random() < 0.3;
    const logOdds = -1 + 0.9 * at(0) + (at(1) > 0.5 ? 1 : 0) - 0.5 * at(2) ** 2 + at(3) * at(4) + (at(5) > 0 && at(6) > 0 ? 1 : 0) + (absent ? 0.8 : 0);
    labels[row] = random() < 1 / (1 + Math.exp(-logOdds)) ? 1 : 0;
    if (absent) values[INFORMATIVE - 1] = Number.NaN;
    for (let feature = 0; feature < featureCount; feature += 1) if (random() < 0.05) values[feature] = Number.NaN;
  }
  return {
    features: Array.from({ length: featureCount }, (_, feature) => `x${feature}`),
    rows,
    labels,
    times: Float64Array.from(labels, (_, row) => Date.UTC(2026, 0, 1) + Math.floor((row / rowCount) * 200) * DAY_MS),
    groups: {},
    rowIds: Array.from(labels, (_, row) => `row-${row}`),
    simulated: true,
    source: 'invented numbers',
  };
}
