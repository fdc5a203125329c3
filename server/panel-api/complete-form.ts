import type { QuestionnaireResponse } from '@medplum/fhirtypes';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { writeResponse } from '#prior-auth/questionnaire/dtr-versions/write-response.ts';
import type { Completion } from '#prior-auth/questionnaire/form.ts';
import type { EhrClient } from '../ehr/ehr-client.ts';
import { type StoredForm, viewOf } from '../store/forms.ts';
import { openStoredForm } from './form-engine.ts';
import { followForms } from './list-forms.ts';
import type { PanelHandler, PanelParts } from './panel-parts.ts';
import { takeAnswers } from './posted-response.ts';

const NOT_IN_RECORD = 'The record system did not take the completed form. It is kept here and goes to the payer all the same.';

/** A person marks the form complete; the engine must agree. Our copy is safe before the EHR is asked to keep its own. */
export function completeForm(parts: PanelParts): PanelHandler<'completeForm'> {
  return async ({ formId, version, response: posted }, { caseId, session: { user }, ehr }) => {
    const [priorAuthCase, stored] = await Promise.all([parts.cases.read(caseId), parts.forms.read(caseId, formId)]);
    const answers = takeAnswers(stored.response, posted, user, new Date(parts.now()).toISOString());
    const completion = openStoredForm(parts, { package: stored.package, response: answers, priorAuthCase, user }).complete();
    if (completion.kind === 'incomplete') {
      throw new PriorAuthError('QUESTIONNAIRE_INCOMPLETE', `Not complete: ${placesOf(completion).join(', ')}.`, { nextStep: 'Answer the marked questions, then complete the form again.' });
    }
    if (stored.package.adaptive) throw new PriorAuthError('CASE_STEP_NOT_ALLOWED', 'Only the payer says that this form is complete.', { nextStep: 'Ask for the next questions.' });
    const { response } = completion;
    parts.metrics.note(caseId, 'userresponse', stored.package.canonical);
    const done = await parts.store.transaction(async (trx) => {
      const form = await parts.forms.save(trx, caseId, formId, version, { response, missing: 0, completed: true });
      const moved = await followForms(parts, trx, caseId, user.reference);
      await parts.audit.recordWithin(trx, { action: 'questionnaire-completed', who: user.reference, what: [`Patient/${priorAuthCase.patient.id}`], caseId, details: { form: formId, version: form.version } });
      return { form, case: moved };
    });
    return { form: viewOf(await keepInEhr(parts, ehr, priorAuthCase, done.form, response)), case: done.case };
  };
}

/** linkIds and paths of what stands in the way. */
export function placesOf({ gaps, problems }: Extract<Completion, { kind: 'incomplete' }>): string[] {
  return [...new Set([...gaps.map(({ linkId }) => linkId), ...problems.filter(({ blocking }) => blocking).map(({ path }) => path)])];
}

/** DTR 2.0.1: a completed response is saved to the EHR, if that takes it. */
export async function keepInEhr({ forms, store, log, metrics, payerAccess }: PanelParts, ehr: EhrClient, { id: caseId, payer: { id: payerId } }: PriorAuthCase, form: StoredForm, response: QuestionnaireResponse): Promise<StoredForm> {
  const { id: _id, ...unnamed } = writeResponse(payerAccess(form.package.payerId ?? payerId)?.dtr.version ?? '2.0.1', response);
  const id = form.ehrReference?.split('/')[1];
  const warnings = form.population.warnings.filter((warning) => warning !== NOT_IN_RECORD);
  let change: Parameters<typeof forms.save>[4];
  try {
    const kept = await metrics.timed(caseId, 'storeqr', form.package.canonical, () => ehr.save<QuestionnaireResponse>(id ? { ...unnamed, id } : unnamed));
    change = { ...(kept.id ? { ehrReference: `QuestionnaireResponse/${kept.id}` } : {}), population: { ...form.population, warnings } };
  } catch (error) {
    if (!(error instanceof PriorAuthError)) throw error;
    log.warn({ err: error, caseId, code: error.code }, 'the EHR did not take a completed form');
    change = { population: { ...form.population, warnings: [...warnings, NOT_IN_RECORD] } };
  }
  return store.transaction((trx) => forms.save(trx, caseId, form.formId, null, change));
}
