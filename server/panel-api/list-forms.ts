import type { Transaction } from 'kysely';
import { calendarDay } from '#prior-auth/coverage-requirement/calendar-day.ts';
import { readRequirement } from '#prior-auth/coverage-requirement/read-requirement.ts';
import type { CoverageRequirement } from '#prior-auth/coverage-requirement/requirement.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { adaptiveDraft } from '#prior-auth/questionnaire/adaptive-response.ts';
import { draftResponse } from '#prior-auth/questionnaire/draft-response.ts';
import { writeResponse } from '#prior-auth/questionnaire/dtr-versions/write-response.ts';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { AnyDatabase } from '#store/database.ts';
import type { CaseRecord } from '../ehr/gather-submission.ts';
import { type AskedCoverage, type AskedPackages, askPackages, isExpired } from '../questionnaire/ask-packages.ts';
import type { QuestionnairePackage } from '../questionnaire/package.ts';
import { type NewForm, stateOf, type StoredForm, viewOf } from '../store/forms.ts';
import { openStoredForm } from './form-engine.ts';
import { requirementOf } from './further-orders.ts';
import type { PanelCall, PanelHandler, PanelParts } from './panel-parts.ts';

/** How long a person who comes back waits for the payer to say whether its form has changed. */
const RESUME_WAIT_MS = 3_000;
const MOST_REMEMBERED = 10_000;

/** The forms as stored. The first call after a determination reads them from the payer; filling them in from the record is another message, so that the screen can show the form meanwhile. */
export function listForms(parts: PanelParts): PanelHandler<'listForms'> {
  const reading = new Map<string, Promise<void>>();
  const askedBy = new Map<string, string>();
  const notices = new Map<string, readonly string[]>();
  return async (_request, call) => {
    const priorAuthCase = await parts.cases.read(call.caseId);
    if (mayAskForForms(priorAuthCase)) {
      const known = await parts.forms.wereReadFor(call.caseId, askedFor(priorAuthCase));
      const resumed = known && askedBy.get(call.caseId) !== call.session.id;
      if (!known || resumed) {
        const running = reading.get(call.caseId) ?? readForms(parts, priorAuthCase, call, resumed).then((words) => void notices.set(call.caseId, words)).finally(() => reading.delete(call.caseId));
        reading.set(call.caseId, running);
        await (resumed ? withoutWaitingLong(parts, call.caseId, running) : running);
        if (askedBy.size >= MOST_REMEMBERED) {
          askedBy.clear();
          notices.clear();
        }
        askedBy.set(call.caseId, call.session.id);
      }
    }
    await parts.ehrDrafts.readNewer(call);
    const forms = (await parts.forms.list(call.caseId)).map(viewOf);
    const words = notices.get(call.caseId) ?? [];
    return { forms, ...(forms.length === 0 && words.length > 0 ? { notices: words } : {}) };
  };
}

/** Names what the forms were asked for: the determination and the orders that joined the request. */
function askedFor({ requirement, further = [] }: PriorAuthCase): string {
  return [requirement.assertionId, ...further.map(({ order }) => order)].join(' ');
}

function mayAskForForms({ state, requirement, further = [] }: PriorAuthCase): boolean {
  return (asksForForms(requirement) || further.length > 0) && (state.kind === 'questionnaire' || state.kind === 'ready' || state.kind === 'refused');
}

function asksForForms({ questionnaires, docNeeded }: CoverageRequirement): boolean {
  return questionnaires.length > 0 || docNeeded !== undefined;
}

/** The forms are there already: a payer that is slow or away must not keep them from the person. */
async function withoutWaitingLong({ log }: PanelParts, caseId: string, running: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, RESUME_WAIT_MS);
  });
  await Promise.race([running.catch((error: unknown) => log.warn({ err: error, caseId }, 'the payer was not asked whether its forms have changed')), patience]);
  clearTimeout(timer);
}

/** Gives the payer's words about the forms. */
async function readForms(parts: PanelParts, priorAuthCase: PriorAuthCase, call: PanelCall, resumed: boolean): Promise<readonly string[]> {
  const { requirement } = priorAuthCase;
  const record = await parts.gatherer.readRecord(call.ehr, priorAuthCase);
  const earlier = await parts.forms.list(priorAuthCase.id);
  const today = calendarDay(parts.now(), parts.timeZoneOf(priorAuthCase.payer.id));
  const stopped = earlier.filter((form) => !form.completed && isExpired(form.package, today));
  const asked = await askedCoverages(parts, priorAuthCase, record, call, stopped);
  const answer = await parts.metrics.timed(priorAuthCase.id, 'qpackage', undefined, () => askPackages(asked, {
    order: record.order,
    referenced: [record.patient, record.practitioner, record.practitionerRole, record.organization].filter((resource) => resource !== undefined),
    changedSince: resumed && stopped.length === 0 ? earlier.map(({ response }) => response.meta?.lastUpdated ?? response.authored ?? '').filter(Boolean).sort()[0] : undefined,
    today,
  }));
  for (const warning of answer.warnings) parts.log.info({ caseId: priorAuthCase.id, warning }, 'payer warned with its form');
  for (const { payerId, canonical, faults } of answer.faults) parts.errorReports.report(payerId, canonical, faults);
  // Nothing changed since, or nothing came: what there is stays.
  if (resumed && answer.packages.length === 0 && stopped.length === 0) return answer.warnings;
  for (const form of stopped) await stopInEhr(parts, call, priorAuthCase.payer.id, form);
  if (answer.packages.length === 0 && requirement.questionnaires.length > 0) throw unavailable(answer);
  const warnings = [...answer.warnings, ...stopped.map(({ package: { questionnaire, canonical } }) => `The form “${questionnaire.title ?? canonical}” expired before it was completed. It was stopped, and the payer was asked for the one that is valid now.`)];
  const forms = answer.packages.map((one, index) => newForm(parts, priorAuthCase, call, index === 0 ? { ...one, warnings: [...warnings, ...(one.warnings ?? [])] } : one, earlier.filter((form) => !stopped.includes(form))));
  const kept = resumed ? earlier.filter((form) => !stopped.includes(form) && !forms.some(({ package: { questionnaire } }) => questionnaire.url === form.package.questionnaire.url)) : [];
  await parts.store.transaction(async (trx) => {
    await parts.forms.keepRead(trx, priorAuthCase.id, askedFor(priorAuthCase), [...forms, ...kept]);
    await followForms(parts, trx, priorAuthCase.id, call.session.user.reference);
  });
  for (const one of answer.packages) parts.errorReports.report(one.payerId ?? priorAuthCase.payer.id, one.canonical, one.faults ?? []);
  return answer.warnings;
}

/** The case's own coverage first, then every other that a payer's answer on the order asks forms for. */
async function askedCoverages(parts: PanelParts, priorAuthCase: PriorAuthCase, record: CaseRecord, { ehr }: PanelCall, stopped: readonly StoredForm[]): Promise<AskedCoverage[]> {
  const { payer, requirement } = priorAuthCase;
  const access = parts.payerAccess(payer.id);
  if (!access) throw new PriorAuthError('PAYER_NOT_CONFIGURED', 'This server does not know the payer of this case any more.', { nextStep: 'Ask whoever runs this server to add the payer again.' });
  const expired = stopped.map(({ package: one }) => one.canonical);
  const own = { access, payerName: payer.name, coverage: record.coverage, questionnaires: requirement.questionnaires.filter((canonical) => !expired.includes(canonical)), assertionId: requirement.assertionId };
  const others = await Promise.all(readRequirement(record.order).filter((each) => each.coverage !== requirement.coverage && asksForForms(each)).map(async (each): Promise<AskedCoverage[]> => {
    const coverage = await ehr.follow(each.coverage);
    if (coverage?.resourceType !== 'Coverage') return [];
    const other = await parts.payerOf(ehr, coverage);
    const itsAccess = other && parts.payerAccess(other.id);
    return other && itsAccess ? [{ access: itsAccess, payerName: other.name, coverage, questionnaires: each.questionnaires, assertionId: each.assertionId }] : [];
  }));
  const further = (record.furtherOrders ?? []).flatMap((order): AskedCoverage[] => {
    const its = requirementOf(order, priorAuthCase);
    return its && asksForForms(its) ? [{ access, payerName: payer.name, coverage: record.coverage, questionnaires: its.questionnaires, assertionId: its.assertionId, order }] : [];
  });
  return [...(asksForForms(requirement) ? [own] : []), ...further, ...others.flat()];
}

/** Answers to an earlier version of the same form are taken over while it was not completed (a completed response fills no other form, 2.2.0). */
export function newForm(parts: PanelParts, priorAuthCase: PriorAuthCase, { session: { user } }: PanelCall, one: QuestionnairePackage, earlier: readonly StoredForm[]): NewForm {
  const { requirement, service, patient } = priorAuthCase;
  const before = one.adaptive ? undefined : earlier.find((form) => !form.completed && form.package.questionnaire.url !== undefined && form.package.questionnaire.url === one.questionnaire.url && form.formId !== one.canonical);
  const draft = draftResponse({
    questionnaire: one.questionnaire,
    draft: before?.response ?? one.draft,
    patient: `Patient/${patient.id}`,
    coverage: one.coverage ?? requirement.coverage,
    order: service.order,
    purposes: requirement.docPurpose,
    author: { reference: user.reference, display: user.name },
    authored: new Date(parts.now()).toISOString(),
  });
  const response = one.adaptive ? adaptiveDraft(draft, one.questionnaire) : draft;
  const gaps = openStoredForm(parts, { package: one, response, priorAuthCase, user }).gaps().length;
  // An adaptive form without a question yet is not complete: the payer has not been asked.
  return { formId: one.canonical, package: one, response, missing: one.adaptive ? Math.max(1, gaps) : gaps };
}

/** DTR: a response to a form that has expired is `stopped` in the record. */
async function stopInEhr({ payerAccess, log }: PanelParts, { ehr, caseId }: PanelCall, casePayerId: string, { response, ehrReference, package: { payerId = casePayerId } }: StoredForm): Promise<void> {
  const { id: _id, ...unnamed } = response;
  const id = ehrReference?.split('/')[1];
  try {
    await ehr.save(writeResponse(payerAccess(payerId)?.dtr.version ?? '2.0.1', { ...unnamed, ...(id ? { id } : {}), status: 'stopped' }));
  } catch (error) {
    if (!(error instanceof PriorAuthError)) throw error;
    log.warn({ err: error, caseId, code: error.code }, 'the EHR did not take a stopped form');
  }
}

function unavailable({ warnings }: AskedPackages): PriorAuthError {
  const words = warnings.length > 0 ? ` The payer says: ${warnings.join(' ')}` : '';
  return new PriorAuthError('QUESTIONNAIRE_UNAVAILABLE', `The payer named a form but did not send it.${words}`, { retryable: true, nextStep: 'Try again in a moment, or call the payer.' });
}

/** Moves the case to where its forms now are. What the payer calls satisfied ends without a request. */
export async function followForms({ cases, forms }: Pick<PanelParts, 'cases' | 'forms'>, trx: Transaction<AnyDatabase>, caseId: string, who: string): Promise<PriorAuthCase> {
  const stored = await forms.list(caseId, trx);
  return cases.change(trx, caseId, {
    expectedVersion: null,
    who,
    change: (current) => {
      // Forms that the payer asks for later answer what it asks; the request has left.
      if (current.state.kind === 'pended') return undefined;
      const state = stateOf(stored, current.requirement);
      return isSame(current.state, state) ? undefined : { state };
    },
  });
}

function isSame(a: PriorAuthCase['state'], b: PriorAuthCase['state']): boolean {
  return a.kind === b.kind && (a.kind !== 'questionnaire' || b.kind !== 'questionnaire' || a.missing === b.missing);
}
