import type { Condition, MedicationRequest, QuestionnaireResponse, Resource } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { relativeReference, withoutSlashes } from '#fhir/base/reference.ts';
import type { LeftOut } from '../panel-api.ts';
import { problem, written, type Written } from './members.ts';
import type { PasDialect } from './pas-dialect.ts';
import { askedOrders, type SubmissionInput } from './submission-input.ts';
import { displayOf } from './summarize.ts';

/** Not evidence: they have their own place in the bundle. */
const PARTIES = new Set(['Patient', 'Coverage', 'Organization', 'Practitioner', 'PractitionerRole', 'RelatedPerson', 'Encounter', 'Location', 'Binary', 'Questionnaire']);
/** Elements through which one piece of evidence is not readable without another. */
const PARTS = ['hasMember', 'derivedFrom', 'result'] as const;

/** One piece of evidence that goes with the request, and why. */
export interface Supporting {
  /** Relative reference in the record. */
  readonly reference: string;
  readonly resource: Resource;
  readonly why: string;
}

export interface SupportingChoice {
  readonly sent: readonly Supporting[];
  readonly leftOut: readonly LeftOut[];
}

/**
 * The least that supports the request (PAS privacy: minimum necessary): what the orders' reasons, their supporting information, a completed answer, the
 * evidence of answers and criteria, or the person who submits names, and what those are made of. Order of first mention. What the person left out, what
 * the version has no place for and what was `refused` (reasons by reference) is named with its reason.
 */
export function chooseSupporting(input: SubmissionInput, { whyNot }: Pick<PasDialect, 'whyNot'>, refused: Readonly<Record<string, string>> = {}): SupportingChoice {
  const { questionnaireResponses, evidence, criteria = [], supporting, chosen: byPerson } = input;
  const orders = askedOrders(input).map(({ order }) => order);
  const keyOf = (reference: string): string => relativeReference(reference.trim()) ?? reference;
  const excluded = new Set((byPerson?.exclude ?? []).map(keyOf));
  const available: ReadonlyMap<string, Resource> = new Map(supporting.flatMap((resource) => (resource.id && !PARTIES.has(resource.resourceType) ? [[`${resource.resourceType}/${resource.id}`, resource] as const] : [])));
  const sent = new Map<string, Supporting>();
  const leftOut = new Map<string, LeftOut>();
  const choose = (reference: string, why: string): void => {
    const key = keyOf(reference);
    const resource = available.get(key);
    if (!resource || sent.has(key) || leftOut.has(key)) return;
    const reason = refused[key] ?? whyNot(inlined(resource, input));
    if (excluded.has(key)) leftOut.set(key, { ...named(key, resource), reason: 'Left out on the review screen.', byPerson: true });
    else if (reason !== undefined) leftOut.set(key, { ...named(key, resource), reason });
    else {
      sent.set(key, { reference: key, resource, why });
      for (const part of PARTS) for (const inner of referencesIn((resource as unknown as Readonly<Record<string, unknown>>)[part])) choose(inner, 'Another entry that is sent is made of it');
    }
  };
  const ownKeys = new Set([...orders.map((order) => `${order.resourceType}/${order.id}`), ...questionnaireResponses.map(({ id }) => `QuestionnaireResponse/${id}`)]);
  const inOrders = (...elements: readonly string[]): string[] => orders.flatMap((order) => elements.flatMap((element) => referencesIn((order as unknown as Readonly<Record<string, unknown>>)[element])));
  const mentions: readonly (readonly [why: string, references: readonly string[]])[] = [
    ['Reason of the order', inOrders('reasonReference')],
    ['Supporting information of the order', inOrders('supportingInfo', 'supportingInformation')],
    ['Named in your answers', questionnaireResponses.flatMap(({ item, extension }) => [...referencesIn(item), ...referencesIn(extension)])],
    ['An answer was taken from it', evidence.map(({ reference }) => reference)],
    ['The payer’s criteria rest on it', criteria.map(({ reference }) => reference)],
    ['You added it', byPerson?.include ?? []],
  ];
  for (const [why, references] of mentions) for (const reference of references) if (!ownKeys.has(keyOf(reference))) choose(reference, why);
  return { sent: [...sent.values()], leftOut: [...leftOut.values()] };
}

function named(reference: string, resource: Resource): Omit<LeftOut, 'reason'> {
  return { reference, resourceType: resource.resourceType, display: displayOf(resource) };
}

/** As it would be sent: a document with what was read of its content. */
function inlined(resource: Resource, input: SubmissionInput): Resource {
  if (resource.resourceType !== 'DocumentReference') return resource;
  return { ...resource, content: [resource.content ?? []].flat().map(({ attachment }) => ({ attachment: inline(attachment ?? {}, input) })) };
}

/** Elements that repeat (R4), and that records are met with as a single value. */
const REPEATING: ReadonlySet<string> = new Set([
  'Observation.category', 'Observation.interpretation', 'Observation.referenceRange', 'Observation.performer', 'Observation.component', 'Observation.note',
  'Condition.category', 'Condition.bodySite', 'Condition.stage', 'Condition.evidence', 'Condition.note',
  'Procedure.performer', 'Procedure.reasonCode', 'Procedure.reasonReference', 'Procedure.note',
  'DiagnosticReport.category', 'DiagnosticReport.result', 'DiagnosticReport.presentedForm', 'DocumentReference.category', 'DocumentReference.content',
]);

function repeats(resourceType: string, element: string): boolean {
  return REPEATING.has(`${resourceType}.${element}`);
}

function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === 'reference' && typeof inner === 'string' ? [inner] : referencesIn(inner)));
}

/** A copy without narrative, ids and claims of profiles, of a document its attachments and their IHE formats alone; refused when it is about somebody else. */
export function writeSupporting(resource: Resource, input: SubmissionInput, { conditionCategory }: PasDialect): Written<Resource> {
  const facts = resource as unknown as Readonly<Record<string, unknown>>;
  const subjects = [...referencesIn(facts['subject']), ...referencesIn(facts['patient'])].map((reference) => relativeReference(reference) ?? reference);
  if (subjects.some((subject) => subject.startsWith('Patient/') && subject !== `Patient/${input.patient.id}`)) {
    return problem('EVIDENCE_OF_OTHER_PATIENT', `${resource.resourceType}/${resource.id} belongs to another patient.`, 'Correct the reference in the order or the form; nothing was sent.');
  }
  const { id: _id, text: _text, meta: _meta, ...rest } = facts;
  const copy: Record<string, unknown> = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, repeats(resource.resourceType, name) && value !== undefined && !Array.isArray(value) ? [value] : value]));
  if (resource.resourceType === 'Condition' && conditionCategory && !isCategorized(resource)) return written({ ...copy, category: [...[resource.category ?? []].flat(), conditionCategory] } as unknown as Resource);
  if (resource.resourceType === 'Observation' && !resource.status) return written({ ...copy, status: 'unknown' } as unknown as Resource);
  if (resource.resourceType === 'MedicationRequest') return written({ ...copy, ...prescribed(resource, input) } as unknown as Resource);
  if (resource.resourceType === 'DocumentReference') return written({ ...copy, content: [resource.content].flat().map(({ attachment, format }) => ({ attachment: inline(attachment, input), ...(format?.system === CODE_SYSTEMS.documentFormat ? { format } : {}) })) } as unknown as Resource);
  return written(copy as unknown as Resource);
}

/** The drug by its code, not by an entry of its own; the prescriber by name or number, as US Core wants one of every order (us-core-21). */
function prescribed({ medicationReference, medicationCodeableConcept, requester }: MedicationRequest, { supporting, case: { ehrBase } }: SubmissionInput): Partial<MedicationRequest> {
  const key = relativeReference(medicationReference?.reference ?? '');
  const medication = supporting.find((resource) => resource.resourceType === 'Medication' && `Medication/${resource.id}` === key);
  const concept = medicationCodeableConcept ?? (medication?.resourceType === 'Medication' ? medication.code : undefined) ?? (key && medicationReference?.display ? { text: medicationReference.display } : undefined);
  const prescriber = relativeReference(requester?.reference ?? '');
  return {
    ...(concept ? { medicationCodeableConcept: concept, medicationReference: undefined } : {}),
    ...(prescriber ? { requester: { identifier: { system: withoutSlashes(ehrBase), value: prescriber }, ...(requester?.display ? { display: requester.display } : {}) } } : {}),
  };
}

const CONDITION_CATEGORIES: readonly (string | undefined)[] = ['problem-list-item', 'encounter-diagnosis', 'health-concern'];

function isCategorized({ category }: Condition): boolean {
  return [category ?? []].flat().some(({ coding }) => coding?.some(({ system, code }) => system?.includes('condition-category') && CONDITION_CATEGORIES.includes(code)));
}

/** The payer cannot read the EHR: a Binary that was read travels inside; another url is made absolute. */
function inline(attachment: { readonly url?: string; readonly data?: string; readonly contentType?: string }, { supporting, case: { ehrBase } }: SubmissionInput) {
  const { url, ...rest } = attachment;
  if (attachment.data || !url) return rest;
  const key = relativeReference(url);
  const binary = supporting.find((resource) => resource.resourceType === 'Binary' && `Binary/${resource.id}` === key);
  if (binary?.resourceType === 'Binary' && binary.data) return { ...rest, contentType: rest.contentType ?? binary.contentType, data: binary.data };
  return { ...rest, url: /^[a-z]+:/i.test(url) ? url : `${withoutSlashes(ehrBase)}/${url}` };
}

/** The response as completed, without narrative and ids; its own profile stays claimed. */
export function writeResponse(response: QuestionnaireResponse, patientUrn: string): QuestionnaireResponse {
  const { id: _id, text: _text, meta, ...copy } = response;
  return { ...copy, ...(meta?.profile ? { meta: { profile: meta.profile } } : {}), subject: { reference: patientUrn } };
}
