import { AsyncLocalStorage } from 'node:async_hooks';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { CompiledQuery, Kysely, type KyselyPlugin, PGliteDialect, PostgresDialect, sql, type Transaction } from 'kysely';
import type pg from 'pg';
import { type DirectoryLock, lockDirectory } from './directory-lock.ts';
import { StoreError } from './errors.ts';
import { openConnections, type PostgresConnections } from './postgres-connections.ts';
import { type EmbeddedEngine, openThreadedEngine } from './threaded-engine.ts';

/** Each part names its own tables: `store.db.withTables<EhrTables>()`, with `type EhrTables = { 'ehr.resource': {…} }`. */
export type AnyDatabase = Record<string, never>;

export interface Store {
  readonly engine: 'pglite' | 'postgresql';
  readonly db: Kysely<AnyDatabase>;
  /** The embedded engine itself, for libraries that speak to it directly (pg-boss). */
  readonly pglite?: EmbeddedEngine;
  readonly pool?: pg.Pool;
  /** Runs `work` in one transaction. Inside it, only the given handle may be used: the root `db` refuses, because on the embedded engine it would wait for ever. */
  transaction<T>(work: (trx: Transaction<AnyDatabase>) => Promise<T>): Promise<T>;
  /** The same store for statements that may rightly take so long; undefined: as long as they take. */
  answeringWithin(ms: number | undefined): Store;
  close(): Promise<void>;
}

export interface StoreOptions {
  /** Folder of the embedded database; used when `databaseUrl` is absent. `memory` keeps nothing. */
  readonly dataDir: string;
  /** postgres://… selects PostgreSQL. */
  readonly databaseUrl?: string | undefined;
  /** How long PostgreSQL may leave a statement unanswered before its connection is given up. Default: any time, as for a command that somebody watches. */
  readonly answerWithinMs?: number | undefined;
}

const insideTransaction = new AsyncLocalStorage<true>();

export async function openStore({ dataDir, databaseUrl, answerWithinMs }: StoreOptions): Promise<Store> {
  return databaseUrl ? openPostgres(databaseUrl, answerWithinMs) : openEmbedded(dataDir);
}

async function openEmbedded(dataDir: string): Promise<Store> {
  let lock: DirectoryLock | undefined;
  if (dataDir !== 'memory') {
    makeFolder(dataDir);
    lock = await lockDirectory(dataDir);
  }
  const pglite = await openThreadedEngine(dataDir);
  const db = new Kysely<AnyDatabase>({ dialect: new PGliteDialect({ pglite }), plugins: [refuseInsideTransaction] });
  const store: Store = {
    engine: 'pglite',
    db,
    pglite,
    transaction: (work) => runTransaction(db, work),
    answeringWithin: () => store,
    close: async () => {
      await db.destroy();
      if (!pglite.closed) await pglite.close();
      await lock?.release();
    },
  };
  return store;
}

function makeFolder(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new StoreError('STORE_FOLDER_UNUSABLE', `The data folder ${dataDir} cannot be made or written. Set DATA_DIR to a folder this user may write to.`, { cause });
  }
}

async function openPostgres(connectionString: string, answerWithinMs: number | undefined): Promise<Store> {
  const store = storeOn(openConnections(connectionString), answerWithinMs);
  try {
    await sql`select 1`.execute(store.db);
  } catch (cause) {
    await store.close();
    throw new StoreError('STORE_UNREACHABLE', 'PostgreSQL did not answer. Check DATABASE_URL and that the server runs.', { cause });
  }
  return store;
}

function storeOn(connections: PostgresConnections, answerWithinMs: number | undefined): Store {
  const db = new Kysely<AnyDatabase>({ dialect: new PostgresDialect({ pool: connections.answeringWithin(answerWithinMs) }), plugins: [refuseInsideTransaction] });
  return {
    engine: 'postgresql',
    db,
    pool: connections.pool,
    transaction: (work) => runTransaction(db, work),
    answeringWithin: (ms) => storeOn(connections, ms),
    close: () => connections.close(),
  };
}

function runTransaction<T>(db: Kysely<AnyDatabase>, work: (trx: Transaction<AnyDatabase>) => Promise<T>): Promise<T> {
  return db.transaction().execute((trx) => insideTransaction.run(true, () => work(trx.withoutPlugins())));
}

/**
 * On the embedded engine the root handle used inside a transaction waits for ever; on PostgreSQL it silently writes outside it. Refuse on both.
 * Transactions are handed out without plugins, so this sees root queries only.
 */
const refuseInsideTransaction: KyselyPlugin = {
  transformQuery: ({ node }) => {
    if (insideTransaction.getStore()) {
      throw new StoreError('STORE_OUTSIDE_TRANSACTION', 'The root database handle was used inside a transaction. Use the handle the transaction gave.');
    }
    return node;
  },
  transformResult: async ({ result }) => result,
};

/** Runs plain SQL statements of a migration. */
export async function runSql(db: Kysely<AnyDatabase>, statements: string): Promise<void> {
  for (const statement of statements.split(/;\s*(?:\n|$)/).map((s) => s.trim()).filter(Boolean)) {
    await db.executeQuery(CompiledQuery.raw(statement));
  }
}
