import { sql } from 'kysely';
import type { Person } from '#prior-auth/panel-api.ts';
import type { Store } from '#store/database.ts';
import type { CaseTables } from './case-tables.ts';

/** Names of the people of an EHR by their references, as they were last seen: the list may not read the record system. */
export interface People {
  keep(ehrBase: string, person: Person): Promise<void>;
  /** Those that are known, by reference. */
  names(ehrBase: string, references: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Who has signed in here or ordered: whom a case may be assigned to. By name. */
  all(ehrBase: string): Promise<readonly Person[]>;
}

const MOST_PEOPLE = 500;

export function createPeople(store: Store): People {
  const db = store.db.withTables<CaseTables>();
  return {
    async keep(ehrBase, { reference, name }) {
      if (name === reference) return;
      await db.insertInto('cases.person').values({ ehr_base: ehrBase, reference, name }).onConflict((conflict) => conflict.columns(['ehr_base', 'reference']).doUpdateSet({ name }).where(sql<boolean>`person.name <> excluded.name`)).execute();
    },
    async names(ehrBase, references) {
      if (references.length === 0) return new Map();
      const found = await db.selectFrom('cases.person').select(['reference', 'name']).where('ehr_base', '=', ehrBase).where('reference', 'in', [...new Set(references)]).execute();
      return new Map(found.map(({ reference, name }) => [reference, name]));
    },
    all: (ehrBase) => db.selectFrom('cases.person').select(['reference', 'name']).where('ehr_base', '=', ehrBase).orderBy('name').limit(MOST_PEOPLE).execute(),
  };
}
