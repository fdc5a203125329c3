import type { QuestionnaireResponse } from '@medplum/fhirtypes';
import type { Transaction } from 'kysely';
import type { CaseState } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { FormView } from '#prior-auth/panel-api.ts';
import type { AnyDatabase, Store } from '#store/database.ts';
import type { QuestionnairePackage } from '../questionnaire/package.ts';
import type { CaseTables, PopulatedForm } from './case-tables.ts';

/** One payer form of a case as stored. */
export interface StoredForm extends Omit<FormView, 'questionnaire' | 'populated' | 'offers' | 'variables'> {
  readonly package: QuestionnairePackage;
  readonly completed: boolean;
  /** Required questions without an answer. */
  readonly missing: number;
  readonly ehrReference: string | null;
  readonly populated: PopulatedForm | null;
}

export type NewForm = Pick<StoredForm, 'formId' | 'package' | 'response' | 'missing'>;
type FormChange = Partial<Pick<StoredForm, 'package' | 'response' | 'sources' | 'population' | 'populated' | 'completed' | 'missing' | 'ehrReference'>>;

export interface FormStore {
  list(caseId: string, trx?: Transaction<AnyDatabase>): Promise<readonly StoredForm[]>;
  /** Throws FORM_NOT_FOUND when the case has no such form. */
  read(caseId: string, formId: string, trx?: Transaction<AnyDatabase>): Promise<StoredForm>;
  /** Whether the forms of that determination were read from the payer; a new determination may ask for others. */
  wereReadFor(caseId: string, assertionId: string): Promise<boolean>;
  /** Keeps the answers of a form that is asked for again; forms no longer asked for go. */
  keepRead(trx: Transaction<AnyDatabase>, caseId: string, assertionId: string, forms: readonly NewForm[]): Promise<void>;
  /** `expectedVersion` null means whatever it is. A change of the answers makes a new version; throws CASE_CONFLICT when it is another. */
  save(trx: Transaction<AnyDatabase>, caseId: string, formId: string, expectedVersion: number | null, change: FormChange): Promise<StoredForm>;
}

export function createFormStore(store: Store, now: () => number): FormStore {
  const tables = (trx?: Transaction<AnyDatabase>) => (trx ? trx.withTables<CaseTables>() : store.db.withTables<CaseTables>());
  const instant = () => new Date(now()).toISOString();
  const list = async (caseId: string, trx?: Transaction<AnyDatabase>) => {
    const rows = await tables(trx).selectFrom('cases.form').selectAll().where('case_id', '=', caseId).orderBy('position').execute();
    return rows.map(toForm);
  };
  const read = async (caseId: string, formId: string, trx?: Transaction<AnyDatabase>) =>
    (await list(caseId, trx)).find((form) => form.formId === formId) ??
    fail('FORM_NOT_FOUND', 'This case has no such form.', 'Reload the panel: the payer may ask for other forms by now.');

  return {
    list,
    read,
    async wereReadFor(caseId, assertionId) {
      const row = await tables().selectFrom('cases.prior_auth_case').select('forms_read_for').where('id', '=', caseId).executeTakeFirst();
      return row?.forms_read_for === assertionId;
    },
    async keepRead(trx, caseId, assertionId, forms) {
      const db = tables(trx);
      await db.updateTable('cases.prior_auth_case').set({ forms_read_for: assertionId }).where('id', '=', caseId).execute();
      const asked = forms.map(({ formId }) => formId);
      await db.deleteFrom('cases.form').where('case_id', '=', caseId).$if(asked.length > 0, (query) => query.where('form_id', 'not in', asked)).execute();
      for (const [position, form] of forms.entries()) {
        await db
          .insertInto('cases.form')
          .values({
            case_id: caseId,
            form_id: form.formId,
            position,
            package: JSON.stringify(form.package),
            response: JSON.stringify(form.response),
            version: 1,
            sources: '{}',
            population: JSON.stringify({ status: 'not-started', warnings: [] }),
            completed: false,
            missing: form.missing,
            ehr_reference: null,
            updated_at: instant(),
          })
          .onConflict((conflict) => conflict.columns(['case_id', 'form_id']).doUpdateSet({ position, package: JSON.stringify(form.package) }))
          .execute();
      }
    },
    async save(trx, caseId, formId, expectedVersion, change) {
      const current = await tables(trx).selectFrom('cases.form').select('version').where('case_id', '=', caseId).where('form_id', '=', formId).forUpdate().executeTakeFirst();
      if (!current) await read(caseId, formId, trx);
      const version = current?.version ?? 0;
      if (expectedVersion !== null && expectedVersion !== version) {
        fail('CASE_CONFLICT', `The form is at version ${version}, not ${expectedVersion}.`, 'Somebody else saved this form in the meantime. Load it again; your own last save is in it or was answered with an error.');
      }
      const { package: changedPackage, response, sources, population, populated, ehrReference, ...plain } = change;
      const row = await tables(trx)
        .updateTable('cases.form')
        .set({
          ...plain,
          ...(response ? { response: JSON.stringify(response), version: version + 1 } : {}),
          ...(sources ? { sources: JSON.stringify(sources) } : {}),
          ...(population ? { population: JSON.stringify(population) } : {}),
          ...(populated ? { populated: JSON.stringify(populated) } : {}),
          ...(changedPackage ? { package: JSON.stringify(changedPackage) } : {}),
          ...(ehrReference === undefined ? {} : { ehr_reference: ehrReference }),
          updated_at: instant(),
        })
        .where('case_id', '=', caseId)
        .where('form_id', '=', formId)
        .returningAll()
        .executeTakeFirstOrThrow();
      return toForm(row);
    },
  };
}

/** What the forms make of a case that is still being prepared. */
export function stateOf(forms: readonly Pick<StoredForm, 'completed' | 'missing'>[]): CaseState {
  const open = forms.filter(({ completed }) => !completed);
  return open.length === 0 ? { kind: 'ready' } : { kind: 'questionnaire', missing: open.reduce((sum, { missing }) => sum + missing, 0) };
}

export function viewOf({ formId, package: { questionnaire }, response, version, sources, population, populated }: StoredForm): FormView {
  return { formId, questionnaire, response, version, sources, population, ...(populated ? { populated: populated.response, offers: populated.offers, variables: populated.variables } : {}) };
}

interface FormRow {
  readonly form_id: string;
  readonly package: unknown;
  readonly response: QuestionnaireResponse;
  readonly version: number;
  readonly sources: StoredForm['sources'];
  readonly population: StoredForm['population'];
  readonly populated: PopulatedForm | null;
  readonly completed: boolean;
  readonly missing: number;
  readonly ehr_reference: string | null;
}

function toForm(row: FormRow): StoredForm {
  return {
    formId: row.form_id,
    // Written by keepRead only.
    package: row.package as QuestionnairePackage,
    response: row.response,
    version: row.version,
    sources: row.sources,
    population: row.population,
    populated: row.populated,
    completed: row.completed,
    missing: row.missing,
    ehrReference: row.ehr_reference,
  };
}

function fail(code: 'FORM_NOT_FOUND' | 'CASE_CONFLICT', message: string, nextStep: string): never {
  throw new PriorAuthError(code, message, { nextStep });
}
