import { afterEach, describe, expect, it } from 'vitest';
import { openTestStore } from '#test-fixtures/test-store.ts';
import type { Store } from './database.ts';
import { type Jobs, startJobs } from './jobs.ts';

let store: Store;
let jobs: Jobs | undefined;
afterEach(async () => {
  await jobs?.stop();
  await store.close();
});

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 20) {
    if (waited > 10_000) throw new Error('waited 10 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('jobs', () => {
  it('sent within a transaction are rolled back with it', async () => {
    store = await openTestStore();
    jobs = await startJobs(store, (error) => expect.fail(error.message));
    const running = jobs;
    const seen: number[] = [];
    await running.createQueue('count');
    await running.work<{ n: number }>('count', async ({ n }) => {
      seen.push(n);
    });
    await expect(
      store.transaction(async (trx) => {
        await running.sendWithin(trx, 'count', { n: 1 });
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await store.transaction((trx) => running.sendWithin(trx, 'count', { n: 2 }));
    await until(() => seen.length > 0);
    expect(seen).toEqual([2]);
  });

  it('run again after a handler failed', async () => {
    store = await openTestStore();
    jobs = await startJobs(store, (error) => expect.fail(error.message));
    let tries = 0;
    await jobs.createQueue('flaky', { retryDelayMaxSeconds: 1 });
    await jobs.work('flaky', async () => {
      tries += 1;
      if (tries === 1) throw new Error('first try fails');
    });
    await jobs.send('flaky', {});
    await until(() => tries === 2);
  });

  it('that a killed process had begun on the embedded engine run again at once', async () => {
    store = await openTestStore();
    if (store.engine !== 'pglite') return;
    jobs = await startJobs(store, (error) => expect.fail(error.message));
    await jobs.createQueue('begun');
    await jobs.send('begun', { n: 1 });
    await jobs.boss.fetch('begun'); // taken, never finished
    await jobs.stop();
    jobs = await startJobs(store, (error) => expect.fail(error.message));
    let again = 0;
    await jobs.work('begun', async () => {
      again += 1;
    });
    await until(() => again === 1);
  });
});
