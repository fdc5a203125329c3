import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { CaseView } from '#prior-auth/panel-api.ts';
import type { CaseActionCall } from '../pas/case-actions/case-action.ts';
import { cancelRequest as cancel, changeRequest as alter } from '../pas/case-actions/change-request.ts';
import { checkNow as askPayerNow } from '../pas/case-actions/check-now.ts';
import { holdRequest as hold } from '../pas/case-actions/hold-request.ts';
import { recordUse as noteUse } from '../pas/case-actions/record-use.ts';
import { recordDecision as record } from '../pas/case-actions/record-decision.ts';
import { releaseRequest as release } from '../pas/case-actions/release-request.ts';
import { renewAuthorization as renew, requestAgain as askAgain } from '../pas/case-actions/request-again.ts';
import { resendRequest as resend } from '../pas/case-actions/resend-request.ts';
import { switchBack as back } from '../pas/case-actions/switch-back.ts';
import { switchToManual as toManual, updateManual as correctManual } from '../pas/case-actions/switch-to-manual.ts';
import { withdrawRequest as withdraw } from '../pas/case-actions/withdraw-request.ts';
import { viewCase } from './case-view.ts';
import { readFurther } from './further-orders.ts';
import type { PanelCall, PanelHandler, PanelParts } from './panel-parts.ts';
import { gatherSubmission } from './submission-input.ts';

/* What a person does with a case that has left the preparation: each message is one action of server/pas/case-actions. */

type StepHandler = (request: { readonly caseVersion: number }, call: PanelCall) => Promise<CaseView>;

/** A person's wish about the case of the session. */
export const caseActionCall = ({ caseId, session: { user } }: PanelCall, caseVersion: number): CaseActionCall => ({ caseId, by: { reference: user.reference, name: user.name }, expectedVersion: caseVersion });

function step(parts: PanelParts, take: (parts: PanelParts, call: CaseActionCall) => Promise<PriorAuthCase>): StepHandler {
  return async ({ caseVersion }, panelCall) => viewCase(parts, await take(parts, caseActionCall(panelCall, caseVersion)));
}

export const holdRequest = (parts: PanelParts): PanelHandler<'holdRequest'> => step(parts, hold);
export const releaseRequest = (parts: PanelParts): PanelHandler<'releaseRequest'> => step(parts, release);
export const resendRequest = (parts: PanelParts): PanelHandler<'resendRequest'> => step(parts, resend);
export const withdrawRequest = (parts: PanelParts): PanelHandler<'withdrawRequest'> => step(parts, withdraw);
export const checkNow = (parts: PanelParts): PanelHandler<'checkNow'> => step(parts, askPayerNow);
export const switchBack = (parts: PanelParts): PanelHandler<'switchBack'> => step(parts, back);

export function switchToManual(parts: PanelParts): PanelHandler<'switchToManual'> {
  return async ({ caseVersion, ...handling }, panelCall) => viewCase(parts, await toManual(parts, caseActionCall(panelCall, caseVersion), handling));
}

export function updateManual(parts: PanelParts): PanelHandler<'updateManual'> {
  return async ({ caseVersion, ...handling }, panelCall) => viewCase(parts, await correctManual(parts, caseActionCall(panelCall, caseVersion), handling));
}

export function recordDecision(parts: PanelParts): PanelHandler<'recordDecision'> {
  return async ({ caseVersion, decision }, panelCall) => viewCase(parts, await record(parts, caseActionCall(panelCall, caseVersion), decision));
}

export const requestAgain = (parts: PanelParts): PanelHandler<'requestAgain'> => follow(parts, askAgain);
export const renewAuthorization = (parts: PanelParts): PanelHandler<'renewAuthorization'> => follow(parts, renew);

/** The panel goes on with the new case: of the same patient and order, so within what the session was opened for. */
function follow(parts: PanelParts, open: (parts: PanelParts, call: CaseActionCall) => Promise<PriorAuthCase>): StepHandler {
  return async ({ caseVersion }, panelCall) => {
    const opened = await open(parts, caseActionCall(panelCall, caseVersion));
    await parts.sessions.setCase(panelCall.session.id, opened.id);
    return viewCase(parts, opened);
  };
}

export const cancelRequest = (parts: PanelParts): PanelHandler<'cancelRequest'> => step(parts, cancel);

/** Orders that join are read, and the record with them, with the rights of the person. */
export function changeRequest(parts: PanelParts): PanelHandler<'changeRequest'> {
  return async ({ caseVersion, change: { add: orders, ...change } }, panelCall) => {
    const { caseId, ehr } = panelCall;
    const seen = await parts.cases.read(caseId);
    const add = await Promise.all([...new Set(orders)].map(async (order) => {
      const { service, requirement } = await readFurther(parts, ehr, seen, order);
      return { service, forms: requirement.questionnaires.length };
    }));
    return viewCase(parts, await alter(parts, caseActionCall(panelCall, caseVersion), { change, ...(add.length > 0 ? { add, gather: (whole: PriorAuthCase) => gatherSubmission(parts, ehr, whole) } : {}) }));
  };
}

export function recordUse(parts: PanelParts): PanelHandler<'recordUse'> {
  return async ({ caseVersion, ...use }, panelCall) => {
    await noteUse(parts, caseActionCall(panelCall, caseVersion), use);
    return viewCase(parts, await parts.cases.read(panelCall.caseId));
  };
}
