import { sql } from 'kysely';
import type { ModelKind, TrainingCause, TrainingRun } from '#prior-auth/learning-api.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import type { Jobs } from '#store/jobs.ts';
import { uuidv7 } from '#store/uuid.ts';
import type { MonitoringTables } from './monitoring-tables.ts';
import { RegistryError } from './registry-error.ts';

export interface TrainingAsk {
  readonly kind: ModelKind;
  readonly cause: TrainingCause;
  readonly why: string;
  readonly by: string;
}

export type TrainingEnd = { readonly state: 'done'; readonly version: string; readonly passed: boolean } | { readonly state: 'failed' | 'stopped'; readonly problem: string };

/** The record of retrainings: at most one waits or runs, in all processes together. */
export interface TrainingRuns {
  /** The newest first. */
  list(kind?: ModelKind): Promise<readonly TrainingRun[]>;
  /** Also queues its job. @throws RegistryError TRAINING_BUSY */
  ask(ask: TrainingAsk): Promise<TrainingRun>;
  /** The run, now running; undefined when it was stopped or has ended. */
  begin(id: string): Promise<(TrainingRun & { readonly stopAsked: boolean }) | undefined>;
  /** Says how far it is; true: somebody asked to stop it. */
  beat(id: string, progress: number): Promise<boolean>;
  /** Given up by its process, to be begun again. */
  release(id: string): Promise<void>;
  end(id: string, end: TrainingEnd): Promise<void>;
  /** A waiting one ends at once, a running one as soon as its process hears of it. */
  stop(id: string, who: string): Promise<void>;
}

export const TRAINING_QUEUE = 'learning-training';
/** Longest a training takes. */
export const TRAINING_SECONDS = 7_200;
const SHOWN = 50;

export function createTrainingRuns({ store, jobs, audit, now }: { readonly store: Store; readonly jobs: Pick<Jobs, 'sendWithin'>; readonly audit: AuditTrail; readonly now: () => number }): TrainingRuns {
  const db = store.db.withTables<MonitoringTables>();
  const at = (): string => new Date(now()).toISOString();
  const end = (id: string, { state, ...came }: TrainingEnd): Promise<void> =>
    store.transaction(async (trx) => {
      const ended = await trx.withTables<MonitoringTables>().updateTable('monitoring.training').set({ state, ...came, ended_at: at(), ...(state === 'done' ? { progress: 1 } : {}) }).where('id', '=', id).where('ended_at', 'is', null).returning('asked_by').executeTakeFirst();
      if (ended) await audit.recordWithin(trx, { action: 'training-ended', who: ended.asked_by, outcome: state === 'done' ? 'success' : 'failed', details: { training: id, state, ...('version' in came ? { version: came.version, gate: came.passed } : {}) } });
    });
  return {
    async list(kind) {
      const all = db.selectFrom('monitoring.training').selectAll();
      const rows = await (kind === undefined ? all : all.where('kind', '=', kind)).orderBy('asked_at', 'desc').orderBy('id', 'desc').limit(SHOWN).execute();
      return rows.map(toRun);
    },
    ask: ({ kind, cause, why, by }) =>
      store.transaction(async (trx) => {
        const id = uuidv7(now());
        const tables = trx.withTables<MonitoringTables>();
        // Of a process that died, and whose job was not begun again either.
        const lost = new Date(now() - 2 * TRAINING_SECONDS * 1000).toISOString();
        await tables.updateTable('monitoring.training').set({ state: 'failed', problem: 'Its process gave no sign any more.', ended_at: at() }).where('ended_at', 'is', null).where('beat_at', '<', sql<Date>`${lost}::timestamptz`).execute();
        const row = await tables
          .insertInto('monitoring.training')
          .values({ id, kind, cause, why, asked_by: by, state: 'waiting', stop_asked_by: null, progress: 0, asked_at: at(), beat_at: at(), ended_at: null, version: null, passed: null, problem: null })
          .onConflict((conflict) => conflict.doNothing())
          .returningAll()
          .executeTakeFirst();
        if (!row) throw new RegistryError('TRAINING_BUSY', 'A training waits or runs already; there is one at a time.', { nextStep: 'Wait for its end, or stop it.' });
        await jobs.sendWithin(trx, TRAINING_QUEUE, { id });
        await audit.recordWithin(trx, { action: 'training-asked', who: by, details: { training: id, kind, cause } });
        return toRun(row);
      }),
    async begin(id) {
      const row = await db.updateTable('monitoring.training').set({ state: 'running', beat_at: at() }).where('id', '=', id).where('ended_at', 'is', null).returningAll().executeTakeFirst();
      return row && { ...toRun(row), stopAsked: row.stop_asked_by !== null };
    },
    async beat(id, progress) {
      const row = await db.updateTable('monitoring.training').set({ progress, beat_at: at() }).where('id', '=', id).where('ended_at', 'is', null).returning('stop_asked_by').executeTakeFirst();
      return row === undefined || row.stop_asked_by !== null;
    },
    async release(id) {
      await db.updateTable('monitoring.training').set({ state: 'waiting', progress: 0 }).where('id', '=', id).where('ended_at', 'is', null).execute();
    },
    end,
    async stop(id, who) {
      const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
      const row = isId ? await db.updateTable('monitoring.training').set({ stop_asked_by: who }).where('id', '=', id).where('ended_at', 'is', null).returning(['id', 'state']).executeTakeFirst() : undefined;
      if (!row) throw new RegistryError('TRAINING_NOT_FOUND', 'No training of this id waits or runs.', { nextStep: 'Load the page again.' });
      audit.record({ action: 'training-stopped', who, details: { training: id } });
      if (row.state === 'waiting') await end(id, { state: 'stopped', problem: `Stopped by ${who}.` });
    },
  };
}

/** Newest end of a run of this kind, epoch ms; asked for by triggers. */
export async function lastTrainedAt(store: Store, kind: ModelKind): Promise<number | null> {
  const { rows } = await sql<{ at: Date | string | null }>`select max(asked_at) as at from monitoring.training where kind = ${kind} and state <> 'stopped'`.execute(store.db);
  const at = rows[0]?.at ?? null;
  return at === null ? null : new Date(at).getTime();
}

interface RunRow {
  readonly id: string;
  readonly kind: ModelKind;
  readonly cause: TrainingCause;
  readonly why: string;
  readonly asked_by: string;
  readonly state: TrainingRun['state'];
  readonly progress: number;
  readonly asked_at: Date;
  readonly ended_at: Date | null;
  readonly version: string | null;
  readonly passed: boolean | null;
  readonly problem: string | null;
}

function toRun({ id, kind, cause, why, state, progress, version, problem, passed, ...row }: RunRow): TrainingRun {
  return {
    id, kind, cause, why, askedBy: row.asked_by, state, progress, askedAt: new Date(row.asked_at).toISOString(), endedAt: row.ended_at === null ? null : new Date(row.ended_at).toISOString(),
    version, passed, problem,
  };
}
