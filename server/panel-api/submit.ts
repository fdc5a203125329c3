import type { Transaction } from 'kysely';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { AnyDatabase } from '#store/database.ts';
import { stateOf } from '../store/forms.ts';
import { viewCase } from './case-view.ts';
import { mayNotBeAskedTwice } from './further-orders.ts';
import type { PanelHandler, PanelParts } from './panel-parts.ts';
import { gatherSubmission } from './submission-input.ts';

/**
 * A person submits. Building, validating, storing, enqueuing and moving the case are one transaction under the case's lock, so a second click,
 * a second tab or a crash in between can neither lose the request nor send two. A case already on its way is answered as it is.
 */
export function submit(parts: PanelParts): PanelHandler<'submit'> {
  return async ({ caseVersion }, { caseId, session: { user }, ehr }) => {
    const seen = await parts.cases.read(caseId);
    if (isOnItsWay(seen)) return viewCase(parts, seen);
    mayBeSubmitted(seen, caseVersion);
    await mayNotBeAskedTwice(parts, seen);
    const input = await gatherSubmission(parts, ehr, seen);
    const submitted = await parts.store.transaction(async (trx) => {
      const locked = await parts.cases.change(trx, caseId, { expectedVersion: null, who: user.reference, change: () => undefined });
      if (isOnItsWay(locked)) return locked;
      mayBeSubmitted(locked, caseVersion);
      if (locked.state.kind === 'refused') await makeReadyAgain(parts, trx, caseId, user.reference);
      const result = await parts.sender.queueSubmission(trx, input, user.reference);
      if (result.kind === 'problems') {
        const [first] = result.problems;
        throw new PriorAuthError('PAS_BUNDLE_INCOMPLETE', result.problems.map(({ message }) => message).join(' '), first ? { nextStep: first.nextStep } : {});
      }
      if (result.kind === 'already-queued') throw new PriorAuthError('CASE_CONFLICT', 'This request is already on its way.', { nextStep: 'Load the case again.' });
      return parts.cases.change(trx, caseId, {
        expectedVersion: null,
        who: user.reference,
        change: () => ({ state: { kind: 'queued', queuedAt: result.queuedAt, attempts: 0 } }),
      });
    });
    return viewCase(parts, submitted);
  };
}

function isOnItsWay({ state }: PriorAuthCase): boolean {
  return state.kind === 'queued' || state.kind === 'pended' || state.kind === 'decided';
}

/** A person may send a refused request again once whatever was wrong is put right. */
function mayBeSubmitted({ state, version }: PriorAuthCase, caseVersion: number): void {
  if (state.kind !== 'ready' && state.kind !== 'refused') throw notYet(state.kind);
  if (version !== caseVersion) {
    throw new PriorAuthError('CASE_CONFLICT', `The case is at version ${version}, not ${caseVersion}.`, { nextStep: 'Somebody else changed this case in the meantime. Load it again and look at what changed.' });
  }
}

async function makeReadyAgain({ cases, forms }: PanelParts, trx: Transaction<AnyDatabase>, caseId: string, who: string): Promise<void> {
  const state = stateOf(await forms.list(caseId, trx));
  if (state.kind !== 'ready') throw notYet(state.kind);
  await cases.change(trx, caseId, { expectedVersion: null, who, change: () => ({ state }) });
}

function notYet(kind: PriorAuthCase['state']['kind']): PriorAuthError {
  return new PriorAuthError('CASE_STEP_NOT_ALLOWED', `A case in state ${kind} cannot be submitted.`, {
    nextStep: kind === 'questionnaire' ? 'Complete the payer’s forms first.' : 'Load the case again.',
  });
}
