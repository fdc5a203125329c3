import { readFile } from 'node:fs/promises';
import { appealTable } from '#models/appeals/appeal-table.ts';
import { readImrFile } from '#models/appeals/imr-file.ts';
import { dataFaults } from '#models/data-checks.ts';
import type { ModelFile } from '#models/model-file.ts';
import { simulateDecisions } from '#models/simulate/simulate-decisions.ts';
import { simulatedTable } from '#models/simulate/simulated-table.ts';
import type { GateEvidence } from './gate.ts';
import type { TrainingTables } from './training-table.ts';

/** Fewer rows on record teach nothing that a later slice could confirm. */
const LEAST_ROWS = 2_500;
const SIMULATED_ROWS = 20_000;
/** Another draw than the one the shipped model learned from. */
const SIMULATED_SEED = 4_711;

/**
 * The decisions that a denial-risk model is trained or measured on: payers' own as soon as there are enough. Until then, where simulated ones will do, those of the
 * sandbox's payer on record, else freshly simulated ones.
 */
export async function decisionTable(tables: TrainingTables, { simulated, by }: { readonly simulated: boolean; readonly by: string }): Promise<GateEvidence> {
  const real = await tables.make({ kind: 'denial-risk', simulated: false, by });
  if (!simulated || real.table.labels.length >= LEAST_ROWS) return real;
  const sandbox = await tables.make({ kind: 'denial-risk', simulated: true, by });
  if (sandbox.table.labels.length >= LEAST_ROWS) return sandbox;
  const table = simulatedTable(simulateDecisions(SIMULATED_ROWS, SIMULATED_SEED));
  return { table, faults: dataFaults(table) };
}

/** California's determinations, as the appeal model of this lineage sees them: levels rare where it learned are unknown to it. */
export async function appealEvidence(path: string, { lineage }: ModelFile): Promise<GateEvidence> {
  const determinations = readImrFile(await readFile(path, 'utf8'));
  const { split } = lineage.parameters as { readonly split?: { readonly trainUntil?: unknown } };
  const learnBefore = typeof split?.trainUntil === 'number' ? new Date(split.trainUntil).getUTCFullYear() : Number.POSITIVE_INFINITY;
  const table = appealTable(determinations, learnBefore);
  // A public file that tells years and categories only: rows repeat, and its own publisher folded what is rare.
  return { table, faults: dataFaults(table, { ranges: {}, limits: { mostCopies: 1, leastOfGroup: 1 } }) };
}
