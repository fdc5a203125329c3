import type { Bundle, Resource } from '@medplum/fhirtypes';
import type { LaunchResources, PopulationFailure } from './population.ts';
import { PATIENT_TYPES, REFERENCED_TYPES, type RecordReader } from './read-records.ts';

const TEMPLATE = /\{\{(.+?)\}\}/g;

/** The FHIRPath texts inside a query. */
export function templatesOf(query: string): string[] {
  return [...query.matchAll(TEMPLATE)].flatMap(([, inner]) => (inner ? [inner] : []));
}

export function fillTemplates(query: string, textOf: (template: string) => string): string {
  return query.replace(TEMPLATE, (_all, inner: string) => encodeURIComponent(textOf(inner)));
}

/**
 * What a payer's query finds, as a searchset. It never leaves the launched patient: the type must belong to a patient, and whatever patient it
 * names is replaced by ours; staff, organizations and the like are read by id only. Undefined: no such query is made.
 */
export function runQuery(query: string, launch: LaunchResources, reader: RecordReader): Promise<Bundle> | undefined {
  const [path = '', text = ''] = query.split('?');
  const [name = '', id] = path.replace(/^\//, '').split('/');
  if (name === 'Patient') return Promise.resolve(searchset([launch.patient]));
  if (id !== undefined) return REFERENCED_TYPES.includes(name) && /^[A-Za-z0-9\-.]{1,64}$/.test(id) ? reader.follow(`${name}/${id}`).then((found) => searchset(found ? [found] : [])) : undefined;
  const type = PATIENT_TYPES.find((one) => one === name);
  return type && reader.search(type, ownParameters(text)).then(searchset);
}

/** A query that depends on nothing but the patient. */
export function earlyQuery(query: string, launch: LaunchResources, reader: RecordReader): Promise<Bundle> | undefined {
  const patientOnly = templatesOf(query).every((inner) => inner.trim() === '%patient.id');
  return patientOnly ? runQuery(fillTemplates(query, () => launch.patient.id ?? ''), launch, reader) : undefined;
}

/** Without what names a patient, joins other records, or pages. */
function ownParameters(text: string): [string, string][] {
  return [...new URLSearchParams(text)].filter(([parameter, value]) => value !== '' && !/^((patient|subject|beneficiary)([.:]|$)|_has|_include|_revinclude|_count)/.test(parameter));
}

function searchset(resources: readonly Resource[]): Bundle {
  return { resourceType: 'Bundle', type: 'searchset', total: resources.length, entry: resources.map((resource) => ({ resource })) };
}

export function bundleResources(bundle: Bundle): Resource[] {
  return (bundle.entry ?? []).flatMap(({ resource }) => (resource ? [resource] : []));
}

export function queryRefused(linkId: string | undefined, place: string): PopulationFailure {
  return { ...(linkId === undefined ? {} : { linkId }), expression: place, kind: 'data-unavailable' };
}
