import { type ChildProcess, fork } from 'node:child_process';
import type { CompileResult } from './compile-cql.ts';
import { executionFlags } from './execution-flags.ts';
import type { WorkerReply, WorkerResult, WorkerTask } from './worker-messages.ts';

export interface PoolOptions {
  readonly size: number;
  /** Of one expression; what a task does before its first expression has the same. */
  readonly timeLimitMs: number;
  readonly memoryLimitMb: number;
}

export type TaskOutcome =
  | { readonly kind: 'done'; readonly results: readonly WorkerResult[]; readonly compiled?: CompileResult }
  /** The worker was ended (`limit`: time) or broke (memory, crash). What it had finished is kept; `at` is what it was doing. */
  | { readonly kind: 'stopped'; readonly limit: 'time' | 'memory'; readonly results: readonly WorkerResult[]; readonly at?: string };

export interface WorkerPool {
  run(task: WorkerTask, timeLimitMs?: number): Promise<TaskOutcome>;
  stop(): Promise<void>;
}

const WARM_UP_LIMIT_MS = 60_000;

/** Workers start at the first task and stay warm. One that hangs or outgrows its memory is killed, and the next task starts another. */
export function createWorkerPool(options: PoolOptions): WorkerPool {
  const idle: ChildProcess[] = [];
  const alive = new Set<ChildProcess>();
  const fresh = new WeakSet<ChildProcess>();
  const waiting: ((worker: ChildProcess) => void)[] = [];
  let stopped = false;

  const acquire = (): Promise<ChildProcess> | ChildProcess => {
    const free = idle.pop();
    if (free) return free;
    if (alive.size < options.size) return start();
    return new Promise((resolve) => waiting.push(resolve));
  };
  const start = (): ChildProcess => {
    const worker = fork(new URL('./worker.ts', import.meta.url), [], {
      env: {}, execArgv: executionFlags(options.memoryLimitMb), serialization: 'advanced',
      // Nothing a payer's code makes an engine print may reach our log.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    hold(worker, false);
    fresh.add(worker);
    alive.add(worker);
    const gone = () => {
      alive.delete(worker);
      const place = idle.indexOf(worker);
      if (place >= 0) idle.splice(place, 1);
    };
    worker.once('exit', gone).on('error', gone);
    return worker;
  };
  const release = (worker: ChildProcess) => {
    const next = waiting.shift();
    if (next) next(alive.has(worker) ? worker : start());
    else if (alive.has(worker)) idle.push(worker);
  };
  const killAll = () => {
    for (const worker of alive) worker.kill('SIGKILL');
  };
  process.once('exit', killAll);

  return {
    async run(task, timeLimitMs = options.timeLimitMs) {
      if (stopped) throw new Error('The worker pool has been stopped');
      const worker = await acquire();
      hold(worker, true);
      // Loading the engines is ours and must not count against the payer's time.
      if (fresh.delete(worker)) await perform(worker, { kind: 'warm-up' }, WARM_UP_LIMIT_MS);
      const outcome = await perform(worker, task, timeLimitMs);
      hold(worker, false);
      if (outcome.kind === 'stopped') {
        alive.delete(worker);
        worker.kill('SIGKILL');
      }
      release(worker);
      return outcome;
    },
    async stop() {
      stopped = true;
      process.off('exit', killAll);
      await Promise.all([...alive].map((worker) => new Promise((resolve) => {
        hold(worker, true);
        worker.once('exit', resolve);
        worker.kill('SIGKILL');
      })));
    },
  };
}

/** An idle worker does not keep the program running. */
function hold(worker: ChildProcess, busy: boolean): void {
  if (busy) {
    worker.ref();
    worker.channel?.ref();
  } else {
    worker.unref();
    worker.channel?.unref();
  }
}

function perform(worker: ChildProcess, task: WorkerTask, timeLimitMs: number): Promise<TaskOutcome> {
  return new Promise((resolve) => {
    const results: WorkerResult[] = [];
    let at: string | undefined;
    let timer: ReturnType<typeof setTimeout>;
    const finish = (outcome: TaskOutcome) => {
      clearTimeout(timer);
      worker.off('message', onMessage).off('error', onBroken).off('exit', onBroken);
      resolve(outcome);
    };
    const onMessage = (message: unknown) => {
      // Only our own worker writes to this channel.
      const told = message as WorkerReply;
      if (told.kind === 'started') {
        at = told.id;
        timer.refresh();
      } else if (told.kind === 'result') results.push(told.result);
      else if (told.kind === 'done') finish({ kind: 'done', results });
      else finish({ kind: 'done', results, compiled: told });
    };
    const stoppedBy = (limit: 'time' | 'memory') => finish({ kind: 'stopped', limit, results, ...(at === undefined ? {} : { at }) });
    const onBroken = () => stoppedBy('memory');
    timer = setTimeout(() => stoppedBy('time'), timeLimitMs);
    worker.on('message', onMessage).on('error', onBroken).on('exit', onBroken);
    worker.send(task, (failed) => {
      if (failed) onBroken();
    });
  });
}
