import type { Transaction } from 'kysely';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { draftResponse } from '#prior-auth/questionnaire/draft-response.ts';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { AnyDatabase } from '#store/database.ts';
import { type NewForm, stateOf, viewOf } from '../store/forms.ts';
import { openStoredForm } from './form-engine.ts';
import type { PanelCall, PanelHandler, PanelParts } from './panel-parts.ts';

/** The forms as stored. The first call after a determination reads them from the payer; filling them in from the record is another message, so that the screen can show the form meanwhile. */
export function listForms(parts: PanelParts): PanelHandler<'listForms'> {
  const reading = new Map<string, Promise<void>>();
  return async (_request, call) => {
    const priorAuthCase = await parts.cases.read(call.caseId);
    if (mayAskForForms(priorAuthCase) && !(await parts.forms.wereReadFor(call.caseId, priorAuthCase.requirement.assertionId))) {
      const running = reading.get(call.caseId) ?? readForms(parts, priorAuthCase, call).finally(() => reading.delete(call.caseId));
      reading.set(call.caseId, running);
      await running;
    }
    return { forms: (await parts.forms.list(call.caseId)).map(viewOf) };
  };
}

function mayAskForForms({ state, requirement }: PriorAuthCase): boolean {
  const asked = requirement.questionnaires.length > 0 || requirement.docNeeded !== undefined;
  return asked && (state.kind === 'questionnaire' || state.kind === 'ready' || state.kind === 'refused');
}

async function readForms(parts: PanelParts, priorAuthCase: PriorAuthCase, { ehr, session }: PanelCall): Promise<void> {
  const access = parts.payerAccess(priorAuthCase.payer.id);
  if (!access) throw new PriorAuthError('PAYER_NOT_CONFIGURED', 'This server does not know the payer of this case any more.', { nextStep: 'Ask whoever runs this server to add the payer again.' });
  const record = await parts.gatherer.readRecord(ehr, priorAuthCase);
  const { requirement, service, patient } = priorAuthCase;
  const answer = await parts.questionnaires.fetchPackage(access, {
    coverage: record.coverage,
    order: record.order,
    referenced: [record.patient, record.practitioner, record.practitionerRole, record.organization].filter((resource) => resource !== undefined),
    questionnaires: requirement.questionnaires,
    context: requirement.assertionId,
  });
  for (const warning of answer.warnings) parts.log.info({ caseId: priorAuthCase.id, warning }, 'payer warned with its form');
  const packages = answer.kind === 'packages' ? answer.packages : [];
  if (packages.length === 0 && requirement.questionnaires.length > 0) {
    throw new PriorAuthError('QUESTIONNAIRE_UNAVAILABLE', 'The payer named a form but did not send it.', { retryable: true, nextStep: 'Try again in a moment, or call the payer.' });
  }
  const forms = packages.map((one): NewForm => {
    const response = draftResponse({
      questionnaire: one.questionnaire,
      draft: one.draft,
      patient: `Patient/${patient.id}`,
      coverage: requirement.coverage,
      order: service.order,
      purposes: requirement.docPurpose,
      author: { reference: session.user.reference, display: session.user.name },
      authored: new Date(parts.now()).toISOString(),
    });
    const missing = openStoredForm(parts, { package: one, response, priorAuthCase, user: session.user }).gaps().length;
    return { formId: one.canonical, package: one, response, missing };
  });
  await parts.store.transaction(async (trx) => {
    await parts.forms.keepRead(trx, priorAuthCase.id, requirement.assertionId, forms);
    await followForms(parts, trx, priorAuthCase.id, session.user.reference);
  });
}

/** Moves the case to where its forms now are. */
export async function followForms({ cases, forms }: PanelParts, trx: Transaction<AnyDatabase>, caseId: string, who: string): Promise<PriorAuthCase> {
  const state = stateOf(await forms.list(caseId, trx));
  return cases.change(trx, caseId, { expectedVersion: null, who, change: (current) => (isSame(current.state, state) ? undefined : { state }) });
}

function isSame(a: PriorAuthCase['state'], b: PriorAuthCase['state']): boolean {
  return a.kind === b.kind && (a.kind !== 'questionnaire' || b.kind !== 'questionnaire' || a.missing === b.missing);
}
