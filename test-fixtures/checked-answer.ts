import { type AnswerContext, answerFaults } from '#cds-hooks/answer-rules/answer-rules.ts';
import { isLoose, type Loose, looseList } from '#cds-hooks/answer-rules/fault.ts';
import type { CrdVersion, Hook } from '#cds-hooks/hook-call.ts';
import { openValidator } from '#fhir/validation/validator.ts';

/*
 * Every 200 answer of a hook that a test gets comes through here: it is held against the rules of answers, and what it returns against the profiles
 * of its version. What the call is about, and in which version, is read from the call anew, not taken from the service.
 */

export interface ClientsPart {
  /** What the EHR gave out while the call was answered. */
  readonly fromEhr?: readonly unknown[];
  /** Why the client's own resources break their profiles. The answer may then carry those faults along, and adds none. */
  readonly clientFaults?: string;
}

const VALIDATORS = { '2.0': openValidator(['crd-2.0.1']), '2.2': openValidator(['crd-2.2.0-preview']) };
const PROFILE = 'http://hl7.org/fhir/us/davinci-crd/StructureDefinition/profile-';
const REQUESTS = ['communicationrequest', 'devicerequest', 'medicationrequest', 'nutritionorder', 'servicerequest', 'visionprescription'];
const PROFILED: ReadonlySet<string> = new Set([...REQUESTS, 'appointment', 'coverage', 'device', 'encounter']);
/**
 * What no resource can satisfy in the preview of 2.2, the guide's own examples included: the payload's slice asks for an escaped URL and fixes the plain
 * one; the participants' slices go by the profile of resources elsewhere. There the answer adds no fault.
 */
const CANNOT_CONFORM: { readonly [V in CrdVersion]: ReadonlySet<string> } = { '2.0': new Set(), '2.2': new Set(['communicationrequest', 'appointment-no-order', 'appointment-with-order']) };

/** @throws Error that lists every rule and profile that a 200 answer breaks. Other answers pass: what they are is the test's matter. */
export function checkAnswer(sent: unknown, { status, text }: { readonly status: number; readonly text: string }, part: ClientsPart = {}): void {
  if (status !== 200) return;
  const call = readCall(typeof sent === 'string' ? JSON.parse(sent) : sent, part.fromEhr ?? []);
  const answer: unknown = JSON.parse(text);
  const broken = answerFaults(answer, {
    hook: call.hook, version: call.version, sent: byReference(call.about) as ReadonlyMap<string, unknown> as AnswerContext['sent'],
    drafts: new Set(byReference(entriesOf(call.context['draftOrders'])).keys()), coverageInformation: call.coverageInformation,
  }).map((fault) => `${fault.part} ${fault.index}: ${fault.rule}, ${fault.says}`);
  const invalid = returnedBy(answer).flatMap((resource) => faultsAdded(resource, call, part));
  if (broken.length + invalid.length > 0) throw new Error(`The answer to ${call.hook} in CRD ${call.version} is not sound:\n${[...broken, ...invalid].join('\n')}`);
}

interface Call {
  readonly hook: Hook;
  readonly version: CrdVersion;
  readonly context: Loose;
  readonly coverageInformation: boolean;
  /** What may be answered: orders, appointments, an encounter. */
  readonly about: readonly Loose[];
  /** Everything of the client's, by "Type/id". */
  readonly clients: ReadonlyMap<string, Loose>;
}

function readCall(body: unknown, fromEhr: readonly unknown[]): Call {
  const { hook, context, prefetch, extension } = isLoose(body) ? body : {};
  const { 'davinci-crd.requestedVersion': asked, 'davinci-crd.configuration': configuration } = isLoose(extension) ? extension : {};
  const ofContext = isLoose(context) ? context : {};
  const elsewhere = [...Object.values(isLoose(prefetch) ? prefetch : {}), ...fromEhr].flatMap(resourcesOf);
  const about = aboutOf(hook as Hook, ofContext, elsewhere);
  return {
    hook: hook as Hook, version: /^2\.2(?:\.|$)/.test(String(asked)) ? '2.2' : '2.0', context: ofContext, about,
    coverageInformation: !(isLoose(configuration) && configuration['coverage-info'] === false), clients: byReference([...about, ...elsewhere]),
  };
}

/** CRD §4: what each hook's answer may be on. */
function aboutOf(hook: Hook, context: Loose, elsewhere: readonly Loose[]): readonly Loose[] {
  const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);
  const named = (references: readonly string[]): readonly Loose[] => elsewhere.filter((each) => references.includes(referenceOf(each)));
  switch (hook) {
    case 'order-sign':
      return entriesOf(context['draftOrders']);
    case 'order-select':
      return entriesOf(context['draftOrders']).filter((each) => texts(context['selections']).some((selection) => `/${referenceOf(each)}`.endsWith(`/${selection}`)));
    case 'order-dispatch':
      return named([...texts(context['dispatchedOrders']), String(context['order'])]);
    case 'appointment-book':
      // 2.2: or on the order that the appointment is based on.
      return [...entriesOf(context['appointments']), ...elsewhere.filter(({ resourceType }) => REQUESTS.includes(String(resourceType).toLowerCase()))];
    default:
      return named([`Encounter/${String(context['encounterId'])}`]);
  }
}

/** Every resource that the answer gives to the client. */
function returnedBy(answer: unknown): readonly Loose[] {
  const { cards, systemActions } = isLoose(answer) ? answer : {};
  const suggested = looseList(cards).flatMap(({ suggestions }) => looseList(suggestions).flatMap(({ actions }) => looseList(actions)));
  return [...looseList(systemActions), ...suggested].flatMap(({ resource }) => (isLoose(resource) ? [resource] : []));
}

function faultsAdded(resource: Loose, { version, clients }: Call, { clientFaults }: ClientsPart): readonly string[] {
  const before = clients.get(referenceOf(resource));
  const carriesAlong = clientFaults !== undefined || CANNOT_CONFORM[version].has(profileOf(version, resource));
  const carried = new Set(before && carriesAlong ? errorsOf(version, before) : []);
  return errorsOf(version, resource).filter((error) => !carried.has(error)).map((error) => `${referenceOf(resource)}${error}`);
}

/** "<element> <code> <message>" of each error against the profile of that version. */
function errorsOf(version: CrdVersion, resource: Loose): readonly string[] {
  const profile = profileOf(version, resource);
  const { issues } = VALIDATORS[version].validate(resource, profile === '' ? {} : { profile: PROFILE + profile });
  return issues.filter(({ severity }) => severity === 'error').map(({ path, code, message }) => `${path.slice(String(resource['resourceType']).length)} ${code} ${message}`);
}

/** '': the guide has none. */
function profileOf(version: CrdVersion, { resourceType, basedOn }: Loose): string {
  const name = String(resourceType).toLowerCase();
  if (name === 'task') return 'taskquestionnaire';
  if (name === 'appointment' && version === '2.2') return basedOn === undefined ? 'appointment-no-order' : 'appointment-with-order';
  return PROFILED.has(name) ? name : '';
}

function resourcesOf(value: unknown): readonly Loose[] {
  if (!isLoose(value)) return [];
  return value['resourceType'] === 'Bundle' ? entriesOf(value) : [value];
}

function entriesOf(bundle: unknown): readonly Loose[] {
  return looseList(isLoose(bundle) ? bundle['entry'] : undefined).flatMap(({ resource }) => (isLoose(resource) ? [resource] : []));
}

function referenceOf({ resourceType, id }: Loose): string {
  return `${String(resourceType)}/${String(id)}`;
}

/** Of two with one id the first. */
function byReference(resources: readonly Loose[]): ReadonlyMap<string, Loose> {
  return new Map(resources.toReversed().map((resource) => [referenceOf(resource), resource]));
}
