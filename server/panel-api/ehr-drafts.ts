import type { QuestionnaireResponse } from '@medplum/fhirtypes';
import { readQrContext } from '#fhir/dtr/qr-context.ts';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { writeResponse } from '#prior-auth/questionnaire/dtr-versions/write-response.ts';
import { mergeResponses } from '#prior-auth/questionnaire/merge-responses.ts';
import type { EhrClient } from '../ehr/ehr-client.ts';
import { isOf } from '../ehr/gather-submission.ts';
import type { Session } from '../smart/sessions.ts';
import { FormChanged, type StoredForm } from '../store/forms.ts';
import { openStoredForm } from './form-engine.ts';
import { followForms } from './list-forms.ts';
import type { PanelCall, PanelParts } from './panel-parts.ts';

const NO_DRAFTS = 'The record system takes no drafts of this form. They are kept here.';
const NOT_IN_RECORD = 'The record system did not take the completed form. It is kept here and goes to the payer all the same.';

type Parts = Pick<PanelParts, 'cases' | 'forms' | 'store' | 'audit' | 'log' | 'now' | 'timeZoneOf' | 'metrics' | 'payerAccess'>;
type Where = Pick<PanelCall, 'caseId' | 'patientId' | 'ehr' | 'session'>;

/** The EHR's copy of our forms, kept level with ours in both directions (DTR 2.0.1: the QuestionnaireResponse in the EHR is what people and apps share). */
export interface EhrDrafts {
  /** Writes the newest draft soon, never two of one form at once; nobody waits for it. */
  keepSoon(where: Where, formId: string): void;
  /** Writes the form as it is now. Gives it as stored afterwards: with the EHR's words on it, and with what others changed there. */
  keep(where: Where, formId: string): Promise<StoredForm>;
  /** Takes in what others changed in the EHR since, and the draft that another app began for this order. */
  readNewer(where: Where): Promise<void>;
  /** When nothing is on its way any more. */
  settle(): Promise<void>;
}

export function createEhrDrafts(parts: Parts): EhrDrafts {
  const running = new Map<string, Promise<unknown>>();
  const waiting = new Set<string>();

  /** What touches the EHR's copy of one form goes one after the other. */
  const inTurn = <T>(caseId: string, formId: string, work: () => Promise<T>): Promise<T> => {
    const key = `${caseId} ${formId}`;
    const turn = (running.get(key) ?? Promise.resolve()).then(work, work);
    const quiet = turn.catch(() => undefined).finally(() => {
      if (running.get(key) === quiet) running.delete(key);
    });
    running.set(key, quiet);
    return turn;
  };
  const keep = (where: Where, formId: string) => inTurn(where.caseId, formId, () => writeForm(parts, where, formId));

  return {
    keep,
    keepSoon(where, formId) {
      const key = `${where.caseId} ${formId}`;
      if (waiting.has(key)) return;
      waiting.add(key);
      void inTurn(where.caseId, formId, () => {
        waiting.delete(key);
        return writeForm(parts, where, formId);
      }).catch((error: unknown) => parts.log.warn({ err: error, caseId: where.caseId }, 'a draft did not reach the EHR'));
    },
    async readNewer(where) {
      const priorAuthCase = await parts.cases.read(where.caseId);
      const forms = (await parts.forms.list(where.caseId)).filter(({ completed }) => !completed);
      if (forms.length === 0 || !mayStillChange(priorAuthCase)) return;
      try {
        const begun = forms.some(({ ehrReference }) => ehrReference === null) ? await draftsOfOrder(where.ehr, priorAuthCase) : [];
        await Promise.all(forms.map(({ formId }) => inTurn(where.caseId, formId, async () => {
          const form = await parts.forms.read(where.caseId, formId);
          const found = form.ehrReference ? await where.ehr.follow(form.ehrReference) : begun.find(({ questionnaire }) => isSameForm(questionnaire, form));
          if (found?.resourceType === 'QuestionnaireResponse' && found.status !== 'entered-in-error' && isOf(found, where.patientId)) await takeIn(parts, where, form, found);
        })));
      } catch (error) {
        if (!(error instanceof PriorAuthError) || error.code === 'SESSION_EXPIRED') throw error;
        parts.log.warn({ err: error, caseId: where.caseId, code: error.code }, 'drafts in the EHR were not read');
      }
    },
    async settle() {
      while (running.size > 0) await Promise.all(running.values());
    },
  };
}

function mayStillChange({ state }: PriorAuthCase): boolean {
  return state.kind === 'questionnaire' || state.kind === 'ready' || state.kind === 'refused';
}

/** Drafts of any app for this order (dtr-smart: relaunch by order). A completed response is never used for another form. */
async function draftsOfOrder(ehr: EhrClient, { patient, service }: PriorAuthCase): Promise<readonly QuestionnaireResponse[]> {
  const found = await ehr.search('QuestionnaireResponse', { patient: `Patient/${patient.id}`, status: 'in-progress' });
  return found
    .filter((one): one is QuestionnaireResponse => one.resourceType === 'QuestionnaireResponse' && one.status === 'in-progress' && isOf(one, patient.id) && readQrContext(one).some((reference) => reference.endsWith(service.order)))
    .sort((a, b) => ((a.meta?.lastUpdated ?? '') < (b.meta?.lastUpdated ?? '') ? 1 : -1));
}

function isSameForm(canonical: string | undefined, { package: { questionnaire } }: StoredForm): boolean {
  const [url, version] = (canonical ?? '').split('|');
  return url !== '' && url === questionnaire.url && (version === undefined || questionnaire.version === undefined || version === questionnaire.version);
}

async function writeForm(parts: Parts, where: Where, formId: string): Promise<StoredForm> {
  const { caseId, ehr } = where;
  const form = await parts.forms.read(caseId, formId);
  if (form.ehrCopy?.formVersion === form.version) return form;
  // Contradictions wait for a person; until then the EHR keeps what it has.
  if (form.unsettled && !form.completed) return form;
  // What the EHR refused once it is asked again only when the form is complete.
  if (!form.completed && form.population.warnings.includes(NO_DRAFTS)) return form;
  const payerId = form.package.payerId ?? (await parts.cases.read(caseId)).payer.id;
  const version = parts.payerAccess(payerId)?.dtr.version ?? '2.0.1';
  const written = ({ response }: StoredForm) => {
    const { id: _id, ...unnamed } = writeResponse(version, response);
    return unnamed;
  };
  const timed = <T>(store: () => Promise<T>) => parts.metrics.timed(caseId, 'storeqr', form.package.canonical, store);
  const id = form.ehrReference?.split('/')[1];
  try {
    if (!id) return await noteCopy(parts, caseId, form, await timed(() => ehr.save<QuestionnaireResponse>(written(form))));
    const outcome = await timed(() => ehr.update<QuestionnaireResponse>({ ...written(form), id }, form.ehrCopy?.version ?? null));
    if (outcome.kind === 'saved') return await noteCopy(parts, caseId, form, outcome.resource);
    const theirs = await ehr.read('QuestionnaireResponse', id);
    // Removed there, or marked as a mistake: it stays so, and the form gets a copy of its own.
    if (!theirs || theirs.status === 'entered-in-error') return await noteCopy(parts, caseId, form, await timed(() => ehr.save<QuestionnaireResponse>(written(form))));
    const merged = await takeIn(parts, where, form, theirs);
    if (merged.unsettled) return merged;
    const again = await ehr.update<QuestionnaireResponse>({ ...written(merged), id }, theirs.meta?.versionId ?? null);
    return again.kind === 'saved' ? await noteCopy(parts, caseId, merged, again.resource) : merged;
  } catch (error) {
    if (!(error instanceof PriorAuthError)) throw error;
    parts.log.warn({ err: error, caseId, code: error.code }, 'the EHR did not take a form');
    if (!form.completed && error.code !== 'EHR_REFUSED') return form;
    return change(parts, caseId, formId, (current) => ({ population: withWarning(current, form.completed ? NOT_IN_RECORD : NO_DRAFTS) }));
  }
}

async function noteCopy(parts: Parts, caseId: string, form: StoredForm, kept: QuestionnaireResponse): Promise<StoredForm> {
  return change(parts, caseId, form.formId, (current) => ({
    ...(kept.id ? { ehrReference: `QuestionnaireResponse/${kept.id}` } : {}),
    ehrCopy: { version: kept.meta?.versionId ?? null, response: form.response, formVersion: form.version },
    population: withWarning(current, undefined),
  }));
}

/** Merges what the EHR has into ours. Ours stays where both changed the same answer, and a person is asked. */
async function takeIn(parts: Parts, { caseId, session: { user } }: Where, form: StoredForm, theirs: QuestionnaireResponse): Promise<StoredForm> {
  const version = theirs.meta?.versionId ?? null;
  if (form.ehrReference !== null && form.ehrCopy !== null && version !== null && version === form.ehrCopy.version) return form;
  const priorAuthCase = await parts.cases.read(caseId);
  const ehrReference = `QuestionnaireResponse/${theirs.id}`;
  const { item: _item, ...empty } = theirs;
  const base = form.ehrCopy?.response ?? empty;
  return newestOf(() => parts.store.transaction(async (trx) => {
    const current = await parts.forms.read(caseId, form.formId, trx);
    const mine = current.response;
    const { response, conflicts, fromTheirs } = mergeResponses({ questionnaire: current.package.questionnaire, base, mine, theirs });
    const sided = conflicts.length === 0 ? response : mergeResponses({ questionnaire: current.package.questionnaire, base, mine, theirs, choices: Object.fromEntries(conflicts.map(({ path }) => [path, 'mine' as const])) }).response;
    const whole = withRootOf(theirs, sided);
    const isNew = fromTheirs.length > 0 || JSON.stringify(whole.item) !== JSON.stringify(mine.item) || whole.extension?.length !== mine.extension?.length;
    const saved = await parts.forms.save(trx, caseId, form.formId, current.version, {
      ehrReference,
      ehrCopy: { version, response: theirs, formVersion: 0 },
      ...(isNew ? { response: whole, missing: missingOf(parts, current, whole, priorAuthCase, user), savedBy: { reference: theirs.author?.reference ?? ehrReference, name: theirs.author?.display ?? 'Someone in the record system' } } : {}),
      ...(conflicts.length > 0 ? { unsettled: { base, theirs } } : {}),
    });
    if (isNew) await followForms(parts, trx, caseId, user.reference);
    await parts.audit.recordWithin(trx, {
      action: 'questionnaire-merged', who: user.reference, what: [`Patient/${priorAuthCase.patient.id}`, ehrReference], caseId,
      details: { form: form.formId, taken: fromTheirs.length, conflicts: conflicts.length },
    });
    return saved;
  }));
}

/** What another app wrote at the root and this one does not know stays. */
function withRootOf({ identifier, extension }: QuestionnaireResponse, response: QuestionnaireResponse): QuestionnaireResponse {
  const known = response.extension ?? [];
  const added = (extension ?? []).filter(({ url }) => !known.some((one) => one.url === url));
  return { ...(identifier ? { identifier } : {}), ...response, ...(known.length + added.length > 0 ? { extension: [...known, ...added] } : {}) };
}

function missingOf(parts: Parts, form: StoredForm, response: QuestionnaireResponse, priorAuthCase: PriorAuthCase, user: Session['user']): number {
  return openStoredForm(parts, { package: form.package, response, priorAuthCase, user }).gaps().length;
}

function withWarning({ population }: StoredForm, warning: string | undefined): StoredForm['population'] {
  const others = population.warnings.filter((one) => one !== NOT_IN_RECORD && one !== NO_DRAFTS);
  return { ...population, warnings: warning === undefined ? others : [...others, warning] };
}

function change(parts: Parts, caseId: string, formId: string, changesOf: (current: StoredForm) => Parameters<Parts['forms']['save']>[4]): Promise<StoredForm> {
  return newestOf(() => parts.store.transaction(async (trx) => {
    const current = await parts.forms.read(caseId, formId, trx);
    return parts.forms.save(trx, caseId, formId, current.version, changesOf(current));
  }));
}

const MOST_ATTEMPTS = 5;

/** A person who saves meanwhile comes first; what is written here is then worked out anew. */
async function newestOf<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof FormChanged) || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}
