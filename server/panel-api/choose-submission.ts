import type { PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { stateOf } from '../store/forms.ts';
import { viewCase } from './case-view.ts';
import { readFurther } from './further-orders.ts';
import type { PanelHandler, PanelParts } from './panel-parts.ts';
import { reviewOf } from './preview-submission.ts';

/**
 * What a person leaves out, adds and answers before sending. Each choice makes a new version of the case, so that nobody sends what somebody else changed meanwhile.
 * A further order with forms of its own takes the case back to the questions.
 */
export function chooseSubmission(parts: PanelParts): PanelHandler<'chooseSubmission'> {
  return async ({ caseVersion, further, include, exclude, diagnoses }, { caseId, patientId, session: { user }, ehr }) => {
    const seen = await parts.cases.read(caseId);
    mustBeInPreparation(seen);
    const asked = await Promise.all([...new Set(further)].filter((order) => order !== seen.service.order).map(async (order) => {
      const known = seen.further?.find((each) => each.order === order);
      return known ? { service: known, forms: 0 } : readFurther(parts, ehr, seen, order).then(({ service, requirement }) => ({ service, forms: requirement.questionnaires.length }));
    }));
    const changed = await parts.store.transaction(async (trx) => {
      const forms = await parts.forms.list(caseId, trx);
      const result = await parts.cases.change(trx, caseId, {
        expectedVersion: caseVersion,
        who: user.reference,
        change: (current) => {
          mustBeInPreparation(current);
          const more = asked.reduce((sum, each) => sum + each.forms, 0);
          const state = stateOf(forms, current.requirement);
          // Forms of an order that joins are unread: each counts as one thing missing, as at the first launch.
          const next = more > 0 ? { kind: 'questionnaire' as const, missing: more + (state.kind === 'questionnaire' ? state.missing : 0) } : current.state.kind === 'refused' ? state : current.state;
          return { further: asked.map(({ service }) => service), state: next };
        },
      });
      await parts.reviewChoices.save(trx, caseId, { include: [...new Set(include)], exclude: [...new Set(exclude)].filter((reference) => !include.includes(reference)), diagnoses }, user.reference);
      await parts.audit.recordWithin(trx, { action: 'submission-chosen', who: user.reference, what: [`Patient/${patientId}`, ...asked.map(({ service }) => service.order), ...include], caseId, details: { included: include.length, leftOut: exclude.length, orders: asked.length + 1 } });
      return result;
    });
    return { view: await viewCase(parts, changed), review: await reviewOf(parts, ehr, changed) };
  };
}

function mustBeInPreparation({ state }: PriorAuthCase): void {
  if (state.kind === 'ready' || state.kind === 'questionnaire' || state.kind === 'refused') return;
  throw new PriorAuthError('CASE_STEP_NOT_ALLOWED', `What a case in state ${state.kind} sends cannot be chosen any more.`, { nextStep: 'Load the case again. What is at the payer is changed there.' });
}
