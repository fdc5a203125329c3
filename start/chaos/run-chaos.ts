import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openStore } from '#store/database.ts';
import { chanceOf } from './chance.ts';
import { type Child, startChild } from './child.ts';
import type { Entered } from './enter-case.ts';
import type { MemberReport } from './payer-ledger.ts';
import { type Check, type EnteredCase, judge } from './verdict.ts';
import { freePort } from '../../tools/free-port.ts';

export interface ChaosOptions {
  readonly cases: number;
  readonly seed: number;
  /** After it the run ends, decided or not. */
  readonly limitMs: number;
  /** Of a PostgreSQL server, on which a database is made for the run; without it the embedded engine and one process. */
  readonly serverUrl?: string | undefined;
  /** How long a process lives before it is killed, milliseconds at least and at most. */
  readonly lifeMs: readonly [number, number];
  readonly timeoutMs: number;
  /** Cases entered a second, at most. */
  readonly perSecond: number;
  readonly progress: (line: string) => void;
}

export interface ChaosResult {
  readonly checks: readonly Check[];
  readonly violations: number;
  readonly kills: number;
  readonly repeatedEntries: number;
  readonly arrivals: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly ms: number;
}

interface PayerReport {
  readonly members: readonly MemberReport[];
  readonly pended: number;
  readonly counts: Readonly<Record<string, number>>;
}

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Enters cases while the payer misbehaves and our processes are killed, waits until all are decided, and judges. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { seed, limitMs, lifeMs, timeoutMs, progress } = options;
  const chance = chanceOf(seed);
  const startedAt = performance.now();
  const place = await makePlace(options.serverUrl);
  const payer = await startChild('payer-process.ts', { CHAOS_SEED: String(seed), CHAOS_SLOWEST_MS: String(timeoutMs * 1.5) });
  const port = await freePort();
  const env = { CHAOS_PORT: String(port), CHAOS_PAYER: payer.base, CHAOS_TIMEOUT_MS: String(timeoutMs), CHAOS_DATA_DIR: place.dataDir, CHAOS_DATABASE_URL: place.databaseUrl ?? '' };
  const ending = new AbortController();
  let kills = 0;
  const report = async () => (await (await fetch(`${payer.base}/report`)).json()) as PayerReport;

  const liveAndDie = async (slot: number): Promise<void> => {
    for (let life = 0; ; life += 1) {
      const child: Child = await startChild('worker-process.ts', env);
      const until = performance.now() + lifeMs[0] + chance('life', slot, life) * (lifeMs[1] - lifeMs[0]);
      while (!ending.signal.aborted && performance.now() < until) await later(50);
      if (ending.signal.aborted) return child.stop();
      kills += 1;
      await child.kill();
    }
  };
  // The tables are made once, before two processes would make them at the same time.
  await (await startChild('worker-process.ts', env)).stop();
  const workers = Array.from({ length: place.databaseUrl ? 2 : 1 }, (_each, slot) => liveAndDie(slot));
  try {
    const entering = enterAll(options, `http://127.0.0.1:${port}`, () => performance.now() - startedAt > limitMs);
    let entered: { readonly cases: readonly EnteredCase[]; readonly repeated: number } | undefined;
    void entering.then((done) => (entered = done), () => undefined);
    let counted: Counted = { known: 0, done: 0 };
    for (let said = 0; ; ) {
      await Promise.race([later(300), ...workers]);
      counted = (await countDecided(`http://127.0.0.1:${port}`)) ?? counted;
      const { done, known } = counted;
      const elapsed = performance.now() - startedAt;
      if (elapsed - said > 5_000) {
        said = elapsed;
        progress(`${(elapsed / 1000).toFixed(0).padStart(4)} s  ${known} cases, ${done} decided, ${kills} kills`);
      }
      if ((entered && done >= options.cases) || elapsed > limitMs) break;
    }
    const { cases, repeated } = await entering;
    ending.abort();
    await Promise.all(workers);
    const { members, counts } = await report();
    const store = await openStore({ dataDir: place.dataDir, databaseUrl: place.databaseUrl });
    try {
      const checks = [{ what: 'not entered in time', violations: options.cases - cases.length, examples: [] }, ...(await judge(store, cases, members))];
      return {
        checks,
        violations: checks.reduce((sum, { violations }) => sum + violations, 0),
        kills,
        repeatedEntries: repeated,
        arrivals: members.reduce((sum, { arrivals }) => sum + arrivals, 0),
        counts,
        ms: performance.now() - startedAt,
      };
    } finally {
      await store.close();
    }
  } finally {
    ending.abort();
    await Promise.allSettled(workers);
    await payer.kill();
    await place.remove();
  }
}

/** Asks for each case until one of our processes says that it is stored. */
async function enterAll({ cases, perSecond }: ChaosOptions, base: string, isOver: () => boolean): Promise<{ readonly cases: readonly EnteredCase[]; readonly repeated: number }> {
  const entered: EnteredCase[] = [];
  let repeated = 0;
  let next = 0;
  const startedAt = performance.now();
  const lane = async () => {
    while (next < cases && !isOver()) {
      const n = next++;
      const early = (n / perSecond) * 1000 - (performance.now() - startedAt);
      if (early > 0) await later(early);
      for (;;) {
        const answer = await ask(`${base}/chaos/case?n=${n}`, 'POST');
        if (answer) {
          const { caseId, member, repeated: wasThere } = answer as Entered;
          entered.push({ caseId, member });
          if (wasThere) repeated += 1;
          break;
        }
        if (isOver()) return;
        await later(100);
      }
    }
  };
  await Promise.all(Array.from({ length: 4 }, lane));
  return { cases: entered, repeated };
}

interface Counted {
  readonly known: number;
  readonly done: number;
}

async function countDecided(base: string): Promise<Counted | undefined> {
  return (await ask(`${base}/chaos/progress`, 'GET')) as Counted | undefined;
}

/** Undefined when the process that had the request was killed, or none is there. */
async function ask(url: string, method: 'GET' | 'POST'): Promise<unknown> {
  try {
    const response = await fetch(url, { method, signal: AbortSignal.timeout(10_000) });
    const body: unknown = await response.json();
    return response.ok ? body : undefined;
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError || (error instanceof Error && error.name === 'TimeoutError')) return undefined;
    throw error;
  }
}

interface Place {
  readonly dataDir: string;
  readonly databaseUrl?: string;
  remove(): Promise<void>;
}

async function makePlace(serverUrl: string | undefined): Promise<Place> {
  if (!serverUrl) {
    const dataDir = mkdtempSync(join(tmpdir(), 'opa-chaos-'));
    return { dataDir, remove: async () => rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }) };
  }
  const name = `chaos_${randomBytes(6).toString('hex')}`;
  const server = new pg.Client({ connectionString: serverUrl });
  await server.connect();
  await server.query(`create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    dataDir: 'memory',
    databaseUrl: url.toString(),
    remove: async () => {
      await server.query(`drop database if exists ${name} with (force)`);
      await server.end();
    },
  };
}
