import { sql, type Transaction } from 'kysely';
import { type AnyDatabase, runSql, type Store } from './database.ts';
import { StoreError } from './errors.ts';

/** SQL of one part's schema, oldest first. Keys such as "000001-cases" are never renamed and their text never changes once released. */
export type PartMigrations = Readonly<Record<string, string>>;

/**
 * Brings one part's tables up to date, in one transaction: all of it or nothing. Each part has its own schema (`create schema if not exists`) and its own list,
 * kept in `migrations_<part>`. Processes that start together wait for each other, as long as it takes.
 * @throws StoreError STORE_SCHEMA_UNKNOWN when the tables were made by another version of the program.
 */
export async function migratePart(store: Store, part: string, migrations: PartMigrations): Promise<void> {
  const table = `migrations_${part}`;
  const unhurried = store.answeringWithin(undefined);
  const { rows: [found] } = await sql<{ there: boolean }>`select to_regclass(${table}) is not null as there`.execute(unhurried.db);
  if (found?.there && left(part, migrations, await readDone(unhurried.db, table)).length === 0) return;
  await unhurried.transaction(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtext(${table}))`.execute(trx);
    await sql`create table if not exists ${sql.table(table)} (name varchar(255) primary key, timestamp varchar(255) not null)`.execute(trx);
    for (const [name, text] of left(part, migrations, await readDone(trx, table))) {
      await runSql(trx, text);
      await sql`insert into ${sql.table(table)} (name, timestamp) values (${name}, ${new Date().toISOString()})`.execute(trx);
    }
  });
}

async function readDone(db: Store['db'] | Transaction<AnyDatabase>, table: string): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(table)} order by name`.execute(db);
  return rows.map(({ name }) => name);
}

/** What has not been done yet, oldest first. */
function left(part: string, migrations: PartMigrations, done: readonly string[]): readonly (readonly [name: string, text: string])[] {
  const all = Object.entries(migrations).sort(([a], [b]) => (a < b ? -1 : 1));
  const strange = done.find((name, index) => all[index]?.[0] !== name);
  if (strange !== undefined) throw new StoreError('STORE_SCHEMA_UNKNOWN', `The tables of ${part} were changed by ${strange}, which this version of the program does not know. Start the version that last used this database, or a newer one.`);
  return all.slice(done.length);
}
