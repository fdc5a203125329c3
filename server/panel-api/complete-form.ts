import { PriorAuthError } from '#prior-auth/errors.ts';
import type { Completion } from '#prior-auth/questionnaire/form.ts';
import { viewOf } from '../store/forms.ts';
import { openStoredForm } from './form-engine.ts';
import { followForms } from './list-forms.ts';
import { mustBeOpen } from './open-form.ts';
import type { PanelHandler, PanelParts } from './panel-parts.ts';
import { takeAnswers } from './posted-response.ts';

/** A person marks the form complete; the engine must agree. Our copy is safe before the EHR is asked to keep its own. */
export function completeForm(parts: PanelParts): PanelHandler<'completeForm'> {
  return async ({ formId, version, response: posted, statement }, call) => {
    const { caseId, session: { user } } = call;
    const [priorAuthCase, stored] = await Promise.all([parts.cases.read(caseId), parts.forms.read(caseId, formId)]);
    mustBeOpen(priorAuthCase, stored);
    const answers = takeAnswers(stored.response, posted, user, new Date(parts.now()).toISOString());
    const completion = openStoredForm(parts, { package: stored.package, populated: stored.populated, response: answers, priorAuthCase, user }).complete();
    if (completion.kind === 'incomplete') {
      throw new PriorAuthError('QUESTIONNAIRE_INCOMPLETE', `Not complete: ${placesOf(completion).join(', ')}.`, { nextStep: 'Answer the marked questions, then complete the form again.' });
    }
    if (stored.package.adaptive) throw new PriorAuthError('CASE_STEP_NOT_ALLOWED', 'Only the payer says that this form is complete.', { nextStep: 'Ask for the next questions.' });
    const { response } = completion;
    parts.metrics.note(caseId, 'userresponse', stored.package.canonical);
    const done = await parts.store.transaction(async (trx) => {
      const form = await parts.forms.save(trx, caseId, formId, version, { response, missing: 0, completed: true, savedBy: user, unsettled: null, attestation: statement === undefined ? null : { by: user, at: new Date(parts.now()).toISOString(), statement } });
      const moved = await followForms(parts, trx, caseId, user.reference);
      await parts.audit.recordWithin(trx, { action: 'questionnaire-completed', who: user.reference, what: [`Patient/${priorAuthCase.patient.id}`], caseId, details: { form: formId, version: form.version } });
      if (statement !== undefined) await parts.audit.recordWithin(trx, { action: 'questionnaire-attested', who: user.reference, what: [`Patient/${priorAuthCase.patient.id}`], caseId, details: { form: formId, version: form.version } });
      return { form, case: moved };
    });
    // DTR 2.0.1: a completed response is saved to the EHR, if that takes it.
    const kept = await parts.ehrDrafts.keep(call, formId);
    if (done.case.state.kind !== 'questionnaire') await parts.handOvers.complete(call);
    return { form: viewOf(kept), case: done.case };
  };
}

/** linkIds and paths of what stands in the way. */
export function placesOf({ gaps, problems }: Extract<Completion, { kind: 'incomplete' }>): string[] {
  return [...new Set([...gaps.map(({ linkId }) => linkId), ...problems.filter(({ blocking }) => blocking).map(({ path }) => path)])];
}
