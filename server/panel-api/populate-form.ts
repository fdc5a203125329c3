import { calendarDay } from '#prior-auth/coverage-requirement/calendar-day.ts';
import { prepopulate } from '#prior-auth/questionnaire/prepopulate.ts';
import { evaluateFhirPath } from './evaluate-fhirpath.ts';
import { viewOf } from '../store/forms.ts';
import { openStoredForm } from './form-engine.ts';
import { followForms } from './list-forms.ts';
import type { PanelHandler, PanelParts } from './panel-parts.ts';

/** Fills the form from the record, with the user's own rights. What a person answered meanwhile stays. A completed form is left as it is. */
export function populateForm(parts: PanelParts): PanelHandler<'populateForm'> {
  return async ({ formId }, { caseId, session: { user }, ehr }) => {
    const priorAuthCase = await parts.cases.read(caseId);
    const before = await parts.forms.read(caseId, formId);
    if (before.completed) return { form: viewOf(before) };
    const record = await parts.gatherer.readRecord(ehr, priorAuthCase);
    const population = await parts.metrics.timed(caseId, 'mrquery', before.package.canonical, () => parts.questionnaires.populate({
      package: before.package,
      launch: { patient: record.patient, order: record.order, coverage: record.coverage, practitioner: record.practitioner ?? record.practitionerRole },
      ehr,
    }));
    parts.errorReports.report(before.package.payerId ?? priorAuthCase.payer.id, before.package.canonical, population.failures.map((failure) => ({ ...failure, place: failure.expression })));
    const populated = await parts.store.transaction(async (trx) => {
      const current = await parts.forms.read(caseId, formId, trx);
      const merged = prepopulate({
        questionnaire: current.package.questionnaire,
        draft: current.response,
        values: population.values,
        author: { reference: user.reference, display: user.name },
        today: calendarDay(parts.now(), parts.timeZoneOf(priorAuthCase.payer.id)),
        valueSets: current.package.valueSets,
        evaluate: evaluateFhirPath,
      });
      const missing = openStoredForm(parts, { package: current.package, response: merged.response, priorAuthCase, user }).gaps().length;
      const form = await parts.forms.save(trx, caseId, formId, current.version, {
        response: merged.response,
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
    return { form: viewOf(populated) };
  };
}
