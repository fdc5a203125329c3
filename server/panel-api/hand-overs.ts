import type { Task } from '@medplum/fhirtypes';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { HandOver, Person } from '#prior-auth/panel-api.ts';
import type { AuditAction } from '#store/audit.ts';
import { type HandOverStore, isOpen } from '../store/hand-overs.ts';
import { openStoredForm } from './form-engine.ts';
import { readTask, writeTask } from './hand-over-task.ts';
import type { PanelCall, PanelParts } from './panel-parts.ts';

type Parts = Pick<PanelParts, 'cases' | 'forms' | 'ehrDrafts' | 'store' | 'audit' | 'log' | 'now' | 'timeZoneOf'> & { readonly handOverStore: HandOverStore };

/** Who works on a case: handed to a colleague, taken over, finished or undone; each step is kept here and as a Task in the EHR. */
export interface HandOvers {
  /** As the EHR's Task says now; null when the case was never handed over. */
  read(call: PanelCall): Promise<HandOver | null>;
  /** To another person, or from one person to the next. */
  begin(call: PanelCall, to: Person, note: string): Promise<HandOver>;
  /** Throws HAND_OVER_NOT_FOUND when the case is in nobody else's hands. */
  take(call: PanelCall): Promise<HandOver>;
  /** Undoes it. Throws HAND_OVER_NOT_FOUND. */
  cancel(call: PanelCall): Promise<HandOver>;
  /** The forms are complete; nothing happens when nobody was asked. */
  complete(call: PanelCall): Promise<void>;
}

export function createHandOvers(parts: Parts): HandOvers {
  const { handOverStore } = parts;
  const read = async (call: PanelCall): Promise<HandOver | null> => {
    const known = await handOverStore.read(call.caseId);
    if (!isOpen(known) || known.task === null) return known;
    const task = await taskOf(parts, call, known);
    if (!task) return known;
    const now = readTask(task, known);
    if (JSON.stringify(now) !== JSON.stringify(known)) await parts.store.transaction((trx) => handOverStore.save(trx, call.caseId, now));
    return now;
  };
  const move = async (call: PanelCall, handOver: HandOver, action: AuditAction): Promise<HandOver> => {
    const kept = { ...handOver, task: await keepTask(parts, call, handOver) };
    await parts.store.transaction(async (trx) => {
      await handOverStore.save(trx, call.caseId, kept);
      await parts.audit.recordWithin(trx, { action, who: call.session.user.reference, what: [`Patient/${call.patientId}`, kept.to.reference, ...(kept.task ? [kept.task] : [])], caseId: call.caseId });
    });
    return kept;
  };
  const readOpen = async (call: PanelCall): Promise<HandOver> => {
    const handOver = await read(call);
    if (isOpen(handOver)) return handOver;
    throw new PriorAuthError('HAND_OVER_NOT_FOUND', 'This case is in nobody else’s hands.', { nextStep: 'Reload the panel: a colleague may have finished it or given it back.' });
  };

  return {
    read,
    async begin(call, to, note) {
      const before = await read(call);
      const priorAuthCase = await parts.cases.read(call.caseId);
      const open = (await parts.forms.list(call.caseId)).filter(({ completed }) => !completed);
      for (const { formId } of open) await parts.ehrDrafts.keep(call, formId);
      const { reference, name } = call.session.user;
      return move(call, {
        status: 'requested', by: { reference, name }, to, note,
        at: new Date(parts.now()).toISOString(),
        missing: open.map((form) => ({ form: form.package.questionnaire.title ?? form.formId, questions: openStoredForm(parts, { ...form, priorAuthCase, user: call.session.user }).gaps().map(({ label }) => label) })),
        task: isOpen(before) ? before.task : null,
      }, 'handed-over');
    },
    async take(call) {
      const { reference, name } = call.session.user;
      return move(call, { ...(await readOpen(call)), status: 'in-progress', takenBy: { reference, name } }, 'hand-over-taken');
    },
    async cancel(call) {
      return move(call, { ...(await readOpen(call)), status: 'cancelled' }, 'hand-over-cancelled');
    },
    async complete(call) {
      const handOver = await read(call);
      if (isOpen(handOver)) await move(call, { ...handOver, status: 'completed', missing: [] }, 'hand-over-completed');
    },
  };
}

async function taskOf(parts: Parts, { ehr, caseId }: PanelCall, { task }: HandOver): Promise<Task | undefined> {
  const id = task?.split('/')[1];
  if (!id) return undefined;
  try {
    return await ehr.read('Task', id);
  } catch (error) {
    if (!(error instanceof PriorAuthError) || error.code === 'SESSION_EXPIRED') throw error;
    parts.log.warn({ err: error, caseId, code: error.code }, 'the Task of a hand-over was not read');
    return undefined;
  }
}

/** The Task's reference; null when the EHR does not take it (its scopes may not allow it), and then only this program knows. */
async function keepTask(parts: Parts, call: PanelCall, handOver: HandOver): Promise<string | null> {
  const { ehr, caseId } = call;
  const [priorAuthCase, forms] = [await parts.cases.read(caseId), await parts.forms.list(caseId)];
  const at = new Date(parts.now()).toISOString();
  try {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const before = await taskOf(parts, call, handOver);
      const task = writeTask(before, handOver, priorAuthCase, forms, at);
      if (!before) return `Task/${(await ehr.save(task)).id}`;
      const outcome = await ehr.update(task, before.meta?.versionId ?? null);
      if (outcome.kind === 'saved') return `Task/${before.id}`;
    }
    return handOver.task;
  } catch (error) {
    if (!(error instanceof PriorAuthError) || error.code === 'SESSION_EXPIRED') throw error;
    parts.log.warn({ err: error, caseId, code: error.code }, 'the EHR did not take the Task of a hand-over');
    return handOver.task;
  }
}
