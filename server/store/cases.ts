import { isDeepStrictEqual } from 'node:util';
import type { Transaction } from 'kysely';
import { type CaseState, mayFollow, type PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { AnyDatabase, Store } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';
import type { CaseTables } from './case-tables.ts';
import { caseClock, type TimeZoneOf } from './case-clock.ts';

export type CaseOpening = Omit<PriorAuthCase, 'id' | 'version' | 'createdAt' | 'updatedAt'>;
/** What a change may touch. The order, the patient's id and the EHR of a case never change. */
type CaseChange = Partial<Pick<PriorAuthCase, 'state' | 'requirement' | 'service' | 'further' | 'payer' | 'requester' | 'patient'>>;

export interface CaseStore {
  /** The case of that order at that EHR, made if there is none. */
  open(trx: Transaction<AnyDatabase>, opening: CaseOpening, who: string): Promise<{ readonly case: PriorAuthCase; readonly opened: boolean }>;
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
        .onConflict((conflict) => conflict.columns(['ehr_base', 'order_reference']).doNothing())
        .returning('id')
        .executeTakeFirst();
      if (inserted) {
        await writeHistory(trx, made, who);
        return { case: made, opened: true };
      }
      const { document } = await tables(trx)
        .selectFrom('cases.prior_auth_case')
        .select('document')
        .where('ehr_base', '=', made.ehrBase)
        .where('order_reference', '=', made.service.order)
        .executeTakeFirstOrThrow();
      return { case: document, opened: false };
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
