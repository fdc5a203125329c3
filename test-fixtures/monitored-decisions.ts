import { sql } from 'kysely';
import { tableOf } from '#models/dataset.ts';
import { scoreTable } from '#models/evaluate/score-table.ts';
import type { ModelFile } from '#models/model-file.ts';
import { type SimulatedDecision, simulateDecisions, type SimulationOptions } from '#models/simulate/simulate-decisions.ts';
import { simulatedTable } from '#models/simulate/simulated-table.ts';
import type { OutcomeRecord } from '#prior-auth/learning/outcome-record.ts';
import type { ScoreLog } from '#server/learning/score-log.ts';
import type { Store } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';

export interface MonitoredDecision {
  readonly caseId: string;
  readonly row: Float32Array;
  readonly probability: number;
  readonly decision: SimulatedDecision;
}

/** Simulated decisions with the scores that a model gives them; the first `untold` of them only make the past. */
export function monitoredDecisions(file: ModelFile, count: number, seed: number, options: SimulationOptions & { readonly untold?: number } = {}): MonitoredDecision[] {
  const decisions = simulateDecisions(count, seed, options);
  const table = simulatedTable(decisions);
  const told = table.labels.length - (options.untold ?? 0);
  const late = tableOf(table, Array.from({ length: told }, (_none, index) => table.labels.length - told + index));
  const scores = scoreTable(file, late).model;
  const width = table.features.length;
  const inOrder = [...decisions].sort((a, b) => a.decidedAt - b.decidedAt).slice(-told);
  return inOrder.map((decision, index) => ({ caseId: uuidv7(decision.submittedAt), row: late.rows.slice(index * width, (index + 1) * width), probability: scores[index] ?? 0, decision }));
}

/** Puts them on record as scored when they were submitted and as learned of when they were decided. */
export async function recordMonitored(store: Store, scores: ScoreLog, version: string, told: readonly MonitoredDecision[]): Promise<void> {
  for (const { caseId, row, probability, decision } of told) {
    scores.record({ version, stage: 'live', shownVersion: version, probability, shownProbability: probability, row, caseId, tookMs: 1 + (row[0] ?? 0) / 100, atMs: decision.submittedAt });
  }
  await scores.flush();
  const labels = told.map(({ caseId, decision }) => ({
    id: uuidv7(decision.decidedAt), case_id: caseId, label: decision.denied ? 'denied' : 'approved', at: new Date(decision.decidedAt).toISOString(), submitted: new Date(decision.submittedAt).toISOString(),
    record: {
      itemSequence: 1, label: decision.denied ? 'denied' : 'approved', reasonCodes: [], payerId: decision.facts.payerId ?? 'unknown', policyId: null, policyRevision: null, serviceCodes: [], procedure: decision.facts.procedure ?? null,
      facts: decision.facts, historyAsOf: new Date(decision.submittedAt).toISOString(), patientSex: decision.sex, decidedInMonth: new Date(decision.decidedAt).toISOString().slice(0, 7),
      decisionDays: (decision.decidedAt - decision.submittedAt) / 86_400_000, modelVersion: null, simulated: true,
    } satisfies OutcomeRecord,
  }));
  await sql`insert into learning.label (id, case_id, item_sequence, version, cause, label, record, decided_at, submitted_at, recorded_at, recorded_by)
    select id, case_id, 1, 1, 'decision', label, record, at, submitted, at, 'payer' from jsonb_to_recordset(${JSON.stringify(labels)}::jsonb) as given (id uuid, case_id uuid, label text, record jsonb, at timestamptz, submitted timestamptz)`.execute(store.db);
}
