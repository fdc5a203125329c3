import type { Transaction } from 'kysely';
import { fromKysely, fromPglite, PgBoss } from 'pg-boss';
import type { AnyDatabase, Store } from './database.ts';

export interface SendOptions {
  /** At most one waiting job per key in a queue. */
  readonly singletonKey?: string;
  readonly startAfterSeconds?: number;
}

export interface Jobs {
  readonly boss: PgBoss;
  /** Makes a queue; doing it again is harmless. Jobs are retried with backoff until `retryLimit`, then kept as failed. */
  createQueue(queue: string, options?: { readonly retryLimit?: number; readonly retryDelayMaxSeconds?: number; readonly expireInSeconds?: number }): Promise<void>;
  send(queue: string, data: object, options?: SendOptions): Promise<void>;
  /** Enqueues inside the caller's transaction and is rolled back with it. */
  sendWithin(trx: Transaction<AnyDatabase>, queue: string, data: object, options?: SendOptions): Promise<void>;
  /** One job at a time per slot. The handler must be idempotent: a killed process's jobs run again. A throw means retry. */
  work<T extends object>(queue: string, handler: (data: T) => Promise<void>, slots?: number): Promise<void>;
  stop(): Promise<void>;
}

export const JOBS_SCHEMA = 'jobs';

/** For the pool of the job machinery, which hands them to pg: a connection that falls silent is given up. Its upkeep may take a while. */
const TIMED = { query_timeout: 30_000, keepAlive: true, keepAliveInitialDelayMillis: 10_000 } as const;

/** Durable jobs on the store's own engine. `onError` receives faults of the job machinery itself. */
export async function startJobs(store: Store, onError: (error: Error) => void): Promise<Jobs> {
  const boss = new PgBoss({
    ...(store.pglite ? { db: fromPglite(store.pglite) } : { ...TIMED, connectionString: store.pool?.options.connectionString ?? '' }),
    schema: JOBS_SCHEMA,
    schedule: false,
    useListenNotify: true,
    superviseIntervalSeconds: 2,
    monitorIntervalSeconds: 2,
    maintenanceIntervalSeconds: 3600,
  });
  boss.on('error', onError);
  await boss.start();
  // The embedded engine has one process only, and it is this one: whatever a killed predecessor left active is free again at once.
  if (store.pglite) await store.pglite.query("update jobs.job set state = 'retry', start_after = now() where state = 'active'");
  const toBoss = (options: SendOptions = {}) => ({
    ...(options.singletonKey === undefined ? {} : { singletonKey: options.singletonKey }),
    ...(options.startAfterSeconds === undefined ? {} : { startAfter: options.startAfterSeconds }),
  });
  return {
    boss,
    async createQueue(queue, options = {}) {
      await boss.createQueue(queue, {
        policy: 'standard',
        notify: true,
        retryLimit: options.retryLimit ?? 20,
        retryDelay: 1,
        retryBackoff: true,
        retryDelayMax: options.retryDelayMaxSeconds ?? 300,
        expireInSeconds: options.expireInSeconds ?? 60,
      });
    },
    async send(queue, data, options) {
      await boss.send(queue, data, toBoss(options));
    },
    async sendWithin(trx, queue, data, options) {
      await boss.send(queue, data, { ...toBoss(options), db: fromKysely(trx) });
    },
    async work<T extends object>(queue: string, handler: (data: T) => Promise<void>, slots = 2) {
      for (let slot = 0; slot < slots; slot += 1) {
        await boss.work<T>(queue, { batchSize: 1, pollingIntervalSeconds: 1, notifyPollingIntervalSeconds: 1 }, async ([job]) => {
          if (job) await handler(job.data);
        });
      }
    },
    async stop() {
      await boss.stop({ graceful: true, timeout: 5_000, close: true });
    },
  };
}
