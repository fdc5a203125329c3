import { type RawBuilder, sql } from 'kysely';
import { FhirRefusal } from '../errors.ts';
import { patientCompartment } from './definitions.ts';
import { addIndexRows, emptyIndexRows } from './index-rows.ts';
import type { StoredResource } from './structure.ts';

/** create, read, update, delete, search: the letters of SMART v2 scopes, in their order. */
export type Interaction = 'c' | 'r' | 'u' | 'd' | 's';
/** `all` of that type, those in the `compartment` of the token's patient, or `none`. */
type Reach = 'all' | 'compartment' | 'none';

export interface Access {
  /** Relative reference of the user, or the client's id. */
  readonly who: string;
  readonly patientId: string | undefined;
  readonly reach: (type: string, interaction: Interaction) => Reach;
}

/** Full access, for the sandbox's own screens and its loader. */
export const fullAccess = (who: string): Access => ({ who, patientId: undefined, reach: () => 'all' });

const SCOPE = /^(patient|user|system)\/([A-Z][A-Za-z]*|\*)\.(c?r?u?d?s?|read|write|\*)$/;
const VERSION_1: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

/** True when everything `requested` allows is also allowed by one of `registered` (SMART 2.2, scopes v2 and v1). */
export function scopeCovered(requested: string, registered: readonly string[]): boolean {
  if (registered.includes(requested)) return true;
  const want = SCOPE.exec(requested);
  if (!want?.[3]) return false;
  return registered.some((scope) => {
    const have = SCOPE.exec(scope);
    if (!have || have[1] !== want[1] || (have[2] !== '*' && have[2] !== want[2])) return false;
    const letters = VERSION_1[have[3] ?? ''] ?? have[3] ?? '';
    return (VERSION_1[want[3] ?? ''] ?? want[3] ?? '').split('').every((letter) => letters.includes(letter));
  });
}

/** What a token's scopes allow. Types outside every patient's compartment (practitioners, organizations) can be read with patient scopes, never written. */
export function accessOfScopes(who: string, scope: string, patientId: string | undefined): Access {
  const grants = scope.split(' ').flatMap((one) => {
    const match = SCOPE.exec(one);
    return match ? [{ level: match[1], type: match[2], letters: VERSION_1[match[3] ?? ''] ?? match[3] ?? '' }] : [];
  });
  const reach = (type: string, interaction: Interaction): Reach => {
    const fitting = grants.filter((grant) => (grant.type === '*' || grant.type === type) && grant.letters.includes(interaction));
    if (fitting.some((grant) => grant.level !== 'patient')) return 'all';
    if (fitting.length === 0 || patientId === undefined) return 'none';
    if (inCompartments(type)) return 'compartment';
    return interaction === 'r' || interaction === 's' ? 'all' : 'none';
  };
  return { who, patientId, reach };
}

const inCompartments = (type: string): boolean => type === 'Patient' || patientCompartment[type] !== undefined;

/** The condition on a row `r` of ehr.resource under which this access reaches it. */
export function reachSql(access: Access, type: string, interaction: Interaction): RawBuilder<boolean> {
  const reach = access.reach(type, interaction);
  if (reach === 'all') return sql<boolean>`true`;
  if (reach === 'none') return sql<boolean>`false`;
  if (type === 'Patient') return sql<boolean>`r.id = ${access.patientId}`;
  const params = patientCompartment[type] ?? [];
  return sql<boolean>`r.id in (select m.id from ehr.reference m where m.type = ${type} and m.param in (${sql.join(params)}) and m.target = ${`Patient/${access.patientId}`})`;
}

/** Refuses a write that leaves or enters what this access does not reach. `before` is what stands stored now. */
export function requireWrite(access: Access, interaction: Interaction, before: StoredResource | undefined, after: StoredResource | undefined, fhirBase: string): void {
  for (const resource of [before, after]) {
    if (!resource) continue;
    const reach = access.reach(resource.resourceType, interaction);
    if (reach === 'all') continue;
    if (reach === 'none') throw new FhirRefusal(403, 'forbidden', `The token's scopes do not allow this on ${resource.resourceType}.`);
    if (!inPatientCompartment(resource, access.patientId ?? '', fhirBase)) throw new FhirRefusal(403, 'forbidden', "The resource is outside the token's patient.");
  }
}

export function requireReach(access: Access, type: string, interaction: Interaction): void {
  if (access.reach(type, interaction) === 'none') throw new FhirRefusal(403, 'forbidden', `The token's scopes do not allow this on ${type}.`);
}

function inPatientCompartment(resource: StoredResource, patientId: string, fhirBase: string): boolean {
  if (resource.resourceType === 'Patient') return resource.id === patientId;
  const rows = emptyIndexRows();
  addIndexRows(rows, resource, fhirBase);
  const params = patientCompartment[resource.resourceType] ?? [];
  return rows.reference.some((row) => params.includes(row.param) && row.target === `Patient/${patientId}`);
}
