import type { Logger } from 'pino';
import { ModelError } from '#models/model-error.ts';
import type { ModelBundle } from '#models/model-file.ts';
import { trainModel } from '#models/train/train-model.ts';
import type { LearningAlert, ModelKind, MonitoringReport, ThresholdName, TrainingCause, TrainingRun } from '#prior-auth/learning-api.ts';
import type { Jobs } from '#store/jobs.ts';
import type { Store } from '#store/database.ts';
import type { ModelRegistry } from './registry.ts';
import { RegistryError } from './registry-error.ts';
import { RETRAINING } from './roles.ts';
import { lastTrainedAt, TRAINING_QUEUE, TRAINING_SECONDS, type TrainingEnd, type TrainingRuns } from './training-runs.ts';
import type { TrainingTables } from './training-table.ts';

export interface TriggersOptions {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly log: Logger;
  readonly now: () => number;
  readonly runs: TrainingRuns;
  readonly tables: Pick<TrainingTables, 'make'>;
  readonly registry: Pick<ModelRegistry, 'register' | 'tryGate' | 'liveModel'>;
  /** Days after which a model is trained again though nothing alarmed. */
  readonly scheduleDays?: number;
}

export interface Triggers {
  /** Starts a retraining where the report gives cause; at most one in `COOL_DAYS`. */
  consider(report: MonitoringReport, opened: readonly LearningAlert[]): Promise<void>;
  ask(kind: ModelKind, why: string, who: string): Promise<TrainingRun>;
  start(): Promise<void>;
  /** A training under way is given up and begun again at the next start. */
  stop(): Promise<void>;
}

const DAY_MS = 86_400_000;
/** New decisions need time to come in before another training can see more than the last. */
const COOL_DAYS = 7;
/** Fewer decided cases in the window: nothing to learn that the live model does not know. */
const LEAST_DECIDED = 200;
const BEAT_MS = 1_000;
const CAUSE_OF: Readonly<Partial<Record<ThresholdName, TrainingCause>>> = { 'input-drift': 'drift', 'score-drift': 'drift', 'label-drift': 'drift', 'calibration-error': 'drift', 'auc-fall': 'auc-fall' };

/** Retrainings by themselves. What they make is a candidate at the gate; a person takes it further. */
export function createTriggers({ store, jobs, log, now, runs, tables, registry, scheduleDays = 30 }: TriggersOptions): Triggers {
  const under = new Set<AbortController>();
  let stopping = false;
  const stop = async () => {
    stopping = true;
    for (const controller of under) controller.abort(new Error('the program is stopping'));
    while (under.size > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  };

  const work = async ({ id }: { readonly id: string }): Promise<void> => {
    const run = stopping ? undefined : await runs.begin(id);
    if (!run) return;
    const controller = new AbortController();
    under.add(controller);
    let progress = 0;
    let stopped = run.stopAsked;
    const beating = setInterval(() => {
      runs.beat(id, progress).then((asked) => {
        stopped ||= asked;
        if (asked) controller.abort(new Error('stopped'));
      }, (error: unknown) => log.warn({ err: error, training: id }, 'the progress of a training was not kept'));
    }, BEAT_MS);
    try {
      if (stopped) controller.abort(new Error('stopped'));
      const bundle = await train(run, (share) => { progress = share; }, controller.signal);
      // A training that was quicker than a beat may have been stopped unheard.
      stopped ||= await runs.beat(id, progress);
      if (stopped) throw new Error('stopped');
      const { version } = await registry.register(bundle, { by: RETRAINING, why: `${run.cause}: ${run.why}`, origin: 'trained' });
      const { passed } = await registry.tryGate(version);
      await runs.end(id, { state: 'done', version, passed });
      log.info({ training: id, version, passed }, 'a retraining ended at the gate');
    } catch (error) {
      if (controller.signal.aborted && !stopped) {
        await runs.release(id);
        throw error; // the job runs again at the next start
      }
      await runs.end(id, endOf(error, stopped));
      log.warn({ err: error, training: id, stopped }, 'a retraining brought no model');
    } finally {
      clearInterval(beating);
      under.delete(controller);
    }
  };
  const train = async ({ kind, id }: TrainingRun, onShare: (share: number) => void, signal: AbortSignal): Promise<ModelBundle> => {
    const live = await registry.liveModel(kind);
    const real = await tables.make({ kind, simulated: false, by: RETRAINING.name });
    // Only where a model of simulated decisions serves may simulated decisions train its successor.
    const made = real.faults.length > 0 && live?.file.simulated === true ? await tables.make({ kind, simulated: true, by: RETRAINING.name }) : real;
    if (made.faults.length > 0) throw new ModelError('TRAINING_REFUSED', made.faults.map(({ message }) => message).join(' '));
    signal.throwIfAborted();
    const seed = Number.parseInt(made.dataHash.slice(0, 8), 16);
    log.info({ training: id, rows: made.table.labels.length, simulated: made.table.simulated }, 'a retraining begins');
    return trainModel(made.table, { kind, seed, trainedAt: new Date(now()).toISOString() }, { signal, onProgress: ({ tree, trees }) => onShare(Math.min(0.95, tree / trees)) });
  };
  const begin = async (kind: ModelKind, cause: TrainingCause, why: string): Promise<void> => {
    try {
      await runs.ask({ kind, cause, why, by: RETRAINING.name });
    } catch (error) {
      if (!(error instanceof RegistryError && error.code === 'TRAINING_BUSY')) throw error;
    }
  };

  return {
    async consider(report, opened) {
      if (report.version === null || report.decided < LEAST_DECIDED) return;
      const last = await lastTrainedAt(store, report.kind);
      const live = await registry.liveModel(report.kind);
      const since = now() - Math.max(last ?? 0, live ? Date.parse(live.file.trainedAt) : 0);
      if (last !== null && now() - last < COOL_DAYS * DAY_MS) return;
      const standing = [...opened, ...report.alerts.filter(({ state, openedAt }) => state !== 'closed' && Date.parse(openedAt) > (last ?? 0))];
      const alarm = standing.find(({ threshold }) => CAUSE_OF[threshold] === 'auc-fall') ?? standing.find(({ threshold }) => CAUSE_OF[threshold] !== undefined);
      const cause = alarm && CAUSE_OF[alarm.threshold];
      if (alarm && cause) return begin(report.kind, cause, `${alarm.threshold}${alarm.subject === null ? '' : ` of ${alarm.subject}`} is ${alarm.value.toFixed(3)}, over ${alarm.limit}.`);
      if (since > scheduleDays * DAY_MS) return begin(report.kind, 'schedule', `${scheduleDays} days since the last training.`);
    },
    ask: (kind, why, who) => runs.ask({ kind, cause: 'asked', why, by: who }),
    async start() {
      await jobs.createQueue(TRAINING_QUEUE, { retryLimit: 3, expireInSeconds: TRAINING_SECONDS });
      await jobs.work<{ id: string }>(TRAINING_QUEUE, work, 1);
    },
    stop,
  };
}

function endOf(error: unknown, stopped: boolean): TrainingEnd {
  if (stopped) return { state: 'stopped', problem: 'Stopped by a person.' };
  return { state: 'failed', problem: error instanceof ModelError || error instanceof RegistryError ? error.message : 'The training stopped with a fault; the log says more.' };
}
