import { calendarDay } from '#prior-auth/coverage-requirement/calendar-day.ts';
import type { PanelReplies, ReadProgress } from '#prior-auth/panel-api.ts';
import { withComputedElements } from '#prior-auth/questionnaire/computed-elements.ts';
import { prepopulate } from '#prior-auth/questionnaire/prepopulate.ts';
import { evaluateFhirPath } from './evaluate-fhirpath.ts';
import { viewOf } from '../store/forms.ts';
import { openStoredForm } from './form-engine.ts';
import { followForms } from './list-forms.ts';
import { mustBeOpen } from './open-form.ts';
import type { PanelCall, PanelHandler, PanelParts } from './panel-parts.ts';
import { type ProgressBoard, progressKey } from './read-progress.ts';

/** Fills the form from the record, with the user's own rights. What a person answered meanwhile stays. A completed form is left as it is. */
export function populateForm(parts: PanelParts, board: ProgressBoard): PanelHandler<'populateForm'> {
  return async (request, call) => {
    const key = progressKey(call.caseId, request.formId);
    board.set(key, { step: 'reading', done: 0, total: 0 });
    try {
      return await fillIn(parts, request.formId, call, (progress) => board.set(key, progress));
    } finally {
      board.delete(key);
    }
  };
}

async function fillIn(parts: PanelParts, formId: string, { caseId, session: { user }, ehr }: PanelCall, onProgress: (progress: ReadProgress) => void): Promise<PanelReplies['populateForm']> {
  const priorAuthCase = await parts.cases.read(caseId);
  const before = await parts.forms.read(caseId, formId);
  if (before.completed) return { form: viewOf(before) };
  mustBeOpen(priorAuthCase, before);
  const record = await parts.gatherer.readRecord(ehr, priorAuthCase);
  const population = await parts.metrics.timed(caseId, 'mrquery', before.package.canonical, () => parts.questionnaires.populate({
    package: before.package,
    launch: { patient: record.patient, order: record.order, coverage: record.coverage, practitioner: record.practitioner ?? record.practitionerRole },
    ehr,
    response: before.response,
    onProgress,
  }));
  onProgress({ step: 'filling-in', done: 0, total: 0 });
  parts.errorReports.report(before.package.payerId ?? priorAuthCase.payer.id, before.package.canonical, population.failures.map((failure) => ({ ...failure, place: failure.expression })));
  const saved = await parts.store.transaction(async (trx) => {
    const current = await parts.forms.read(caseId, formId, trx);
    const filled = { ...current.package, questionnaire: withComputedElements(current.package.questionnaire, population.elements) };
    const merged = prepopulate({
      questionnaire: filled.questionnaire,
      draft: current.response,
      values: population.values,
      rows: population.rows,
      populated: current.populated?.response,
      variables: population.variables,
      author: { reference: user.reference, display: user.name },
      today: calendarDay(parts.now(), parts.timeZoneOf(priorAuthCase.payer.id)),
      valueSets: current.package.valueSets,
      evaluate: evaluateFhirPath,
    });
    const populated = { response: merged.response, offers: population.offers, variables: population.variables };
    const missing = openStoredForm(parts, { package: filled, response: merged.response, populated, priorAuthCase, user }).gaps().length;
    const form = await parts.forms.save(trx, caseId, formId, current.version, {
      package: filled,
      response: merged.response,
      populated,
      sources: { ...current.sources, ...merged.sources },
      missing: current.package.adaptive ? Math.max(1, missing) : missing,
      population: { status: 'done', warnings: population.warnings, ...(population.cqlMode ? { cql: population.cqlMode } : {}) },
    });
    await followForms(parts, trx, caseId, user.reference);
    await parts.audit.recordWithin(trx, {
      action: 'questionnaire-populated',
      who: user.reference,
      what: [`Patient/${priorAuthCase.patient.id}`],
      caseId,
      details: { form: formId, filled: merged.outcomes.filter(({ kind }) => kind === 'filled' || kind === 'replaced').length, failures: population.failures.length },
    });
    return form;
  });
  return { form: viewOf(saved) };
}
