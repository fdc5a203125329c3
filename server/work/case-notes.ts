import type { CaseNote, NewNote } from '#prior-auth/worklist-api.ts';
import type { Person } from '#prior-auth/panel-api.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';
import { sql } from 'kysely';
import type { CaseTables } from '../store/case-tables.ts';

/** What staff wrote down about a case. Notes are added, never changed: who reads one later knows what was known then. */
export interface CaseNotes {
  /** Newest first. */
  list(caseId: string): Promise<readonly CaseNote[]>;
  add(caseId: string, by: Person, note: NewNote): Promise<CaseNote>;
}

const MOST_SHOWN = 500;

export function createCaseNotes(store: Store, audit: AuditTrail, now: () => number): CaseNotes {
  return {
    async list(caseId) {
      const rows = await store.db.withTables<CaseTables>().selectFrom('cases.case_note').selectAll().where('case_id', '=', caseId).orderBy('at', 'desc').orderBy('id', 'desc').limit(MOST_SHOWN).execute();
      return rows.map(({ id, at, author, author_name: name, note }) => ({ id, at: at.toISOString(), by: { reference: author, name }, note }));
    },
    add(caseId, by, note) {
      return store.transaction(async (trx) => {
        const cases = trx.withTables<CaseTables>();
        const id = uuidv7(now());
        const at = new Date(now()).toISOString();
        await cases.insertInto('cases.case_note').values({ id, case_id: caseId, author: by.reference, author_name: by.name, at, note: JSON.stringify(note) }).execute();
        await cases.updateTable('cases.worklist_row').set({ revision: sql<number>`nextval('cases.worklist_revision')` }).where('case_id', '=', caseId).execute();
        await audit.recordWithin(trx, { action: note.kind === 'call' ? 'call-logged' : 'note-written', who: by.reference, caseId });
        return { id, at, by, note };
      });
    },
  };
}
