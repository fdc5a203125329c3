import type { Library, Questionnaire, QuestionnaireResponse, ValueSet } from '@medplum/fhirtypes';
import type { Transaction } from 'kysely';
import type { CaseState } from '#prior-auth/case.ts';
import type { CoverageRequirement } from '#prior-auth/coverage-requirement/requirement.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { Attestation, FormView, Person, Unsettled } from '#prior-auth/panel-api.ts';
import type { AnyDatabase, Store } from '#store/database.ts';
import { containedQuestionnaire } from '#prior-auth/questionnaire/adaptive-response.ts';
import { findValueSet, valueSetsOf } from '../questionnaire/package-faults.ts';
import type { QuestionnairePackage } from '../questionnaire/package.ts';
import type { CaseTables, EhrCopy, PopulatedForm } from './case-tables.ts';

/** One payer form of a case as stored. */
export interface StoredForm extends Omit<FormView, 'saved' | 'unsettled' | 'attestation' | 'questionnaire' | 'populated' | 'offers' | 'variables'> {
  readonly package: QuestionnairePackage;
  readonly completed: boolean;
  /** Required questions without an answer. */
  readonly missing: number;
  readonly ehrReference: string | null;
  readonly populated: PopulatedForm | null;
  readonly ehrCopy: EhrCopy | null;
  readonly savedBy: Person | null;
  readonly unsettled: Unsettled | null;
  readonly attestation: Attestation | null;
  readonly updatedAt: string;
}

/** Somebody else saved the form in the meantime; carries it as it is now. */
export class FormChanged extends PriorAuthError {
  readonly current: FormView;

  constructor(current: FormView, expected: number) {
    super('FORM_CHANGED', `The form is at version ${current.version}, not ${expected}.`, { nextStep: 'Load it again; what you saved before is in it, or was answered with an error.' });
    this.current = current;
  }
}

export type NewForm = Pick<StoredForm, 'formId' | 'package' | 'response' | 'missing'>;
type FormChange = Partial<Pick<StoredForm, 'package' | 'response' | 'sources' | 'population' | 'populated' | 'completed' | 'missing' | 'ehrReference' | 'ehrCopy' | 'savedBy' | 'unsettled' | 'attestation'>>;

export interface FormStore {
  list(caseId: string, trx?: Transaction<AnyDatabase>): Promise<readonly StoredForm[]>;
  /** Throws FORM_NOT_FOUND when the case has no such form. */
  read(caseId: string, formId: string, trx?: Transaction<AnyDatabase>): Promise<StoredForm>;
  /** Whether the forms of that determination were read from the payer; a new determination may ask for others. */
  wereReadFor(caseId: string, assertionId: string): Promise<boolean>;
  /** Keeps the answers of a form that is asked for again; forms no longer asked for go. */
  keepRead(trx: Transaction<AnyDatabase>, caseId: string, assertionId: string, forms: readonly NewForm[]): Promise<void>;
  /** A form that the payer asks for later; one that is there already stays as it is. */
  add(trx: Transaction<AnyDatabase>, caseId: string, form: NewForm): Promise<void>;
  /** `expectedVersion` null means whatever it is. A change of the answers makes a new version; throws FormChanged when it is another. */
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

  const unanswered = (form: NewForm) => ({
    form_id: form.formId,
    package: JSON.stringify(form.package),
    response: JSON.stringify(form.response),
    version: 1,
    sources: '{}',
    population: JSON.stringify({ status: 'not-started', warnings: [] }),
    completed: false,
    missing: form.missing,
    ehr_reference: null,
    updated_at: instant(),
  });

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
            position,
            ...unanswered(form),
          })
          .onConflict((conflict) => conflict.columns(['case_id', 'form_id']).doUpdateSet({ position, package: JSON.stringify(form.package) }))
          .execute();
      }
    },
    async add(trx, caseId, form) {
      await tables(trx).insertInto('cases.form').values({ case_id: caseId, position: (await list(caseId, trx)).length, ...unanswered(form) }).onConflict((conflict) => conflict.columns(['case_id', 'form_id']).doNothing()).execute();
    },
    async save(trx, caseId, formId, expectedVersion, change) {
      const current = await tables(trx).selectFrom('cases.form').select('version').where('case_id', '=', caseId).where('form_id', '=', formId).forUpdate().executeTakeFirst();
      if (!current) await read(caseId, formId, trx);
      const version = current?.version ?? 0;
      if (expectedVersion !== null && expectedVersion !== version) throw new FormChanged(viewOf(await read(caseId, formId, trx)), expectedVersion);
      const { package: changedPackage, response, sources, population, populated, ehrReference, ehrCopy, savedBy, unsettled, attestation, ...plain } = change;
      const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));
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
          ...(ehrCopy === undefined ? {} : { ehr_copy: json(ehrCopy) }),
          ...(savedBy === undefined ? {} : { saved_by: json(savedBy) }),
          ...(unsettled === undefined ? {} : { unsettled: json(unsettled) }),
          ...(attestation === undefined ? {} : { attestation: json(attestation) }),
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

/** What the forms make of a case that is still being prepared. `requirement`: as a finished form may have changed it. */
export function stateOf(forms: readonly Pick<StoredForm, 'completed' | 'missing'>[], requirement?: CoverageRequirement): CaseState {
  const open = forms.filter(({ completed }) => !completed);
  if (open.length === 0 && requirement?.paNeeded === 'satisfied') {
    return { kind: 'no-authorization-needed', ...(requirement.satisfiedPaId ? { authorizationNumber: requirement.satisfiedPaId } : {}) };
  }
  return open.length === 0 ? { kind: 'ready' } : { kind: 'questionnaire', missing: open.reduce((sum, { missing }) => sum + missing, 0) };
}

export function viewOf({ formId, package: form, response, version, sources, population: stored, populated, savedBy, updatedAt, unsettled, attestation }: StoredForm): FormView {
  const shared = { ...(savedBy ? { saved: { by: savedBy, at: updatedAt } } : {}), ...(unsettled ? { unsettled } : {}), ...(attestation ? { attestation } : {}) };
  const { questionnaire, valueSets, warnings = [], adaptive } = form;
  const population = { ...stored, warnings: [...new Set([...warnings, ...stored.warnings])] };
  const payers = { valueSets: shownValueSets(questionnaire, valueSets), ...(adaptive ? { adaptive: true } : {}) };
  return { formId, questionnaire, response, version, sources, population, ...payers, ...shared, ...(populated ? { populated: populated.response, offers: populated.offers, variables: populated.variables } : {}) };
}

/** Longer lists are searched while typing. */
const MOST_OPTIONS_SENT = 200;

function shownValueSets(questionnaire: Questionnaire, valueSets: readonly ValueSet[]): ValueSet[] {
  const found = valueSetsOf(questionnaire).flatMap(({ canonical }) => (canonical.startsWith('#') ? [] : findValueSet(canonical, questionnaire, valueSets) ?? []));
  return [...new Set(found)].filter(({ expansion }) => (expansion?.contains?.length ?? 0) <= MOST_OPTIONS_SENT);
}

/** An adaptive form as far as it has been asked: its questions, rules and lists travel in the response. */
export function withAskedQuestions(form: QuestionnairePackage, response: QuestionnaireResponse): QuestionnairePackage {
  const questionnaire = form.adaptive ? containedQuestionnaire(response) : undefined;
  if (!questionnaire) return form;
  const known = new Set([...form.libraries, ...form.valueSets].map(({ resourceType, id, url }) => `${resourceType}/${url ?? id}`));
  const added = (response.contained ?? []).filter((resource) => !known.has(`${resource.resourceType}/${'url' in resource && resource.url ? resource.url : resource.id}`));
  return {
    ...form,
    questionnaire,
    libraries: [...form.libraries, ...added.filter((resource): resource is Library => resource.resourceType === 'Library')],
    valueSets: [...form.valueSets, ...added.filter((resource): resource is ValueSet => resource.resourceType === 'ValueSet')],
  };
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
  readonly ehr_copy: EhrCopy | null;
  readonly saved_by: Person | null;
  readonly unsettled: Unsettled | null;
  readonly attestation: Attestation | null;
  readonly updated_at: Date;
}

function toForm(row: FormRow): StoredForm {
  return {
    formId: row.form_id,
    // Written by keepRead only.
    package: withAskedQuestions(row.package as QuestionnairePackage, row.response),
    response: row.response,
    version: row.version,
    sources: row.sources,
    population: row.population,
    populated: row.populated,
    completed: row.completed,
    missing: row.missing,
    ehrReference: row.ehr_reference,
    ehrCopy: row.ehr_copy,
    savedBy: row.saved_by,
    unsettled: row.unsettled,
    attestation: row.attestation,
    updatedAt: row.updated_at.toISOString(),
  };
}

function fail(code: 'FORM_NOT_FOUND', message: string, nextStep: string): never {
  throw new PriorAuthError(code, message, { nextStep });
}
