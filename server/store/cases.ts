import { isDeepStrictEqual } from 'node:util';
import { sql, type Transaction } from 'kysely';
import { type CaseState, mayFollow, type PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { AnyDatabase, Store } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';
import type { CaseTables } from './case-tables.ts';
import { caseClock, type TimeZoneOf } from './case-clock.ts';
import { keepWorklistRow } from './worklist-row.ts';

export type CaseOpening = Omit<PriorAuthCase, 'id' | 'version' | 'createdAt' | 'updatedAt'>;
/** What a change may touch. The order, the patient's id and the EHR of a case never change. */
type CaseChange = Partial<Pick<PriorAuthCase, 'state' | 'requirement' | 'service' | 'further' | 'payer' | 'requester' | 'patient'>>;

export interface CaseStore {
  /** The case of that order at that EHR, the latest where it was asked for several times; made if there is none. */
  open(trx: Transaction<AnyDatabase>, opening: CaseOpening, who: string): Promise<{ readonly case: PriorAuthCase; readonly opened: boolean }>;
  /** A new case of the same order, with the forms as they were answered, each to be completed again. Call it under the lock of the case it follows. */
  openFollowing(trx: Transaction<AnyDatabase>, followed: PriorAuthCase, follows: NonNullable<PriorAuthCase['follows']>, who: string): Promise<PriorAuthCase>;
  /** The case that takes that one up again. */
  following(caseId: string, trx?: Transaction<AnyDatabase>): Promise<PriorAuthCase | undefined>;
  find(caseId: string, trx?: Transaction<AnyDatabase>): Promise<PriorAuthCase | undefined>;
  /** Throws CASE_NOT_FOUND. */
  read(caseId: string, trx?: Transaction<AnyDatabase>): Promise<PriorAuthCase>;
  /**
   * The only way a case changes. Takes the row's lock, so that `change` sees the newest case; what it returns undefined for stays as it is.
   * `expectedVersion` null means whatever it is. Throws CASE_NOT_FOUND, CASE_CONFLICT, CASE_STEP_NOT_ALLOWED.
   */
  change(trx: Transaction<AnyDatabase>, caseId: string, request: CaseChangeRequest): Promise<PriorAuthCase>;
  /** Oldest first. */
  history(caseId: string): Promise<readonly { readonly state: CaseState['kind']; readonly who: string; readonly at: string }[]>;
}

interface CaseChangeRequest {
  readonly expectedVersion: number | null;
  readonly who: string;
  readonly change: (current: PriorAuthCase) => CaseChange | undefined;
}

export function createCaseStore(store: Store, now: () => number, timeZoneOf: TimeZoneOf): CaseStore {
  const tables = (trx?: Transaction<AnyDatabase>) => (trx ? trx.withTables<CaseTables>() : store.db.withTables<CaseTables>());

  const find = async (caseId: string, trx?: Transaction<AnyDatabase>) => {
    if (!isUuid(caseId)) return undefined;
    const row = await tables(trx).selectFrom('cases.prior_auth_case').select('document').where('id', '=', caseId).executeTakeFirst();
    return row?.document;
  };
  const writeHistory = (trx: Transaction<AnyDatabase>, { id, version, state, updatedAt }: PriorAuthCase, who: string) =>
    tables(trx).insertInto('cases.state_history').values({ case_id: id, version, state: state.kind, who, at: updatedAt }).execute();

  return {
    async open(trx, opening, who) {
      const instant = new Date(now()).toISOString();
      const made: PriorAuthCase = { ...opening, id: uuidv7(now()), version: 1, createdAt: instant, updatedAt: instant };
      const inserted = await tables(trx)
        .insertInto('cases.prior_auth_case')
        .values({ id: made.id, ehr_base: made.ehrBase, order_reference: made.service.order, patient_id: made.patient.id, created_at: instant, ...columnsOf(made, timeZoneOf) })
        .onConflict((conflict) => conflict.columns(['ehr_base', 'order_reference', 'attempt']).doNothing())
        .returning('id')
        .executeTakeFirst();
      if (inserted) {
        await writeHistory(trx, made, who);
        await keepWorklistRow(trx, made, timeZoneOf);
        return { case: made, opened: true };
      }
      const { document } = await tables(trx)
        .selectFrom('cases.prior_auth_case')
        .select('document')
        .where('ehr_base', '=', made.ehrBase)
        .where('order_reference', '=', made.service.order)
        .orderBy('attempt', 'desc')
        .limit(1)
        .executeTakeFirstOrThrow();
      return { case: document, opened: false };
    },
    async openFollowing(trx, followed, follows, who) {
      const instant = new Date(now()).toISOString();
      const { ehrBase, patient, requester, service, further, payer, requirement } = followed;
      const db = tables(trx);
      const id = uuidv7(now());
      const earlier = await db.selectFrom('cases.prior_auth_case').select(['attempt', 'forms_read_for']).where('ehr_base', '=', ehrBase).where('order_reference', '=', service.order).orderBy('attempt', 'desc').limit(1).executeTakeFirstOrThrow();
      const forms = await db.selectFrom('cases.form').select(['missing', sql<boolean>`package ? 'adaptive'`.as('adaptive')]).where('case_id', '=', followed.id).execute();
      const asked = Math.max(forms.length, requirement.questionnaires.length);
      const state: CaseState = asked === 0 ? { kind: 'ready' } : { kind: 'questionnaire', missing: forms.length > 0 ? forms.reduce((sum, { missing }) => sum + missing, 0) : asked };
      const made: PriorAuthCase = { id, version: 1, createdAt: instant, updatedAt: instant, ehrBase, patient, ...(requester ? { requester } : {}), service, ...(further ? { further } : {}), payer, requirement, follows, state };
      await db
        .insertInto('cases.prior_auth_case')
        .values({
          id, ehr_base: ehrBase, order_reference: service.order, attempt: earlier.attempt + 1, patient_id: patient.id, created_at: instant, ...columnsOf(made, timeZoneOf),
          // An adaptive form begins anew: its payer is asked.
          forms_read_for: forms.some(({ adaptive }) => adaptive) ? null : earlier.forms_read_for,
        })
        .execute();
      await sql`insert into cases.form (case_id, form_id, position, package, response, version, sources, population, completed, missing, ehr_reference, updated_at, populated)
        select ${id}::uuid, form_id, position, package, (response - 'id') #- '{meta,versionId}' #- '{meta,lastUpdated}' || '{"status":"in-progress"}', 1, sources, population, false, missing, null, ${instant}::timestamptz, populated
        from cases.form where case_id = ${followed.id}::uuid and not package ? 'adaptive'`.execute(trx);
      await writeHistory(trx, made, who);
      await keepWorklistRow(trx, made, timeZoneOf);
      return made;
    },
    async following(caseId, trx) {
      const row = await tables(trx).selectFrom('cases.prior_auth_case').select('document').where(sql<boolean>`document ? 'follows' and document#>>'{follows,caseId}' = ${caseId}`).executeTakeFirst();
      return row?.document;
    },
    find,
    async read(caseId, trx) {
      return (await find(caseId, trx)) ?? notFound(caseId);
    },
    async change(trx, caseId, { expectedVersion, who, change }) {
      if (!isUuid(caseId)) notFound(caseId);
      const row = await tables(trx).selectFrom('cases.prior_auth_case').select('document').where('id', '=', caseId).forUpdate().executeTakeFirst();
      const current = row?.document ?? notFound(caseId);
      if (expectedVersion !== null && expectedVersion !== current.version) {
        throw new PriorAuthError('CASE_CONFLICT', `The case is at version ${current.version}, not ${expectedVersion}.`, {
          nextStep: 'Somebody else changed this case in the meantime. Load it again and look at what changed.',
        });
      }
      const changes = change(current);
      if (!changes) return current;
      if (changes.state && !isDeepStrictEqual(changes.state, current.state) && !mayFollow(current.state.kind, changes.state.kind)) {
        throw new PriorAuthError('CASE_STEP_NOT_ALLOWED', `A case in state ${current.state.kind} cannot become ${changes.state.kind}.`, {
          nextStep: 'Load the case again: it has moved on.',
        });
      }
      const changed: PriorAuthCase = { ...current, ...changes, version: current.version + 1, updatedAt: new Date(now()).toISOString() };
      await tables(trx).updateTable('cases.prior_auth_case').set(columnsOf(changed, timeZoneOf)).where('id', '=', caseId).execute();
      await writeHistory(trx, changed, who);
      await keepWorklistRow(trx, changed, timeZoneOf);
      return changed;
    },
    async history(caseId) {
      const rows = await tables().selectFrom('cases.state_history').select(['state', 'who', 'at']).where('case_id', '=', caseId).orderBy('version').execute();
      return rows.map(({ state, who, at }) => ({ state, who, at: at.toISOString() }));
    },
  };
}

function columnsOf(document: PriorAuthCase, timeZoneOf: TimeZoneOf) {
  const clock = caseClock(document, timeZoneOf);
  const { patient, service, payer } = document;
  return {
    version: document.version,
    state: document.state.kind,
    payer_id: payer.id,
    search_text: [patient.name, patient.medicalRecordNumber, service.display, ...service.codings.map(({ code }) => code), payer.name].filter(Boolean).join(' ').toLowerCase(),
    clock_due: clock && !clock.stoppedAt ? clock.dueAt : null,
    updated_at: document.updatedAt,
    document: JSON.stringify(document),
  };
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

function notFound(caseId: string): never {
  throw new PriorAuthError('CASE_NOT_FOUND', `There is no case ${isUuid(caseId) ? caseId : 'of that id'}.`, { nextStep: 'Go back to the list of cases.' });
}
