import { type PolicyResponse, type ResponseChange, type ResponseOrder, DRAFT_TYPES } from '#prior-auth/coverage-requirement/policy-response.ts';
import { openValidator, type ValidationIssue, type Validator } from '#fhir/validation/validator.ts';
import type { Fault } from './json-file.ts';
import { spellingFault, systemFault } from './service-faults.ts';

/*
 * What a response would draft or change, held against FHIR R4: an element that is none, or a code that is not in a required value set, would reach
 * the EHR. The rest of the resource comes from the order that is answered, so only what the policy itself writes is looked at.
 */

const SUBJECT = { reference: 'Patient/1' };
/** The least that is a sound resource of its type. */
const LEAST: Readonly<Record<string, object>> = {
  ServiceRequest: { status: 'draft', intent: 'order', subject: SUBJECT, code: { text: 'x' } },
  DeviceRequest: { status: 'draft', intent: 'order', subject: SUBJECT, codeCodeableConcept: { text: 'x' } },
  MedicationRequest: { status: 'draft', intent: 'order', subject: SUBJECT, medicationCodeableConcept: { text: 'x' } },
  NutritionOrder: { status: 'draft', intent: 'order', patient: SUBJECT, dateTime: '2026-01-01' },
  VisionPrescription: { status: 'draft', created: '2026-01-01', patient: SUBJECT, dateWritten: '2026-01-01', prescriber: { reference: 'Practitioner/1' }, lensSpecification: [{ product: { text: 'x' }, eye: 'left' }] },
  CommunicationRequest: { status: 'draft', subject: SUBJECT },
  Appointment: { status: 'proposed', participant: [{ actor: SUBJECT, status: 'needs-action' }] },
  Coverage: { status: 'active', beneficiary: SUBJECT, payor: [{ reference: 'Organization/1' }] },
};
/** A draft that is answered may be of any of these types. */
const CHANGED_TYPES = [...DRAFT_TYPES, 'Appointment'];

let validator: Validator | undefined;

/** Paths begin at the response. */
export function draftFaults(response: PolicyResponse): readonly Fault[] {
  const under = (faults: readonly Fault[], ...before: PropertyKey[]): readonly Fault[] => faults.map(({ path, message }) => ({ path: [...before, ...path], message }));
  switch (response.type) {
    case 'propose-alternate':
      return response.alternatives.flatMap(({ change, replaceBy }, i) => [
        ...under(change ? changeFaults(change, CHANGED_TYPES) : [], 'alternatives', i, 'change'),
        ...under(replaceBy ? orderFaults(replaceBy) : [], 'alternatives', i, 'replaceBy'),
      ]);
    case 'additional-orders':
      return response.orders.flatMap(({ order }, i) => under(orderFaults(order), 'orders', i, 'order'));
    case 'update-coverage':
      return under(changeFaults(response.change, ['Coverage']), 'change');
    default:
      return [];
  }
}

function orderFaults({ resourceType, code, elements = {} }: ResponseOrder): readonly Fault[] {
  const system = code && (systemFault(code.system) ?? spellingFault(code.system));
  return [...(system === undefined ? [] : [{ path: ['code', 'system'], message: system }]), ...issuesOf(resourceType, elements).map((issue) => toFault(issue, 'elements'))];
}

/** The type is known only when an order is there: a change must fit one of them, as a whole. */
function changeFaults({ set = {}, compute = {} }: ResponseChange, types: readonly string[]): readonly Fault[] {
  const found = types.map((type) => [
    ...issuesOf(type, set).map((issue) => ({ issue, part: 'set' })),
    // What is computed is not known yet; that there is such an element is.
    ...issuesOf(type, Object.fromEntries(Object.keys(compute).map((name) => [name, 'x']))).flatMap((issue) => (issue.code === 'unknown-element' ? [{ issue, part: 'compute' }] : [])),
  ]);
  const [best = []] = found.toSorted((a, b) => unknownIn(a) - unknownIn(b) || a.length - b.length);
  return best.map(({ issue, part }) => toFault(issue.code === 'unknown-element' && types.length > 1 ? { ...issue, message: `is no element of what may be changed (${types.join(', ')}); remove it or correct its name` } : issue, part));
}

const unknownIn = (found: readonly { readonly issue: ValidationIssue }[]): number => found.filter(({ issue }) => issue.code === 'unknown-element').length;

/** Errors that the elements bring into the least resource of that type. */
function issuesOf(resourceType: string, elements: Readonly<Record<string, unknown>>): readonly ValidationIssue[] {
  const names = Object.keys(elements);
  if (names.length === 0) return [];
  validator ??= openValidator(['crd-2.0.1']);
  return validator.validate({ resourceType, ...LEAST[resourceType], ...elements }).issues.flatMap((issue) => (issue.severity === 'error' ? [{ ...issue, path: asWritten(issue.path, names) }] : []));
}

/** The validator says `quantity` where the policy writes `quantityQuantity`. */
function asWritten(path: string, names: readonly string[]): string {
  const [type = '', step = '', ...rest] = path.split('.');
  const plain = step.replace(/\[.*$/, '');
  const name = names.includes(plain) ? undefined : names.find((each) => plain !== '' && each.startsWith(plain));
  return name === undefined ? path : [type, step.replace(/^\w+/, name), ...rest].join('.');
}

function toFault({ path, message }: ValidationIssue, part: string): Fault {
  return { path: [part, ...partsOf(path)], message };
}

/** "ServiceRequest.note[0].text" without the type, as keys and places. */
function partsOf(path: string): readonly string[] {
  return path.split(/[.[\]]+/).filter((part) => part !== '').slice(1);
}
