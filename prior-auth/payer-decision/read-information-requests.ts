import type { CommunicationRequest, Resource, Task, TaskInput } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { type Extensible, extensionByUrl } from '#fhir/base/extension.ts';
import { PAS_EXTENSIONS } from '#fhir/pas/canonical-urls.ts';
import type { InformationRequest } from './information-request.ts';
import { listOf } from './item-decision.ts';

interface AskedItem {
  readonly sequence: number;
  readonly traceNumber: string;
}

type Wants = InformationRequest['wants'];

/** LOINC: a questionnaire of the payer's own; the item's trace number then is the context that `$questionnaire-package` takes (PAS 2.2.1 §CommunicationRequest). */
const PAYER_QUESTIONNAIRE = '102089-0';
const LOINC_CODE = /^\d{1,7}-\d$/;
const CLOSED_TASKS: readonly string[] = ['completed', 'cancelled', 'rejected', 'failed', 'entered-in-error'];

/**
 * What the payer wants, from the resources beside its ClaimResponse. Tasks say it exactly; a CommunicationRequest adds its words to the Task that it
 * is about, and stands alone where there is none. Lines: 2.0.1 on the payload and `paLineNumber`, 2.2.1 on the resource and `serviceLineNumber`; both are read.
 */
export function readInformationRequests(resources: readonly Resource[], items: readonly AskedItem[]): readonly InformationRequest[] {
  const ofTasks = resources.flatMap((resource) => (resource.resourceType === 'Task' ? asksOfTask(resource, items) : []));
  const ofMessages = resources.flatMap((resource) => (resource.resourceType === 'CommunicationRequest' ? asksOfMessage(resource, items) : []));
  const alone = ofMessages.filter((message) => !ofTasks.some((task) => isSame(task, message)));
  const worded = ofTasks.map((task) => {
    const text = task.text ?? ofMessages.find((message) => isSame(task, message) && message.text !== undefined)?.text;
    return text === undefined ? task : { ...task, text };
  });
  return [...new Map([...worded, ...alone].map((ask) => [ask.id, ask])).values()];
}

/** A Task and a message with one control number are one ask; without one, those about the same line. */
function isSame(task: InformationRequest, message: InformationRequest): boolean {
  const number = (ask: InformationRequest): string => ask.id.split('#')[0] ?? '';
  return number(task) === number(message) || (task.sequence === message.sequence && (number(message) === '' || codesOf(task).some((code) => codesOf(message).includes(code))));
}

const codesOf = ({ wants }: InformationRequest): readonly string[] => (wants.kind === 'attachment' ? wants.codes.map(({ code }) => code) : [PAYER_QUESTIONNAIRE]);

function asksOfTask(task: Task, items: readonly AskedItem[]): InformationRequest[] {
  if (CLOSED_TASKS.includes(task.status)) return [];
  const inputs = listOf(task.input);
  const payerUrl = inputs.filter((input) => typeOf(input) === 'payer-url').map(({ valueUrl, valueUri }) => valueUrl ?? valueUri).find(Boolean);
  const due = task.restriction?.period?.end?.slice(0, 10);
  const number = listOf(task.identifier)[0]?.value ?? '';
  const text = task.description ?? listOf(task.note)[0]?.text;
  return inputs.flatMap((input): InformationRequest[] => {
    const wants = wantsOfInput(input);
    if (!wants) return [];
    const sequence = knownSequence(lineOf(input), items);
    return [ask(number, sequence, wants, { ...controlOf(task.identifier), ...(text ? { text } : {}), ...(due ? { due } : {}), ...(payerUrl ? { payerUrl } : {}) })];
  });
}

function typeOf({ type }: TaskInput): string | undefined {
  return listOf(type?.coding).find(({ system, code }) => system === CODE_SYSTEMS.pasTemp && code)?.code;
}

function wantsOfInput(input: TaskInput): Wants | undefined {
  switch (typeOf(input)) {
    case 'attachments-needed':
      return { kind: 'attachment', codes: listOf(input.valueCodeableConcept?.coding).flatMap(({ system, code }) => (code ? [{ system: system ?? '', code }] : [])) };
    case 'questionnaire-context':
      return { kind: 'questionnaire', ...(input.valueString ? { context: input.valueString } : {}) };
    case 'questionnaires-needed': {
      // 2.0.1 names a form by an Identifier; some payers send its canonical.
      const canonical = input.valueCanonical ?? input.valueUri;
      const context = input.valueIdentifier?.value;
      return { kind: 'questionnaire', ...(canonical ? { questionnaire: canonical } : {}), ...(context ? { context } : {}) };
    }
    default:
      return undefined;
  }
}

function asksOfMessage(message: CommunicationRequest, items: readonly AskedItem[]): InformationRequest[] {
  if (message.status !== 'active') return [];
  const number = listOf(message.identifier)[0]?.value ?? '';
  const categories = listOf(message.category).flatMap(({ coding }) => listOf(coding).flatMap(({ system, code }) => (code ? [{ system: system ?? '', code }] : [])));
  const due = (message.occurrencePeriod?.end ?? message.occurrenceDateTime)?.slice(0, 10);
  const payloads = listOf(message.payload);
  return (payloads.length > 0 ? payloads : [{}]).map((payload: Extensible & { readonly contentString?: string }) => {
    const sequence = knownSequence(lineOf(payload) ?? lineOf(message), items);
    const content = payload.contentString?.trim() ?? '';
    const loinc = LOINC_CODE.test(content) ? content : undefined;
    const context = items.find((item) => item.sequence === sequence)?.traceNumber;
    const wants: Wants =
      loinc === PAYER_QUESTIONNAIRE
        ? { kind: 'questionnaire', ...(context ? { context } : {}) }
        : { kind: 'attachment', codes: loinc ? [{ system: CODE_SYSTEMS.loinc, code: loinc }] : categories };
    return ask(number, sequence, wants, { ...controlOf(message.identifier), ...(loinc || content === '' ? {} : { text: content }), ...(due ? { due } : {}) });
  });
}

/** The number of a line; numbers that the request does not have mean the whole request. */
function lineOf(of: Extensible): number | undefined {
  return extensionByUrl(of, PAS_EXTENSIONS.serviceLineNumber)?.valuePositiveInt ?? extensionByUrl(of, PAS_EXTENSIONS.paLineNumber)?.valueInteger;
}

function knownSequence(line: number | undefined, items: readonly AskedItem[]): number | null {
  return items.some(({ sequence }) => sequence === line) ? (line ?? null) : null;
}

function controlOf(identifiers: Task['identifier']): Pick<InformationRequest, 'control'> {
  const [first] = listOf(identifiers);
  return first?.value ? { control: { ...(first.system ? { system: first.system } : {}), value: first.value } } : {};
}

/** One control number may stand over several asks; each has an id of its own. */
function ask(number: string, sequence: number | null, wants: Wants, more: Partial<InformationRequest>): InformationRequest {
  const what = wants.kind === 'attachment' ? wants.codes.map(({ code }) => code).join('+') : (wants.questionnaire ?? wants.context ?? 'questionnaire');
  return { id: [number, sequence ?? 'all', what, ...(number === '' && more.text ? [more.text] : [])].join('#'), sequence, wants, ...more, state: 'open' };
}
