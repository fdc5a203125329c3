import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { relativeReference } from '#fhir/base/reference.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { ReadProgress } from '#prior-auth/panel-api.ts';
import type { DataRequirement } from './data-requirements.ts';
import type { EhrRecords, LaunchResources, PopulationFailure } from './population.ts';
import { CODE_PARAMETERS, DATE_PARAMETERS } from './search-parameters.ts';

/** Types that belong to a patient, searched by `patient`. Nothing else is ever searched for a payer's expression. */
export const PATIENT_TYPES: readonly ResourceType[] = [
  'AllergyIntolerance', 'Appointment', 'CarePlan', 'CareTeam', 'ClinicalImpression', 'CommunicationRequest', 'Condition', 'Consent', 'Coverage', 'DeviceRequest',
  'DeviceUseStatement', 'DiagnosticReport', 'DocumentReference', 'Encounter', 'Goal', 'Immunization', 'MedicationAdministration', 'MedicationDispense',
  'MedicationRequest', 'MedicationStatement', 'NutritionOrder', 'Observation', 'Procedure', 'QuestionnaireResponse', 'ServiceRequest', 'VisionPrescription',
];
/** Types reached by reference from what was read. */
export const REFERENCED_TYPES: readonly string[] = ['Practitioner', 'PractitionerRole', 'Organization', 'Location', 'Medication', 'Device'];
const MOST_CODES_IN_SEARCH = 50;
const MOST_REFERENCES = 25;
/** Few pages for a long record; a server may give fewer. */
const PAGE_SIZE = '250';

/** One population's way to the record: parts are read once however often they are asked for, in parallel, each within its own time. */
export interface RecordReader {
  /** Matches within the launched patient's record. A part that cannot be read is a failure, not an end; an expired session is. */
  search(type: ResourceType, parameters: readonly (readonly [string, string])[]): Promise<readonly Resource[]>;
  follow(reference: string): Promise<Resource | undefined>;
  /** The record is there; what the payer's rules make of it is next. */
  calculating(): void;
}

export interface ReaderOptions {
  readonly ehr: EhrRecords;
  readonly patient: string;
  readonly limitMs: number;
  readonly failures: PopulationFailure[];
  readonly onProgress: ((progress: ReadProgress) => void) | undefined;
}

export function openReader({ ehr, patient, limitMs, failures, onProgress }: ReaderOptions): RecordReader {
  const asked = new Map<string, Promise<unknown>>();
  let done = 0;
  const tell = (step: ReadProgress['step']) => onProgress?.({ step, done, total: asked.size });

  /** An expired session ends the population; anything else an EHR fails at is reported for that type. */
  const attempt = async <T>(read: () => Promise<T>, what: string, otherwise: T): Promise<T> => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), limitMs);
    });
    try {
      const found = await Promise.race([read(), late]);
      if (found !== 'late') return found;
      failures.push({ expression: what, kind: 'data-slow' });
    } catch (cause) {
      if (cause instanceof PriorAuthError && cause.code === 'SESSION_EXPIRED') throw cause;
      failures.push({ expression: what, kind: 'data-unavailable' });
    } finally {
      clearTimeout(timer);
    }
    return otherwise;
  };
  const once = <T>(key: string, read: () => Promise<T>): Promise<T> => {
    const running = (asked.get(key) as Promise<T> | undefined) ?? read().finally(() => {
      done += 1;
      tell('reading');
    });
    if (!asked.has(key)) {
      asked.set(key, running);
      tell('reading');
    }
    return running;
  };
  /** An EHR that refuses a narrow search is asked for all of the type. */
  const searchWidening = async (type: ResourceType, narrow: readonly (readonly [string, string])[]): Promise<readonly Resource[]> => {
    const all = new URLSearchParams([['patient', patient], ['_count', PAGE_SIZE]]);
    if (narrow.length === 0) return ehr.search(type, all);
    try {
      return await ehr.search(type, new URLSearchParams([...all, ...narrow.map(([name, value]): [string, string] => [name, value])]));
    } catch (cause) {
      if (cause instanceof PriorAuthError && cause.code === 'EHR_REFUSED') return ehr.search(type, all);
      throw cause;
    }
  };
  return {
    search: (type, parameters) => once(`${type}?${JSON.stringify(parameters)}`, () => attempt(() => searchWidening(type, parameters), type, [])),
    follow: (reference) => once(reference, () => attempt(() => ehr.follow(reference), reference.split('/')[0] ?? '', undefined)),
    calculating: () => tell('calculating'),
  };
}

/** What the expressions need, in parallel, narrowed by code and date where that keeps the request short; then what it refers to. */
export async function readRecords(requirements: readonly DataRequirement[], launch: LaunchResources, reader: RecordReader): Promise<readonly Resource[]> {
  const own = [launch.patient, launch.order, launch.coverage, launch.practitioner, launch.encounter].filter((resource) => resource !== undefined);
  const searched = await Promise.all(requirements.map(async (requirement): Promise<readonly Resource[]> => {
    const searchable = PATIENT_TYPES.find((one) => one === requirement.type);
    return !searchable || requirement.codes?.length === 0 ? [] : reader.search(searchable, narrowing(requirement));
  }));
  const resources = unique([...own, ...searched.flat()]);
  const wanted = new Set(requirements.map(({ type }) => type).filter((type) => REFERENCED_TYPES.includes(type)));
  const references = [...new Set(resources.flatMap(referencesIn))].filter((reference) => wanted.has(reference.split('/')[0] ?? '')).slice(0, MOST_REFERENCES);
  const followed = await Promise.all(references.map((reference) => reader.follow(reference)));
  return unique([...resources, ...followed.filter((resource) => resource !== undefined)]);
}

function narrowing({ type, codes, codePath, since }: DataRequirement): [string, string][] {
  const codeParameter = CODE_PARAMETERS[type]?.[codePath];
  const dateParameter = since && DATE_PARAMETERS[type];
  return [
    ...(codes && codeParameter && codes.length <= MOST_CODES_IN_SEARCH ? [[codeParameter, codes.map(({ system, code }) => `${system}|${code}`).join(',')] satisfies [string, string]] : []),
    ...(dateParameter ? [[dateParameter, `ge${since}`] satisfies [string, string]] : []),
  ];
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
