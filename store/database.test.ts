import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { openStore, type Store } from './database.ts';
import { migratePart } from './migrate.ts';

type Tables = { 'shelf.book': { id: number; title: string } };
const migrations = { '000001-book': 'create schema if not exists shelf;\ncreate table shelf.book (id integer primary key, title text not null)' };

const open: Store[] = [];
const folders: string[] = [];
const keep = (store: Store): Store => {
  open.push(store);
  return store;
};
const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'opa-store-'));
  folders.push(folder);
  return folder;
};
afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe('the store', () => {
  it('keeps a transaction whole, and drops it whole', async () => {
    const store = keep(await openTestStore());
    await migratePart(store, 'shelf', migrations);
    await store.transaction(async (trx) => {
      await trx.withTables<Tables>().insertInto('shelf.book').values({ id: 1, title: 'kept' }).execute();
    });
    await expect(
      store.transaction(async (trx) => {
        await trx.withTables<Tables>().insertInto('shelf.book').values({ id: 2, title: 'dropped' }).execute();
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await store.db.withTables<Tables>().selectFrom('shelf.book').select('title').execute()).toEqual([{ title: 'kept' }]);
  });

  it('refuses the root handle inside a transaction instead of waiting for ever', async () => {
    const store = keep(await openTestStore());
    await migratePart(store, 'shelf', migrations);
    await expect(store.transaction(() => store.db.withTables<Tables>().selectFrom('shelf.book').selectAll().execute())).rejects.toMatchObject({ code: 'STORE_OUTSIDE_TRANSACTION' });
  });

  it('gives counts as numbers on both engines', async () => {
    const store = keep(await openTestStore());
    const { rows } = await sql<{ n: unknown }>`select count(*) as n from (values (1), (2)) as v`.execute(store.db);
    expect(rows).toEqual([{ n: 2 }]);
  });

  it('migrates once, and twice is harmless', async () => {
    const store = keep(await openTestStore());
    await migratePart(store, 'shelf', migrations);
    await migratePart(store, 'shelf', { ...migrations, '000002-year': 'alter table shelf.book add column year integer' });
    await sql`insert into shelf.book (id, title, year) values (1, 'x', 1999)`.execute(store.db);
    expect(await store.db.withTables<Tables>().selectFrom('shelf.book').selectAll().execute()).toHaveLength(1);
  });

  it('migrates all or nothing, and once however many ask at the same time', async () => {
    const store = keep(await openTestStore());
    await expect(migratePart(store, 'shelf', { ...migrations, '000002-wrong': 'create table shelf.other (id integer);\nalter table shelf.nowhere add column x integer' })).rejects.toMatchObject({ code: '42P01' });
    expect((await sql`select to_regclass('shelf.book') as book, to_regclass('migrations_shelf') as list`.execute(store.db)).rows).toEqual([{ book: null, list: null }]);
    await Promise.all([1, 2, 3].map(() => migratePart(store, 'shelf', migrations)));
    expect((await sql`select name from migrations_shelf`.execute(store.db)).rows).toEqual([{ name: '000001-book' }]);
  });

  it('leaves the tables of a newer program alone', async () => {
    const store = keep(await openTestStore());
    await migratePart(store, 'shelf', { ...migrations, '000002-year': 'alter table shelf.book add column year integer' });
    await expect(migratePart(store, 'shelf', migrations)).rejects.toMatchObject({ code: 'STORE_SCHEMA_UNKNOWN', message: expect.stringContaining('000002-year') });
    await expect(migratePart(store, 'shelf', { ...migrations, '000003-place': 'alter table shelf.book add column place text' })).rejects.toMatchObject({ code: 'STORE_SCHEMA_UNKNOWN' });
  });

  it('gives JSON, bytes, instants and nulls alike on both engines', async () => {
    const store = keep(await openTestStore());
    const { rows } = await sql`select ${JSON.stringify({ a: ['b'] })}::jsonb as object, ${'"text"'}::json as text, null::jsonb as nothing, array['{"c":1}']::jsonb[] as list, decode('00ff', 'hex') as bytes, ${'2026-11-22T10:00:00Z'}::timestamptz as at`.execute(store.db);
    expect(rows).toEqual([{ object: { a: ['b'] }, text: 'text', nothing: null, list: [{ c: 1 }], bytes: expect.any(Uint8Array), at: new Date('2026-11-22T10:00:00Z') }]);
    expect([...(rows[0] as { bytes: Uint8Array }).bytes]).toEqual([0, 255]);
  });

  it('says why a statement failed by its SQLSTATE and never quotes a parameter', async () => {
    const store = keep(await openTestStore());
    const failed = await sql`select ${'Margaret'}::int`.execute(store.db).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: '22P02' });
    await migratePart(store, 'shelf', migrations);
    const twice = () => sql`insert into shelf.book (id, title) values (7, ${'Margaret'})`.execute(store.db);
    await twice();
    const refused = await twice().catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: '23505', constraint: 'book_pkey' });
    expect(JSON.stringify(refused)).not.toContain('Margaret');
  });

  it('does not hold up the process while a statement runs', async () => {
    const store = keep(await openTestStore());
    let ticks = 0;
    const clock = setInterval(() => (ticks += 1), 10);
    await sql`select count(*) from generate_series(1, 2000000)`.execute(store.db);
    clearInterval(clock);
    expect(ticks).toBeGreaterThan(2);
  });

  it('(PostgreSQL) a connection lost between two statements fails that transaction alone', async (context) => {
    const store = keep(await openTestStore());
    if (store.engine !== 'postgresql') return context.skip('the embedded engine has no connection to lose');
    await migratePart(store, 'shelf', migrations);
    const lost = store.transaction(async (trx) => {
      await trx.withTables<Tables>().insertInto('shelf.book').values({ id: 3, title: 'lost' }).execute();
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
      await store.pool?.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
      await new Promise((resolve) => setTimeout(resolve, 100));
      await trx.withTables<Tables>().insertInto('shelf.book').values({ id: 4, title: 'lost too' }).execute();
    });
    await expect(lost).rejects.toThrow(/terminat|connection/i);
    expect(await store.db.withTables<Tables>().selectFrom('shelf.book').selectAll().execute()).toEqual([]);
  });

  it('says what to do when PostgreSQL does not answer', async () => {
    await expect(openStore({ dataDir: 'memory', databaseUrl: 'postgres://nobody@127.0.0.1:1/none' })).rejects.toMatchObject({ code: 'STORE_UNREACHABLE', message: expect.stringContaining('DATABASE_URL') });
  });
});

describe('the embedded data folder', () => {
  it('is found again after closing', async () => {
    const dataDir = newFolder();
    const first = await openStore({ dataDir });
    await migratePart(first, 'shelf', migrations);
    await first.db.withTables<Tables>().insertInto('shelf.book').values({ id: 1, title: 'again' }).execute();
    await first.close();
    const second = keep(await openStore({ dataDir }));
    expect(await second.db.withTables<Tables>().selectFrom('shelf.book').selectAll().execute()).toHaveLength(1);
  });

  it('refuses a second opener with a message that says what to do', async () => {
    const dataDir = newFolder();
    keep(await openStore({ dataDir }));
    await expect(openStore({ dataDir })).rejects.toMatchObject({ code: 'STORE_LOCKED', message: expect.stringContaining('Stop that process, or set DATA_DIR') });
  });

  it('says what to do when its folder is a file', async () => {
    const file = join(newFolder(), 'a-file');
    writeFileSync(file, '');
    await expect(openStore({ dataDir: file })).rejects.toMatchObject({ code: 'STORE_FOLDER_UNUSABLE', message: expect.stringContaining('Set DATA_DIR') });
  });

  it('makes anew what a killed first start left half done', async () => {
    const dataDir = newFolder();
    mkdirSync(join(dataDir, 'database'));
    writeFileSync(join(dataDir, 'database', 'PG_VERSION'), '18\n');
    const store = keep(await openStore({ dataDir }));
    expect((await sql`select 1 as one`.execute(store.db)).rows).toEqual([{ one: 1 }]);
  });

  it('is closed before a command that closes it last of all goes on', () => {
    const script = `import { openStore } from './store/database.ts'; const store = await openStore({ dataDir: 'memory' }); await store.close(); console.log('closed');`;
    const { stdout, status } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], { cwd: join(import.meta.dirname, '..'), encoding: 'utf8' });
    expect([stdout.trim(), status]).toEqual(['closed', 0]);
  });

  it('loses no committed row when its process is killed with -9', async () => {
    const dataDir = newFolder();
    const script = `import { openStore } from './store/database.ts'; import { CompiledQuery } from 'kysely';
      const store = await openStore({ dataDir: ${JSON.stringify(dataDir)} });
      await store.db.executeQuery(CompiledQuery.raw('create table n (i integer primary key)'));
      for (let i = 0; ; i++) {
        await store.db.executeQuery(CompiledQuery.raw('insert into n values (' + i + ')'));
        process.stdout.write(i + '\\n');
        if (i % 20 === 0) await new Promise((r) => setImmediate(r));
      }`;
    const acknowledged = await new Promise<number>((resolve, reject) => {
      const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'], cwd: join(import.meta.dirname, '..') });
      let last = -1;
      child.stdout.on('data', (chunk: Buffer) => {
        last = Number(chunk.toString().trim().split('\n').at(-1));
        if (last > 200) child.kill('SIGKILL');
      });
      child.on('error', reject);
      child.on('close', () => resolve(last));
    });
    const store = keep(await openStore({ dataDir }));
    const { rows } = await sql<{ n: number }>`select count(*) as n from n`.execute(store.db);
    expect(acknowledged).toBeGreaterThan(200);
    expect(rows[0]?.n).toBeGreaterThanOrEqual(acknowledged + 1);
  });
});
