import { PriorAuthError } from '#prior-auth/errors.ts';
import { viewOf } from '../store/forms.ts';
import { openStoredForm } from './form-engine.ts';
import { followForms } from './list-forms.ts';
import { mustBeOpen } from './open-form.ts';
import type { PanelHandler, PanelParts } from './panel-parts.ts';
import { takeAnswers } from './posted-response.ts';

/** Keeps a draft, here at once and in the EHR soon after. Saving a completed form opens it again. Throws FormChanged. */
export function saveForm(parts: PanelParts): PanelHandler<'saveForm'> {
  return async ({ formId, version, response: posted, settled }, call) => {
    const { caseId, session: { user } } = call;
    const [priorAuthCase, stored] = await Promise.all([parts.cases.read(caseId), parts.forms.read(caseId, formId)]);
    mustBeOpen(priorAuthCase, stored);
    if (stored.completed && stored.package.adaptive) throw new PriorAuthError('CASE_STEP_NOT_ALLOWED', 'The payer has taken this form as complete.', { nextStep: 'Go on with the request.' });
    const response = takeAnswers(stored.response, posted, user, new Date(parts.now()).toISOString());
    const missing = openStoredForm(parts, { package: stored.package, populated: stored.populated, response, priorAuthCase, user }).gaps().length || (stored.package.adaptive ? 1 : 0);
    const saved = await parts.store.transaction(async (trx) => {
      const form = await parts.forms.save(trx, caseId, formId, version, { response, missing, completed: false, savedBy: user, attestation: null, ...(settled ? { unsettled: null } : {}) });
      await followForms(parts, trx, caseId, user.reference);
      await parts.audit.recordWithin(trx, { action: 'questionnaire-saved', who: user.reference, what: [`Patient/${priorAuthCase.patient.id}`], caseId, details: { form: formId, version: form.version } });
      return form;
    });
    parts.ehrDrafts.keepSoon(call, formId);
    return { form: viewOf(saved) };
  };
}
