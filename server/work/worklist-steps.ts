import { sql } from 'kysely';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { Person } from '#prior-auth/panel-api.ts';
import type { StepResult, WorklistAction, WorklistSteps } from '#prior-auth/worklist-api.ts';
import { cancelRequest } from '../pas/case-actions/change-request.ts';
import { checkNow } from '../pas/case-actions/check-now.ts';
import type { CaseActionParts } from '../pas/case-actions/case-action.ts';
import { holdRequest } from '../pas/case-actions/hold-request.ts';
import { releaseRequest } from '../pas/case-actions/release-request.ts';
import { renewAuthorization, requestAgain } from '../pas/case-actions/request-again.ts';
import { resendRequest } from '../pas/case-actions/resend-request.ts';
import { switchBack } from '../pas/case-actions/switch-back.ts';
import { switchToManual } from '../pas/case-actions/switch-to-manual.ts';
import { withdrawRequest } from '../pas/case-actions/withdraw-request.ts';
import type { CaseTables } from '../store/case-tables.ts';
import type { People } from '../store/people.ts';

interface Parts extends CaseActionParts {
  readonly people: People;
}

export interface Staff {
  readonly ehrBase: string;
  readonly user: Person;
}

/** Does each step by itself, in their order: one that is refused leaves the others as they are. */
export async function takeSteps(parts: Parts, staff: Staff, steps: WorklistSteps['steps']): Promise<readonly StepResult[]> {
  const results: StepResult[] = [];
  for (const { caseId, action } of steps) {
    try {
      const undo = await takeStep(parts, staff, caseId, action);
      results.push({ kind: 'done', caseId, ...(undo ? { undo } : {}) });
    } catch (error) {
      if (error instanceof PriorAuthError) {
        results.push({ kind: 'refused', caseId, code: error.code, message: error.message });
        continue;
      }
      parts.log.error({ err: error, caseId, action: action.kind }, 'a step of the worklist failed');
      results.push({ kind: 'refused', caseId, code: 'INTERNAL', message: 'Something went wrong on our side.' });
    }
  }
  return results;
}

/** What takes it back, where something does. */
async function takeStep(parts: Parts, staff: Staff, caseId: string, action: WorklistAction): Promise<WorklistAction | undefined> {
  const before = await readOwn(parts, staff, caseId);
  const call = { caseId, by: staff.user, expectedVersion: null };
  switch (action.kind) {
    case 'set-next-touch':
      return setNextTouch(parts, staff, before, action.on);
    case 'assign':
      return assign(parts, staff, before, action.to);
    case 'hold':
      await holdRequest(parts, call);
      return { kind: 'release' };
    case 'release':
      await releaseRequest(parts, call);
      return { kind: 'hold' };
    case 'resend':
      await resendRequest(parts, call);
      return undefined;
    case 'withdraw':
      await withdrawRequest(parts, call);
      return undefined;
    case 'check-now':
      await checkNow(parts, call);
      return undefined;
    case 'switch-to-manual':
      await switchToManual(parts, call, action.reference ? { reference: action.reference } : {});
      return { kind: 'switch-back' };
    case 'cancel-request':
      await cancelRequest(parts, call);
      return undefined;
    case 'request-again':
      await requestAgain(parts, call);
      return undefined;
    case 'renew':
      await renewAuthorization(parts, call);
      return undefined;
    case 'switch-back':
      await switchBack(parts, call);
      return { kind: 'switch-to-manual', ...(before.state.kind === 'manual' && before.state.reference ? { reference: before.state.reference } : {}) };
  }
}

/** Throws CASE_NOT_FOUND for a case of another EHR, too. */
export async function readOwn({ cases }: Pick<Parts, 'cases'>, { ehrBase }: Pick<Staff, 'ehrBase'>, caseId: string): Promise<PriorAuthCase> {
  const found = await cases.read(caseId);
  if (found.ehrBase !== ehrBase) throw new PriorAuthError('CASE_NOT_FOUND', `There is no case ${found.id}.`, { nextStep: 'Go back to the list of cases.' });
  return found;
}

async function setNextTouch(parts: Parts, { user }: Staff, { id, patient }: PriorAuthCase, on: string | null): Promise<WorklistAction> {
  return parts.store.transaction(async (trx) => {
    const rows = trx.withTables<CaseTables>();
    const { before } = await rows.selectFrom('cases.worklist_row').select(sql<string | null>`next_touch::text`.as('before')).where('case_id', '=', id).forUpdate().executeTakeFirstOrThrow();
    await rows.updateTable('cases.worklist_row').set({ next_touch: on, revision: sql<number>`nextval('cases.worklist_revision')` }).where('case_id', '=', id).execute();
    await parts.audit.recordWithin(trx, { action: 'next-touch-set', who: user.reference, what: [`Patient/${patient.id}`], caseId: id, details: { on: on ?? 'none' } });
    return { kind: 'set-next-touch', on: before };
  });
}

async function assign(parts: Parts, { ehrBase, user }: Staff, { id, patient }: PriorAuthCase, to: Person | null): Promise<WorklistAction> {
  const name = to && (to.reference === user.reference ? user.name : (await parts.people.names(ehrBase, [to.reference])).get(to.reference));
  if (to && name === undefined) throw new PriorAuthError('REQUEST_INVALID', 'A case is assigned to somebody who has signed in here.', { nextStep: 'Choose somebody from the list.' });
  return parts.store.transaction(async (trx) => {
    const rows = trx.withTables<CaseTables>();
    const before = await rows.selectFrom('cases.worklist_row').select(['assigned_to', 'assigned_name']).where('case_id', '=', id).forUpdate().executeTakeFirstOrThrow();
    await rows.updateTable('cases.worklist_row').set({ assigned_to: to?.reference ?? null, assigned_name: name ?? null, revision: sql<number>`nextval('cases.worklist_revision')` }).where('case_id', '=', id).execute();
    await parts.audit.recordWithin(trx, { action: 'case-assigned', who: user.reference, what: [`Patient/${patient.id}`, ...(to ? [to.reference] : [])], caseId: id });
    return { kind: 'assign', to: before.assigned_to === null ? null : { reference: before.assigned_to, name: before.assigned_name ?? before.assigned_to } };
  });
}
