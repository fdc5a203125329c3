import { sql, type Transaction } from 'kysely';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import { calendarDay } from '#prior-auth/coverage-requirement/calendar-day.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { type Authorization, authorizationsOf } from '#prior-auth/payer-decision/authorization-register.ts';
import type { AnyDatabase } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';
import type { CaseTables } from '../../store/case-tables.ts';
import { type CaseActionCall, type CaseActionParts, demand } from './case-action.ts';

export interface Use {
  readonly sequence: number;
  /** Units provided; below zero takes an earlier entry back. */
  readonly quantity: number;
  /** YYYY-MM-DD. */
  readonly usedOn: string;
  readonly note?: string;
}

/** The authorizations of a case: numbers, validity, quantities, what was used, and what ends soon. Empty before a decision. */
export async function readAuthorizations({ store, now, timeZoneOf }: Pick<CaseActionParts, 'store' | 'now' | 'timeZoneOf'>, priorAuthCase: PriorAuthCase, trx?: Transaction<AnyDatabase>): Promise<readonly Authorization[]> {
  if (priorAuthCase.state.kind !== 'decided') return [];
  const rows = await (trx ?? store.db).withTables<CaseTables>().selectFrom('cases.authorization_use').select(['sequence', sql<number>`sum(quantity)::float8`.as('used')]).where('case_id', '=', priorAuthCase.id).groupBy('sequence').execute();
  return authorizationsOf(priorAuthCase, new Map(rows.map(({ sequence, used }) => [sequence, used])), calendarDay(now(), timeZoneOf(priorAuthCase.payer.id)));
}

/** Writes down that units of an authorized item were provided. More than was authorized is written down too: it happened, and the register says so. Throws CASE_*, REQUEST_INVALID. */
export async function recordUse(parts: CaseActionParts, { caseId, by, expectedVersion }: CaseActionCall, { sequence, quantity, usedOn, note }: Use): Promise<readonly Authorization[]> {
  return parts.store.transaction(async (trx) => {
    const locked = await parts.cases.change(trx, caseId, { expectedVersion, who: by.reference, change: () => undefined });
    demand(locked, 'record-use');
    const item = (await readAuthorizations(parts, locked, trx)).find((each) => each.sequence === sequence);
    if (!item) throw new PriorAuthError('REQUEST_INVALID', `sequence: item ${sequence} is not authorized.`, { nextStep: 'Choose one of the authorized items.' });
    if (!Number.isFinite(quantity) || quantity === 0 || item.used + quantity < 0) throw new PriorAuthError('REQUEST_INVALID', 'quantity: a number of units, and no more may be taken back than was entered.', { nextStep: 'Correct the quantity.' });
    const nowMs = parts.now();
    await trx
      .withTables<CaseTables>()
      .insertInto('cases.authorization_use')
      .values({ id: uuidv7(nowMs), case_id: caseId, sequence, quantity, used_on: usedOn, entered_by: by.reference, entered_by_name: by.name, note: note ?? null, recorded_at: new Date(nowMs).toISOString() })
      .execute();
    await parts.audit.recordWithin(trx, { action: 'authorization-used', who: by.reference, what: [locked.service.order], caseId, details: { sequence, quantity } });
    return readAuthorizations(parts, locked, trx);
  });
}
