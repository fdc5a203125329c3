import type { ColumnType } from 'kysely';
import type { Transaction } from 'kysely';
import type { ReviewChoices } from '#prior-auth/panel-api.ts';
import type { AnyDatabase, Store } from '#store/database.ts';
import type { PartMigrations } from '#store/migrate.ts';

export const REVIEW_MIGRATIONS: PartMigrations = {
  '000001-choices': `
    create schema if not exists review;
    create table review.choice (
      case_id uuid primary key references cases.prior_auth_case (id),
      document jsonb not null,
      chosen_by text not null,
      updated_at timestamptz not null
    );
    create index case_of_patient on cases.prior_auth_case (ehr_base, patient_id)`,
};

type ReviewTables = {
  'review.choice': { case_id: string; document: ColumnType<ReviewChoices, string, string>; chosen_by: string; updated_at: string };
};

/** What people chose on the review screen of each case; nothing is chosen for a case that has no row. */
export interface ReviewChoiceStore {
  read(caseId: string, trx?: Transaction<AnyDatabase>): Promise<ReviewChoices>;
  save(trx: Transaction<AnyDatabase>, caseId: string, choices: ReviewChoices, who: string): Promise<void>;
}

const NONE: ReviewChoices = { include: [], exclude: [], diagnoses: {} };

export function createReviewChoiceStore(store: Store, now: () => number): ReviewChoiceStore {
  return {
    async read(caseId, trx) {
      const row = await (trx ?? store.db).withTables<ReviewTables>().selectFrom('review.choice').select('document').where('case_id', '=', caseId).executeTakeFirst();
      return row?.document ?? NONE;
    },
    async save(trx, caseId, choices, who) {
      const row = { document: JSON.stringify(choices), chosen_by: who, updated_at: new Date(now()).toISOString() };
      await trx.withTables<ReviewTables>().insertInto('review.choice').values({ case_id: caseId, ...row }).onConflict((conflict) => conflict.column('case_id').doUpdateSet(row)).execute();
    },
  };
}
