import type { Transaction } from 'kysely';
import { type CaseAction, mayDo } from '#prior-auth/case-action.ts';
import type { CaseState, PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { RequestedService } from '#prior-auth/order/requested-service.ts';
import type { Person } from '#prior-auth/panel-api.ts';
import type { AuditAction, AuditEntry } from '#store/audit.ts';
import type { AnyDatabase } from '#store/database.ts';
import type { PanelParts } from '../../panel-api/panel-parts.ts';

/** What case actions are made of; the panel and the worklist both have it. */
export type CaseActionParts = Pick<PanelParts, 'store' | 'cases' | 'forms' | 'sender' | 'audit' | 'log' | 'now' | 'timeZoneOf'>;

/** A person's wish about one case. */
export interface CaseActionCall {
  readonly caseId: string;
  readonly by: Person;
  /** The version the person looked at; null for whatever it is (bulk actions). */
  readonly expectedVersion: number | null;
}

export interface CaseStep {
  readonly state: CaseState;
  /** Where the orders of the request change. */
  readonly further?: readonly RequestedService[];
  readonly action: AuditAction;
  /** No patient data. */
  readonly details?: AuditEntry['details'];
}

/**
 * One action, whole or not at all: the case is locked, the action asked for is allowed (`mayDo`), `work` does what it does to the outbox, the case moves,
 * and the audit trail says who. Throws CASE_NOT_FOUND, CASE_CONFLICT, CASE_STEP_NOT_ALLOWED.
 */
export async function takeCaseAction(
  { store, cases, audit }: Pick<CaseActionParts, 'store' | 'cases' | 'audit'>,
  { caseId, by, expectedVersion }: CaseActionCall,
  action: CaseAction,
  work: (trx: Transaction<AnyDatabase>, locked: PriorAuthCase) => Promise<CaseStep>,
): Promise<PriorAuthCase> {
  return store.transaction(async (trx) => {
    const locked = await cases.change(trx, caseId, { expectedVersion, who: by.reference, change: () => undefined });
    demand(locked, action);
    const { state, further, action: audited, details } = await work(trx, locked);
    await audit.recordWithin(trx, { action: audited, who: by.reference, what: [locked.service.order], caseId, details: { payerId: locked.payer.id, ...details } });
    return cases.change(trx, caseId, { expectedVersion: null, who: by.reference, change: () => ({ state, ...(further ? { further } : {}) }) });
  });
}

/** Throws CASE_STEP_NOT_ALLOWED with the reason. */
export function demand(priorAuthCase: PriorAuthCase, action: CaseAction): void {
  const permission = mayDo(priorAuthCase, action);
  if (permission.kind === 'may-not') throw notAllowed(permission.why);
}

export function notAllowed(why: string): PriorAuthError {
  return new PriorAuthError('CASE_STEP_NOT_ALLOWED', why, { nextStep: 'Load the case again and see what may follow.' });
}
