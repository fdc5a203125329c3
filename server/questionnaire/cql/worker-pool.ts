import { Worker } from 'node:worker_threads';
import type { WorkerReply, WorkerResult, WorkerTask } from './worker-messages.ts';

export interface PoolOptions {
  readonly size: number;
  readonly timeLimitMs: number;
  readonly memoryLimitMb: number;
}

export type TaskOutcome =
  | { readonly kind: 'done'; readonly results: readonly WorkerResult[]; readonly compiled?: Extract<WorkerReply, { kind: 'compiled' | 'refused' }> }
  /** The worker was stopped (`limit`: time) or broke (memory, crash). What it had finished is kept; `at` is what it was doing. */
  | { readonly kind: 'stopped'; readonly limit: 'time' | 'memory'; readonly results: readonly WorkerResult[]; readonly at?: string };

export interface WorkerPool {
  run(task: WorkerTask, timeLimitMs?: number): Promise<TaskOutcome>;
  stop(): Promise<void>;
}

const WARM_UP_LIMIT_MS = 60_000;

/** Workers start at the first task and stay warm. One that hangs or outgrows its memory is ended, and the next task starts another. */
export function createWorkerPool(options: PoolOptions): WorkerPool {
  const idle: Worker[] = [];
  const alive = new Set<Worker>();
  const fresh = new WeakSet<Worker>();
  const waiting: ((worker: Worker) => void)[] = [];
  let stopped = false;

  const acquire = (): Promise<Worker> | Worker => {
    const free = idle.pop();
    if (free) return free;
    if (alive.size < options.size) return start();
    return new Promise((resolve) => waiting.push(resolve));
  };
  const start = (): Worker => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      env: {}, argv: [], execArgv: ['--disable-warning=ExperimentalWarning'], stdin: false, stdout: true, stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: options.memoryLimitMb, maxYoungGenerationSizeMb: 32, stackSizeMb: 8 },
    });
    worker.unref();
    fresh.add(worker);
    // Nothing a payer's code makes an engine print may reach our log.
    worker.stdout.resume();
    worker.stderr.resume();
    alive.add(worker);
    worker.on('error', () => alive.delete(worker));
    worker.once('exit', () => {
      alive.delete(worker);
      const place = idle.indexOf(worker);
      if (place >= 0) idle.splice(place, 1);
    });
    return worker;
  };
  const release = (worker: Worker) => {
    const next = waiting.shift();
    if (next) next(alive.has(worker) ? worker : start());
    else if (alive.has(worker)) idle.push(worker);
  };

  return {
    async run(task, timeLimitMs = options.timeLimitMs) {
      if (stopped) throw new Error('The worker pool has been stopped');
      const worker = await acquire();
      worker.ref();
      // Loading the engines is ours and must not count against the payer's time.
      if (fresh.delete(worker)) await perform(worker, { kind: 'warm-up' }, WARM_UP_LIMIT_MS);
      const outcome = await perform(worker, task, timeLimitMs);
      worker.unref();
      if (outcome.kind === 'stopped') {
        alive.delete(worker);
        await worker.terminate();
      }
      release(worker);
      return outcome;
    },
    async stop() {
      stopped = true;
      await Promise.all([...alive].map((worker) => worker.terminate()));
    },
  };
}

function perform(worker: Worker, task: WorkerTask, timeLimitMs: number): Promise<TaskOutcome> {
  return new Promise((resolve) => {
    const results: WorkerResult[] = [];
    let at: string | undefined;
    const finish = (outcome: TaskOutcome) => {
      clearTimeout(timer);
      worker.off('message', onMessage).off('error', onBroken).off('exit', onBroken);
      resolve(outcome);
    };
    const onMessage = (message: WorkerReply) => {
      if (message.kind === 'started') at = message.id;
      else if (message.kind === 'result') results.push(message.result);
      else if (message.kind === 'done') finish({ kind: 'done', results });
      else finish({ kind: 'done', results, compiled: message });
    };
    const stoppedBy = (limit: 'time' | 'memory') => finish({ kind: 'stopped', limit, results, ...(at === undefined ? {} : { at }) });
    const onBroken = () => stoppedBy('memory');
    const timer = setTimeout(() => stoppedBy('time'), timeLimitMs);
    worker.on('message', onMessage).on('error', onBroken).on('exit', onBroken);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
    worker.postMessage(task);
  });
}
