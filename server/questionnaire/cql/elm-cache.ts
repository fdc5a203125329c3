import { createHash } from 'node:crypto';
import type { Generated } from 'kysely';
import { migratePart } from '#store/migrate.ts';
import type { Store } from '#store/database.ts';
import type { CompileMode, ElmLibrary } from './compile-cql.ts';

export interface CompiledLibraries {
  readonly mode: CompileMode;
  readonly elm: Readonly<Record<string, ElmLibrary>>;
}

/** Compiled CQL by the hash of its text: compiling takes seconds, and a payer's form comes back unchanged for months. */
export interface ElmCache {
  read(key: string): Promise<CompiledLibraries | undefined>;
  keep(key: string, compiled: CompiledLibraries): Promise<void>;
}

type ElmTables = { 'questionnaire.elm': { hash: string; mode: CompileMode; elm: string; kept_at: Generated<Date> } };

const MIGRATIONS = {
  '000001-elm': `
    create schema if not exists questionnaire;
    create table questionnaire.elm (hash text primary key, mode text not null, elm text not null, kept_at timestamptz not null default now());
  `,
};
const MOST_IN_MEMORY = 50;

export async function openElmCache(store: Store): Promise<ElmCache> {
  await migratePart(store, 'questionnaire', MIGRATIONS);
  const memory = new Map<string, CompiledLibraries>();
  const remember = (key: string, compiled: CompiledLibraries) => {
    memory.set(key, compiled);
    const [oldest] = memory.keys();
    if (memory.size > MOST_IN_MEMORY && oldest !== undefined) memory.delete(oldest);
  };
  return {
    async read(key) {
      const kept = memory.get(key);
      if (kept) return kept;
      const row = await store.db.withTables<ElmTables>().selectFrom('questionnaire.elm').select(['mode', 'elm']).where('hash', '=', key).executeTakeFirst();
      if (!row) return undefined;
      const compiled: CompiledLibraries = { mode: row.mode, elm: JSON.parse(row.elm) as CompiledLibraries['elm'] };
      remember(key, compiled);
      return compiled;
    },
    async keep(key, compiled) {
      remember(key, compiled);
      await store.db.withTables<ElmTables>().insertInto('questionnaire.elm')
        .values({ hash: key, mode: compiled.mode, elm: JSON.stringify(compiled.elm) })
        .onConflict((conflict) => conflict.doNothing()).execute();
    },
  };
}

/** Grows when the compiler or its options change, so that older results are not used. */
const COMPILER = 'cqframework-5.3.0/2';

export function cacheKey(sources: Readonly<Record<string, string>>, wanted: readonly string[]): string {
  const ordered = Object.entries(sources).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify([COMPILER, ordered, wanted.toSorted()])).digest('hex');
}
