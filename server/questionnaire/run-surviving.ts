import type { CqlTask, FhirPathTask, WorkerResult } from './cql/worker-messages.ts';
import { defineId } from './cql/worker-messages.ts';
import type { WorkerPool } from './cql/worker-pool.ts';

/** Runaway expressions of one form after which the rest is not tried any more. */
const MOST_STOPS = 3;

/** Runs a task; an expression that is ended for its time or memory fails alone, and what it kept from running runs without it. */
export async function runSurviving(pool: WorkerPool, given: CqlTask | FhirPathTask): Promise<ReadonlyMap<string, WorkerResult>> {
  const results = new Map<string, WorkerResult>();
  let task: CqlTask | FhirPathTask | undefined = given;
  for (let stops = 0; task && stops < MOST_STOPS; stops += 1) {
    const outcome = await pool.run(task);
    for (const result of outcome.results) results.set(result.id, result);
    if (outcome.kind === 'done') return results;
    const reason = outcome.limit === 'time' ? 'time-limit' : 'memory-limit';
    if (outcome.at === undefined) return results;
    results.set(outcome.at, { kind: 'failed', id: outcome.at, reason });
    task = without(task, results);
  }
  return results;
}

function without(task: CqlTask | FhirPathTask, results: ReadonlyMap<string, WorkerResult>): CqlTask | FhirPathTask | undefined {
  if (task.kind === 'cql') {
    const defines = task.defines.filter((one) => !results.has(defineId(one)));
    return defines.length > 0 ? { ...task, defines } : undefined;
  }
  // Variables run again, for what still needs them.
  const frames = task.frames.map((frame) => ({
    ...frame,
    variables: frame.variables.filter(({ id }) => results.get(id)?.kind !== 'failed'),
    expressions: frame.expressions.filter(({ id }) => !results.has(id)),
  }));
  return frames.some(({ expressions }) => expressions.length > 0) ? { ...task, frames } : undefined;
}
