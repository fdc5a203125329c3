import { PriorAuthError } from '#prior-auth/errors.ts';
import type { Person } from '#prior-auth/panel-api.ts';
import type { SavedView, WorklistQuery } from '#prior-auth/worklist-api.ts';
import type { Store } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';
import type { CaseTables } from '../store/case-tables.ts';

/** Filters with a name: one person's own, or for everybody of the same record system. Only who made one may change it. */
export interface SavedViews {
  list(ehrBase: string, user: Person): Promise<readonly SavedView[]>;
  /** A view of the same name takes the place of the user's earlier one. Throws REQUEST_INVALID when there are too many. */
  save(ehrBase: string, user: Person, view: { readonly name: string; readonly shared: boolean; readonly query: WorklistQuery }): Promise<SavedView>;
  /** Undefined when it is not there, or another's. */
  remove(ehrBase: string, user: Person, id: string): Promise<boolean>;
}

const MOST_VIEWS = 50;

export function createSavedViews(store: Store, now: () => number): SavedViews {
  const db = store.db.withTables<CaseTables>();
  return {
    async list(ehrBase, user) {
      const rows = await db
        .selectFrom('cases.worklist_view')
        .selectAll()
        .where('ehr_base', '=', ehrBase)
        .where((where) => where.or([where('owner', '=', user.reference), where('shared', '=', true)]))
        .orderBy('name')
        .orderBy('created_at')
        .limit(MOST_VIEWS * 10)
        .execute();
      return rows.map(({ id, name, shared, owner, owner_name: ownerName, query }) => ({ id, name, shared, mine: owner === user.reference, ownerName, query }));
    },
    async save(ehrBase, user, { name, shared, query }) {
      const own = await db.selectFrom('cases.worklist_view').select('name').where('ehr_base', '=', ehrBase).where('owner', '=', user.reference).execute();
      if (own.length >= MOST_VIEWS && !own.some((view) => view.name === name)) {
        throw new PriorAuthError('REQUEST_INVALID', `A person may keep ${MOST_VIEWS} views.`, { nextStep: 'Remove a view that you no longer use.' });
      }
      const changed = { shared, query: JSON.stringify(query), owner_name: user.name };
      const { id } = await db
        .insertInto('cases.worklist_view')
        .values({ id: uuidv7(now()), ehr_base: ehrBase, owner: user.reference, name, created_at: new Date(now()).toISOString(), ...changed })
        .onConflict((conflict) => conflict.columns(['ehr_base', 'owner', 'name']).doUpdateSet(changed))
        .returning('id')
        .executeTakeFirstOrThrow();
      return { id, name, shared, mine: true, ownerName: user.name, query };
    },
    async remove(ehrBase, user, id) {
      const gone = await db.deleteFrom('cases.worklist_view').where('id', '=', id).where('ehr_base', '=', ehrBase).where('owner', '=', user.reference).returning('id').executeTakeFirst();
      return gone !== undefined;
    },
  };
}
