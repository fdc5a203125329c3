import { type TrainingTable, tableOf } from '#models/dataset.ts';
import type { ModelBundle } from '#models/model-file.ts';
import { simulateDecisions } from '#models/simulate/simulate-decisions.ts';
import { simulatedTable } from '#models/simulate/simulated-table.ts';
import { trainModel } from '#models/train/train-model.ts';

export const TRAINED_AT = '2026-11-01T00:00:00.000Z';

/** Small simulated decisions, as every test of models may use them. */
export const smallTable = (): TrainingTable => simulatedTable(simulateDecisions(3_200, 7));

/** A model of 25 trees on the small table; another seed is another version of the same worth. */
export function smallModel(table: TrainingTable, seed: number): Promise<ModelBundle> {
  return trainModel(table, { kind: 'denial-risk', seed, trainedAt: TRAINED_AT, trees: 25, rowShare: 1, columnShare: 1 });
}

/** A model that learned from the same rows with their labels shuffled: it knows nothing. */
export function ignorantModel(table: TrainingTable): Promise<ModelBundle> {
  const labels = table.labels.map((_, row) => table.labels[(row * 3_571) % table.labels.length] as number);
  return smallModel({ ...tableOf(table, [...table.times.keys()]), labels }, 99);
}
