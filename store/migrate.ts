import type { Kysely } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { type AnyDatabase, runSql, type Store } from './database.ts';

/** SQL of one part's schema, oldest first. Keys such as "000001-cases" are never renamed and their text never changes once released. */
export type PartMigrations = Readonly<Record<string, string>>;

/** Brings one part's tables up to date. Each part has its own schema (`create schema if not exists`) and its own migration list. */
export async function migratePart(store: Store, part: string, migrations: PartMigrations): Promise<void> {
  const asKysely = Object.fromEntries(
    Object.entries(migrations).map(([name, text]): [string, Migration] => [name, { up: (db: Kysely<AnyDatabase>) => runSql(db, text) }]),
  );
  const { error } = await new Migrator({
    db: store.db,
    provider: { getMigrations: async () => asKysely },
    migrationTableName: `migrations_${part}`,
    migrationLockTableName: `migrations_${part}_lock`,
  }).migrateToLatest();
  if (error) throw error;
}
