import type { PriorAuthCase } from '#prior-auth/case.ts';
import { type CaseActionCall, type CaseActionParts, demand } from './case-action.ts';

/** After a denial or a cancellation: a new case of the same order, with the forms as they were answered, to be completed again. Asked twice, the first new case is the answer. */
export function requestAgain(parts: CaseActionParts, call: CaseActionCall): Promise<PriorAuthCase> {
  return openFollowing(parts, call, 'request-again');
}

/** Before an authorization ends: a new case that names it. */
export function renewAuthorization(parts: CaseActionParts, call: CaseActionCall): Promise<PriorAuthCase> {
  return openFollowing(parts, call, 'renew');
}

async function openFollowing({ store, cases, audit }: CaseActionParts, { caseId, by, expectedVersion }: CaseActionCall, action: 'request-again' | 'renew'): Promise<PriorAuthCase> {
  return store.transaction(async (trx) => {
    const locked = await cases.change(trx, caseId, { expectedVersion, who: by.reference, change: () => undefined });
    const standing = await cases.following(caseId, trx);
    if (standing) return standing;
    demand(locked, action);
    const opened = await cases.openFollowing(trx, locked, followsOf(locked), by.reference);
    await audit.recordWithin(trx, { action: 'asked-again', who: by.reference, what: [`Patient/${locked.patient.id}`, locked.service.order], caseId: opened.id, details: { follows: caseId, why: opened.follows?.why ?? '' } });
    return opened;
  });
}

function followsOf({ id, state }: PriorAuthCase): NonNullable<PriorAuthCase['follows']> {
  if (state.kind === 'cancelled') return { caseId: id, why: 'cancelled' };
  if (state.kind === 'decided' && state.decision.overall === 'denied') return { caseId: id, why: 'denied' };
  const number = state.kind === 'decided' ? state.decision.items.flatMap(({ decision }) => ('authorizationNumber' in decision && decision.authorizationNumber ? [decision.authorizationNumber] : []))[0] : undefined;
  return { caseId: id, why: 'renewal', ...(number ? { authorizationNumber: number } : {}) };
}
