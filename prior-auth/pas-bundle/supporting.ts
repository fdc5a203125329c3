import type { Condition, QuestionnaireResponse, Resource } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { relativeReference } from '#fhir/base/reference.ts';
import { problem, written, type Written } from './members.ts';
import type { PasDialect } from './pas-dialect.ts';
import { askedOrders, type SubmissionInput } from './submission-input.ts';

/** Not evidence: they have their own place in the bundle. */
const PARTIES = new Set(['Patient', 'Coverage', 'Organization', 'Practitioner', 'PractitionerRole', 'RelatedPerson', 'Encounter', 'Location', 'Binary', 'Questionnaire']);
/** Elements through which one piece of evidence is not readable without another. */
const PARTS = ['hasMember', 'derivedFrom', 'result', 'medicationReference'] as const;

/**
 * The least that supports the request (PAS privacy: minimum necessary): what the orders' reasons, their supporting information,
 * a completed answer, `evidence` or the person who submits names, and what those are made of. Order of first mention.
 */
export function chooseSupporting(input: SubmissionInput, { maySupport }: Pick<PasDialect, 'maySupport'>): readonly Resource[] {
  const { questionnaireResponses, evidence, supporting, chosen: byPerson } = input;
  const orders = askedOrders(input).map(({ order }) => order);
  const excluded = new Set((byPerson?.exclude ?? []).map((reference) => relativeReference(reference) ?? reference));
  const available: ReadonlyMap<string, Resource> = new Map(supporting.flatMap((resource) => (resource.id && !PARTIES.has(resource.resourceType) && maySupport(resource) ? [[`${resource.resourceType}/${resource.id}`, resource] as const] : [])));
  const chosen = new Map<string, Resource>();
  const choose = (reference: string | undefined): void => {
    const key = reference === undefined ? undefined : relativeReference(reference.trim());
    const resource = key === undefined ? undefined : available.get(key);
    if (key === undefined || !resource || chosen.has(key) || excluded.has(key)) return;
    chosen.set(key, resource);
    for (const part of PARTS) for (const inner of referencesIn((resource as unknown as Readonly<Record<string, unknown>>)[part])) choose(inner);
  };
  const ownKeys = new Set([...orders.map((order) => `${order.resourceType}/${order.id}`), ...questionnaireResponses.map(({ id }) => `QuestionnaireResponse/${id}`)]);
  const named = [
    ...orders.flatMap((order) => ['reasonReference', 'supportingInfo', 'supportingInformation'].flatMap((element) => referencesIn((order as unknown as Readonly<Record<string, unknown>>)[element]))),
    ...questionnaireResponses.flatMap(({ item, extension }) => [...referencesIn(item), ...referencesIn(extension)]),
    ...evidence.map(({ reference }) => reference),
    ...(byPerson?.include ?? []),
  ];
  for (const reference of named) if (!ownKeys.has(relativeReference(reference) ?? reference)) choose(reference);
  return [...chosen.values()];
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
  if (resource.resourceType === 'DocumentReference') return written({ ...copy, content: [resource.content].flat().map(({ attachment, format }) => ({ attachment: inline(attachment, input), ...(format?.system === CODE_SYSTEMS.documentFormat ? { format } : {}) })) } as unknown as Resource);
  return written(copy as unknown as Resource);
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
  return { ...rest, url: /^[a-z]+:/i.test(url) ? url : `${ehrBase.replace(/\/+$/, '')}/${url}` };
}

/** The response as completed, without narrative and ids; its own profile stays claimed. */
export function writeResponse(response: QuestionnaireResponse, patientUrn: string): QuestionnaireResponse {
  const { id: _id, text: _text, meta, ...copy } = response;
  return { ...copy, ...(meta?.profile ? { meta: { profile: meta.profile } } : {}), subject: { reference: patientUrn } };
}
