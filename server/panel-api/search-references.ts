import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { ReferenceFound } from '#prior-auth/panel-api.ts';
import { isOf } from '../ehr/gather-submission.ts';
import { summarize } from '../ehr/source-summary.ts';
import type { PanelHandler, PanelParts } from './panel-parts.ts';

/** Types whose entries belong to a patient, with the search parameter `patient`. */
const OF_PATIENT = [
  'AllergyIntolerance', 'CarePlan', 'Condition', 'Coverage', 'Device', 'DeviceRequest', 'DiagnosticReport', 'DocumentReference', 'Encounter', 'Goal', 'ImagingStudy',
  'Immunization', 'MedicationRequest', 'MedicationStatement', 'Observation', 'Procedure', 'ServiceRequest',
] as const satisfies readonly ResourceType[];
/** People and places, found by name. */
const BY_NAME = ['Practitioner', 'Organization', 'Location'] as const satisfies readonly ResourceType[];
const MOST = 20;

/** What an answer may point at: this patient's entries of the types asked for, and people and places by name. Other types are not searched. */
export function searchReferences({ audit }: PanelParts): PanelHandler<'searchReferences'> {
  return async ({ types, filter }, { ehr, session, patientId, caseId }) => {
    const wanted = new Set(types.split(','));
    const words = filter.trim().toLowerCase();
    const searches = [
      ...OF_PATIENT.filter((type) => wanted.has(type)).map((type) => ehr.search(type, { patient: patientId, _count: '100' })),
      ...(words.length < 2 ? [] : BY_NAME.filter((type) => wanted.has(type)).map((type) => ehr.search(type, { name: filter.trim(), _count: '50' }))),
    ];
    const answers = await Promise.allSettled(searches);
    const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
    // An EHR may refuse one type to this user and show the others.
    const fault = failures.find((failure) => !(failure instanceof PriorAuthError && failure.code === 'EHR_REFUSED')) ?? (failures.length === searches.length ? failures[0] : undefined);
    if (fault !== undefined) throw fault;
    const found = answers
      .flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
      .filter((resource) => wanted.has(resource.resourceType) && isOf(resource, patientId))
      .flatMap((resource) => show(resource))
      .filter(({ display, date, reference }) => words === '' || `${display} ${date ?? ''} ${reference}`.toLowerCase().includes(words))
      .sort((one, other) => (other.date ?? '').localeCompare(one.date ?? ''));
    const references = found.slice(0, MOST);
    audit.record({ action: 'record-read', who: session.user.reference, what: references.map(({ reference }) => reference), caseId, outcome: 'success' });
    return { references, more: found.length > MOST };
  };
}

function show(resource: Resource): ReferenceFound[] {
  const [first, second] = summarize(resource);
  const date = ['effectiveDateTime', 'recordedDate', 'authoredOn', 'date', 'performedDateTime', 'issued', 'onsetDateTime', 'started'].map((key): unknown => Reflect.get(resource, key)).find((value) => typeof value === 'string');
  if (!resource.id) return [];
  return [{
    reference: `${resource.resourceType}/${resource.id}`,
    display: [first?.value, resource.resourceType === 'Observation' ? second?.value : undefined].filter(Boolean).join(': ') || resource.resourceType,
    ...(typeof date === 'string' ? { date } : {}),
  }];
}
