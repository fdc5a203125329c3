import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { relativeReference } from '#fhir/base/reference.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { DataRequirement } from './data-requirements.ts';
import type { EhrRecords, LaunchResources, PopulationFailure } from './population.ts';

/** Types that belong to a patient, searched by `patient`. Nothing else is ever searched for a payer's expression. */
export const PATIENT_TYPES: readonly ResourceType[] = [
  'AllergyIntolerance', 'Appointment', 'CarePlan', 'CareTeam', 'ClinicalImpression', 'CommunicationRequest', 'Condition', 'Consent', 'Coverage', 'DeviceRequest',
  'DeviceUseStatement', 'DiagnosticReport', 'DocumentReference', 'Encounter', 'Goal', 'Immunization', 'MedicationAdministration', 'MedicationDispense',
  'MedicationRequest', 'MedicationStatement', 'NutritionOrder', 'Observation', 'Procedure', 'QuestionnaireResponse', 'ServiceRequest', 'VisionPrescription',
];
/** Types reached by reference from what was read. */
const REFERENCED_TYPES: readonly string[] = ['Practitioner', 'PractitionerRole', 'Organization', 'Location', 'Medication', 'Device'];
const MOST_CODES_IN_SEARCH = 50;
const MOST_REFERENCES = 25;

export interface RecordsRead {
  readonly resources: readonly Resource[];
  readonly failures: readonly PopulationFailure[];
}

/** What the expressions need, in parallel, narrowed by code where that keeps the request short. What could not be read is a failure, not an end. */
export async function readRecords(requirements: readonly DataRequirement[], launch: LaunchResources, ehr: EhrRecords): Promise<RecordsRead> {
  const failures: PopulationFailure[] = [];
  const patient = launch.patient.id ?? '';
  const own = [launch.patient, launch.order, launch.coverage, launch.practitioner, launch.encounter].filter((resource) => resource !== undefined);
  const searched = await Promise.all(requirements.map(async ({ type, codes }): Promise<readonly Resource[]> => {
    const searchable = PATIENT_TYPES.find((one) => one === type);
    if (!searchable || codes?.length === 0) return [];
    const narrow: Record<string, string> = codes && codes.length <= MOST_CODES_IN_SEARCH ? { code: codes.map(({ system, code }) => `${system}|${code}`).join(',') } : {};
    return attempt(() => ehr.search(searchable, { patient, ...narrow }), type, failures, []);
  }));
  const resources = unique([...own, ...searched.flat()]);
  const wanted = new Set(requirements.map(({ type }) => type).filter((type) => REFERENCED_TYPES.includes(type)));
  const references = [...new Set(resources.flatMap(referencesIn))].filter((reference) => wanted.has(reference.split('/')[0] ?? '')).slice(0, MOST_REFERENCES);
  const followed = await Promise.all(references.map((reference) => attempt(() => ehr.follow(reference), reference.split('/')[0] ?? '', failures, undefined)));
  return { resources: unique([...resources, ...followed.filter((resource) => resource !== undefined)]), failures };
}

/** An expired session ends the population; anything else an EHR fails at is reported for that type. */
export async function attempt<T>(read: () => Promise<T>, what: string, failures: PopulationFailure[], otherwise: T): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof PriorAuthError && cause.code === 'SESSION_EXPIRED') throw cause;
    failures.push({ expression: what, kind: 'data-unavailable' });
    return otherwise;
  }
}

function unique(resources: readonly Resource[]): Resource[] {
  return [...new Map(resources.map((resource) => [`${resource.resourceType}/${resource.id}`, resource])).values()];
}

function referencesIn(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(referencesIn);
  if (node === null || typeof node !== 'object') return [];
  return Object.entries(node).flatMap(([key, value]) =>
    key === 'reference' && typeof value === 'string' ? [relativeReference(value) ?? []].flat() : referencesIn(value));
}
