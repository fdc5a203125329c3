import type { HumanName, Patient, Practitioner, PractitionerRole } from '@medplum/fhirtypes';
import { type Access, fullAccess } from '../fhir/access.ts';
import type { FhirRepository } from '../fhir/repository.ts';
import { search } from '../fhir/search.ts';
import { parseSearch } from '../fhir/search-query.ts';

export interface User {
  /** "Practitioner/…" */
  readonly reference: string;
  readonly name: string;
  readonly role: string;
}

/** The screens' own reading of the record, outside any token. */
export const SCREEN_ACCESS: Access = fullAccess('sandbox-ehr');

export function nameText(names: readonly HumanName[] | undefined): string {
  const name = names?.find((one) => one.use === 'official') ?? names?.[0];
  if (!name) return 'Name unknown';
  return name.text ?? [...(name.prefix ?? []), ...(name.given ?? []), name.family, ...(name.suffix ?? [])].filter(Boolean).join(' ');
}

/** Everyone who may sign in: the practitioners of the record. */
export async function listUsers(repository: FhirRepository): Promise<User[]> {
  const found = await search(repository, parseSearch('Practitioner', [['_sort', 'family'], ['_count', '200'], ['_revinclude', 'PractitionerRole:practitioner']], false), SCREEN_ACCESS);
  const practitioners = found.matches.filter((one): one is Practitioner & { id: string } => one.resourceType === 'Practitioner' && one.active !== false);
  const roles = found.included.filter((one): one is PractitionerRole & { id: string } => one.resourceType === 'PractitionerRole');
  return practitioners.map((practitioner) => {
    const reference = `Practitioner/${practitioner.id}`;
    const role = roles.find((one) => one.practitioner?.reference === reference);
    return { reference, name: nameText(practitioner.name), role: roleText(role) ?? practitioner.qualification?.[0]?.code.text ?? 'Clinician' };
  });
}

function roleText(role: PractitionerRole | undefined): string | undefined {
  const concept = role?.specialty?.[0] ?? role?.code?.[0];
  return concept?.text ?? concept?.coding?.[0]?.display;
}

export async function findUser(repository: FhirRepository, reference: string): Promise<User | undefined> {
  return (await listUsers(repository)).find((user) => user.reference === reference);
}

/** Patients whose name holds every word of `text`, or whose record number it is. */
export async function listPatients(repository: FhirRepository, text: string): Promise<(Patient & { id: string })[]> {
  const words = text.trim().split(/\s+/).filter(Boolean).slice(0, 5).map((word) => word.replace(/[\\,|$]/g, '\\$&'));
  const find = async (filters: readonly (readonly [string, string])[]) => (await search(repository, parseSearch('Patient', [...filters, ['_sort', 'family,given'], ['_count', '200']], false), SCREEN_ACCESS)).matches;
  const byName = await find(words.map((word) => ['name', word]));
  const found = byName.length === 0 && words[0] !== undefined ? await find([['identifier', words[0]]]) : byName;
  return found.filter((one): one is Patient & { id: string } => one.resourceType === 'Patient');
}
