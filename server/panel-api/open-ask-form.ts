import { createHash } from 'node:crypto';
import { requirementOf } from './further-orders.ts';
import { calendarDay } from '#prior-auth/coverage-requirement/calendar-day.ts';
import type { Order } from '#prior-auth/order/requested-service.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { askPackages } from '../questionnaire/ask-packages.ts';
import { askOf } from './answer-ask.ts';
import { viewCase } from './case-view.ts';
import { newForm } from './list-forms.ts';
import type { PanelHandler, PanelParts } from './panel-parts.ts';

/** The form that an ask names by its context: fetched once, then among the forms of the case, open while the payer waits for it. */
export function openAskForm(parts: PanelParts): PanelHandler<'openAskForm'> {
  return async ({ askId }, call) => {
    const { caseId, ehr, session: { user } } = call;
    const priorAuthCase = await parts.cases.read(caseId);
    const { wants, sequence, state } = askOf(priorAuthCase, askId);
    if (wants.kind !== 'questionnaire' || state !== 'open') throw new PriorAuthError('CASE_STEP_NOT_ALLOWED', 'The payer does not ask for a form here.', { nextStep: 'Load the case again.' });
    if ((await parts.forms.list(caseId)).some(({ package: { ask } }) => ask === askId)) return viewCase(parts, priorAuthCase);
    const record = await parts.gatherer.readRecord(ehr, priorAuthCase);
    const access = parts.payerAccess(priorAuthCase.payer.id);
    if (!access) throw new PriorAuthError('PAYER_NOT_CONFIGURED', 'This server does not know the payer of this case any more.', { nextStep: 'Ask whoever runs this server to add the payer again.' });
    const order: Order = (sequence === null ? undefined : [record.order, ...(record.furtherOrders ?? [])][sequence - 1]) ?? record.order;
    const assertionId = wants.context ?? requirementOf(order, priorAuthCase)?.assertionId ?? priorAuthCase.requirement.assertionId;
    const today = calendarDay(parts.now(), parts.timeZoneOf(priorAuthCase.payer.id));
    const { packages, warnings } = await askPackages([{ access, payerName: priorAuthCase.payer.name, coverage: record.coverage, questionnaires: wants.questionnaire === undefined ? [] : [wants.questionnaire], assertionId }], {
      order, referenced: [record.patient, record.practitioner, record.practitionerRole, record.organization].filter((resource) => resource !== undefined), today,
    });
    const [found] = packages;
    if (!found) throw new PriorAuthError('QUESTIONNAIRE_UNAVAILABLE', `The payer asks for a form but did not send it.${warnings.length > 0 ? ` The payer says: ${warnings.join(' ')}` : ''}`, { retryable: true, nextStep: 'Try again in a moment, or call the payer.' });
    const made = newForm(parts, priorAuthCase, call, { ...found, ask: askId }, []);
    const suffix = createHash('sha256').update(askId).digest('hex').slice(0, 10);
    await parts.store.transaction(async (trx) => {
      await parts.forms.add(trx, caseId, { ...made, formId: `${made.formId}#${suffix}` });
      await parts.audit.recordWithin(trx, { action: 'questionnaire-asked', who: user.reference, what: [`Patient/${priorAuthCase.patient.id}`], caseId, details: { form: made.formId } });
    });
    return viewCase(parts, priorAuthCase);
  };
}
