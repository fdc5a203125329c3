import type { Task, TaskInput } from '@medplum/fhirtypes';
import { relativeReference } from '#fhir/base/reference.ts';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { HandOver } from '#prior-auth/panel-api.ts';
import type { StoredForm } from '../store/forms.ts';

const SDC = 'http://hl7.org/fhir/uv/sdc/CodeSystem/temp';
const CRD = 'http://hl7.org/fhir/us/davinci-crd/CodeSystem/temp';

/** CRD 2.0.1 profile-taskquestionnaire gives a Task for a form the status `ready`. */
const STATUS: Readonly<Record<HandOver['status'], Task['status']>> = { requested: 'ready', 'in-progress': 'in-progress', completed: 'completed', cancelled: 'cancelled' };

/** The hand-over as a Task: what to fill in and for which order, what is still missing, who asks whom. `before` keeps what others wrote on it. */
export function writeTask(before: Task | undefined, handOver: HandOver, priorAuthCase: PriorAuthCase, forms: readonly StoredForm[], at: string): Task {
  const open = forms.filter(({ completed }) => !completed);
  const shown = open.length > 0 ? open : forms;
  const focus = shown.find(({ ehrReference }) => ehrReference)?.ehrReference;
  return {
    ...(before ?? { resourceType: 'Task', authoredOn: handOver.at, reasonCode: { coding: [{ system: CRD, code: 'reason-prior-auth' }], text: 'Needed for prior authorization' } }),
    resourceType: 'Task',
    status: STATUS[handOver.status],
    intent: 'order',
    code: { coding: [{ system: SDC, code: 'complete-questionnaire' }], text: 'Complete the payer’s form' },
    description: describe(handOver),
    basedOn: [{ reference: priorAuthCase.service.order }],
    ...(focus ? { focus: { reference: focus } } : {}),
    for: { reference: `Patient/${priorAuthCase.patient.id}` },
    lastModified: at,
    requester: { reference: handOver.by.reference, display: handOver.by.name },
    owner: handOver.takenBy ? { reference: handOver.takenBy.reference, display: handOver.takenBy.name } : { reference: handOver.to.reference, display: handOver.to.name },
    ...(handOver.note ? { note: [{ authorReference: { reference: handOver.by.reference }, time: handOver.at, text: handOver.note }] } : {}),
    input: [
      ...shown.flatMap(({ formId, ehrReference }): TaskInput[] => [
        { type: { coding: [{ system: SDC, code: 'questionnaire' }], text: 'questionnaire' }, valueCanonical: formId },
        ...(ehrReference ? [{ type: { text: 'questionnaire-response' }, valueReference: { reference: ehrReference } }] : []),
      ]),
      { type: { coding: [{ system: CRD, code: 'after-completion-action' }] }, valueCodeableConcept: { coding: [{ system: CRD, code: 'prior-auth-include' }] } },
    ],
  };
}

function describe({ note, missing }: HandOver): string {
  const open = missing.flatMap(({ form, questions }) => (questions.length > 0 ? [`${form}: ${questions.join('; ')}`] : []));
  return [note, open.length > 0 ? `Still missing. ${open.join('. ')}.` : 'No required answer is missing; the form waits to be completed.'].filter(Boolean).join('\n');
}

/** What a colleague did to the Task in the record system itself. */
export function readTask(task: Task, handOver: HandOver): HandOver {
  const status = task.status === 'completed' ? 'completed'
    : ['cancelled', 'rejected', 'failed', 'entered-in-error'].includes(task.status) ? 'cancelled'
    : ['in-progress', 'accepted', 'received'].includes(task.status) ? 'in-progress' : handOver.status;
  const owner = relativeReference(task.owner?.reference ?? '');
  if (!owner || owner === handOver.to.reference || owner === handOver.takenBy?.reference) return { ...handOver, status };
  return { ...handOver, status, takenBy: { reference: owner, name: task.owner?.display ?? owner } };
}
