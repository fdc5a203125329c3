import type { QuestionnaireResponse } from '@medplum/fhirtypes';
import { calendarDay } from '#prior-auth/coverage-requirement/calendar-day.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import { type NextQuestions, takeNextQuestions } from '#prior-auth/questionnaire/adaptive-response.ts';
import { prepopulate } from '#prior-auth/questionnaire/prepopulate.ts';
import { askNextQuestion } from '../questionnaire/next-question.ts';
import { FormChanged, type StoredForm, viewOf, withAskedQuestions } from '../store/forms.ts';
import { placesOf } from './complete-form.ts';
import { copyCoverageInformation, satisfiedRequirement } from './coverage-of-answer.ts';
import { evaluateFhirPath } from './evaluate-fhirpath.ts';
import { openStoredForm } from './form-engine.ts';
import { followForms } from './list-forms.ts';
import { mustBeOpen } from './open-form.ts';
import type { PanelCall, PanelHandler, PanelParts } from './panel-parts.ts';
import { takeAnswers } from './posted-response.ts';

/** The next questions of an adaptive form. They are asked for when all that was asked is answered rightly; only the payer says that the form is complete. */
export function nextQuestion(parts: PanelParts): PanelHandler<'nextQuestion'> {
  return async ({ formId, version, response: posted }, call) => {
    const { caseId, session: { user } } = call;
    const [priorAuthCase, stored] = await Promise.all([parts.cases.read(caseId), parts.forms.read(caseId, formId)]);
    const { adaptive, payerId = priorAuthCase.payer.id } = stored.package;
    if (!adaptive) throw new PriorAuthError('CASE_STEP_NOT_ALLOWED', 'This form is not asked for in steps.', { nextStep: 'Answer it, then complete it.' });
    if (stored.completed) return { form: viewOf(stored), completed: true, problems: [], case: priorAuthCase };
    if (version !== stored.version) throw new FormChanged(viewOf(stored), version);
    const access = parts.payerAccess(payerId);
    if (!access) throw new PriorAuthError('PAYER_NOT_CONFIGURED', 'This server does not know the payer of this form any more.', { nextStep: 'Ask whoever runs this server to add the payer again.' });

    mustBeOpen(priorAuthCase, stored);
    const answers = takeAnswers(stored.response, posted, user, new Date(parts.now()).toISOString());
    const completion = openStoredForm(parts, { package: stored.package, populated: stored.populated, response: answers, priorAuthCase, user }).complete();
    if (completion.kind === 'incomplete') {
      throw new PriorAuthError('QUESTIONNAIRE_INCOMPLETE', `Not answered: ${placesOf(completion).join(', ')}.`, { nextStep: 'Answer the marked questions, then go on.' });
    }
    const sent: QuestionnaireResponse = { ...completion.response, status: 'in-progress' };
    const answer = await parts.metrics.timed(caseId, 'nextq', stored.package.canonical, () => askNextQuestion(access, adaptive.base, sent));
    if (answer.kind === 'problems') return { form: viewOf(stored), completed: false, problems: answer.problems, case: priorAuthCase };
    const next = takeNextQuestions(sent, answer.response);
    if (next.kind === 'unreadable') throw new PriorAuthError('PAYER_ANSWER_UNREADABLE', `The payer’s next questions cannot be used: ${next.why}.`, { nextStep: 'Tell the payer; fill in its form by other means.' });
    return next.kind === 'completed' ? keepCompleted(parts, call, priorAuthCase, stored, next.response) : keepAsked(parts, call, priorAuthCase, stored, next);
  };
}

type Reply = ReturnType<PanelHandler<'nextQuestion'>>;
type Asked = Extract<NextQuestions, { kind: 'asked' | 'completed' }>;

/** The new questions are filled in from the record; those that were there are left as the person has them. */
async function keepAsked(parts: PanelParts, call: PanelCall, priorAuthCase: PriorAuthCase, stored: StoredForm, { response, added }: Asked): Reply {
  const { caseId, session: { user }, ehr } = call;
  const form = withAskedQuestions(stored.package, response);
  const record = await parts.gatherer.readRecord(ehr, priorAuthCase);
  const population = await parts.metrics.timed(caseId, 'mrquery', form.canonical, () => parts.questionnaires.populate({
    package: form,
    launch: { patient: record.patient, order: record.order, coverage: record.coverage, practitioner: record.practitioner ?? record.practitionerRole },
    ehr,
    response,
  }));
  const failures = population.failures.filter(({ linkId }) => linkId === undefined || added.has(linkId));
  parts.errorReports.report(form.payerId ?? priorAuthCase.payer.id, form.canonical, failures.map((failure) => ({ ...failure, place: failure.expression })));
  const merged = prepopulate({
    questionnaire: form.questionnaire,
    draft: response,
    values: Object.fromEntries(Object.entries(population.values).filter(([linkId]) => added.has(linkId))),
    rows: population.rows,
    variables: population.variables,
    author: { reference: user.reference, display: user.name },
    today: calendarDay(parts.now(), parts.timeZoneOf(priorAuthCase.payer.id)),
    valueSets: form.valueSets,
    evaluate: evaluateFhirPath,
  });
  const gaps = openStoredForm(parts, { package: form, response: merged.response, priorAuthCase, user }).gaps().length;
  const kept = await parts.store.transaction(async (trx) => {
    const saved = await parts.forms.save(trx, caseId, stored.formId, stored.version, {
      response: merged.response,
      populated: { response: merged.response, offers: { ...stored.populated?.offers, ...population.offers }, variables: population.variables },
      sources: { ...stored.sources, ...merged.sources },
      missing: Math.max(1, gaps),
      completed: false,
      population: { ...stored.population, status: 'done', warnings: [...new Set([...stored.population.warnings, ...population.warnings])], ...(population.cqlMode ? { cql: population.cqlMode } : {}) },
    });
    const moved = await followForms(parts, trx, caseId, user.reference);
    await parts.audit.recordWithin(trx, { action: 'questionnaire-populated', who: user.reference, what: [`Patient/${priorAuthCase.patient.id}`], caseId, details: { form: stored.formId, added: added.size } });
    return { form: saved, case: moved };
  });
  return { form: viewOf(kept.form), completed: false, problems: [], case: kept.case };
}

/** DTR: what the payer decides on a finished form goes onto the order; one that it calls satisfied needs no request. */
async function keepCompleted(parts: PanelParts, call: PanelCall, priorAuthCase: PriorAuthCase, stored: StoredForm, response: QuestionnaireResponse): Reply {
  const { caseId, session: { user }, ehr } = call;
  const satisfied = satisfiedRequirement(priorAuthCase.requirement, response);
  const done = await parts.store.transaction(async (trx) => {
    const form = await parts.forms.save(trx, caseId, stored.formId, stored.version, { response, missing: 0, completed: true, savedBy: user, population: { ...stored.population, status: 'done' } });
    if (satisfied) await parts.cases.change(trx, caseId, { expectedVersion: null, who: user.reference, change: () => ({ requirement: satisfied }) });
    const moved = await followForms(parts, trx, caseId, user.reference);
    await parts.audit.recordWithin(trx, { action: 'questionnaire-completed', who: user.reference, what: [`Patient/${priorAuthCase.patient.id}`], caseId, details: { form: stored.formId, version: form.version, satisfied: satisfied !== undefined } });
    return { form, case: moved };
  });
  const warning = await copyCoverageInformation(parts, ehr, caseId, response, priorAuthCase.service.order);
  if (warning !== undefined) {
    const population = { ...done.form.population, warnings: [...done.form.population.warnings, warning] };
    await parts.store.transaction((trx) => parts.forms.save(trx, caseId, stored.formId, null, { population }));
  }
  const kept = await parts.ehrDrafts.keep(call, stored.formId);
  if (done.case.state.kind !== 'questionnaire') await parts.handOvers.complete(call);
  return { form: viewOf(kept), completed: true, problems: [], case: done.case };
}
