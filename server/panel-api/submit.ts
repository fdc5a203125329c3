import { mayFollow, type PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { viewCase } from './case-view.ts';
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
    mustBeReady(seen, caseVersion);
    const input = await gatherSubmission(parts, ehr, seen);
    const submitted = await parts.store.transaction(async (trx) => {
      const locked = await parts.cases.change(trx, caseId, { expectedVersion: null, who: user.reference, change: () => undefined });
      if (isOnItsWay(locked)) return locked;
      mustBeReady(locked, caseVersion);
      const result = await parts.sender.queueSubmission(trx, input, user.reference);
      if (result.kind === 'problems') {
        const [first] = result.problems;
        throw new PriorAuthError('PAS_BUNDLE_INCOMPLETE', result.problems.map(({ message }) => message).join(' '), first ? { nextStep: first.nextStep } : {});
      }
      if (result.kind === 'already-queued') throw new PriorAuthError('CASE_CONFLICT', 'This request is already on its way.', { nextStep: 'Load the case again.' });
      return parts.cases.change(trx, caseId, {
        expectedVersion: caseVersion,
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

function mustBeReady({ state, version }: PriorAuthCase, caseVersion: number): void {
  if (!mayFollow(state.kind, 'queued')) {
    throw new PriorAuthError('CASE_STEP_NOT_ALLOWED', `A case in state ${state.kind} cannot be submitted.`, {
      nextStep: state.kind === 'questionnaire' ? 'Complete the payer’s forms first.' : 'Load the case again.',
    });
  }
  if (version !== caseVersion) {
    throw new PriorAuthError('CASE_CONFLICT', `The case is at version ${version}, not ${caseVersion}.`, { nextStep: 'Somebody else changed this case in the meantime. Load it again and look at what changed.' });
  }
}
