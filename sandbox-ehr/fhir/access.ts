import { type RawBuilder, sql } from 'kysely';
import { FhirRefusal } from '../errors.ts';
import { patientCompartment } from './definitions.ts';
import { addIndexRows, emptyIndexRows } from './index-rows.ts';
import { parseSearch } from './search-query.ts';
import { whereOf } from './search-sql.ts';
import type { StoredResource } from './structure.ts';

/** create, read, update, delete, search: the letters of SMART v2 scopes, in their order. */
export type Interaction = 'c' | 'r' | 'u' | 'd' | 's';
/** `all` of that type, a part of it (the `compartment` of the token's patient, or what a granular scope finds), or `none`. */
type Reach = 'all' | 'compartment' | 'none';

/** One way to a type: within the token's patient or not, and with a granular scope only what its search finds. */
interface Way {
  readonly compartment: boolean;
  readonly filter: string | undefined;
}

export interface Access {
  /** Relative reference of the user, or the client's id. */
  readonly who: string;
  readonly patientId: string | undefined;
  /** The widest reach of all ways. */
  readonly reach: (type: string, interaction: Interaction) => Reach;
  readonly ways: (type: string, interaction: Interaction) => readonly Way[];
}

const WHOLE: Way = { compartment: false, filter: undefined };
/** Full access, for the sandbox's own screens and its loader. */
export const fullAccess = (who: string): Access => ({ who, patientId: undefined, reach: () => 'all', ways: () => [WHOLE] });

const SCOPE = /^(patient|user|system)\/([A-Z][A-Za-z]*|\*)\.(c?r?u?d?s?|read|write|\*)(?:\?(.+))?$/;
const VERSION_1: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };
const lettersOf = (written: string): string => VERSION_1[written] ?? written;

/** True when everything `requested` allows is also allowed by one of `registered` (SMART 2.2, scopes v2 and v1). A granular scope is narrower than the same without its search. */
export function scopeCovered(requested: string, registered: readonly string[]): boolean {
  if (registered.includes(requested)) return isSearchable(SCOPE.exec(requested));
  const want = SCOPE.exec(requested);
  if (!want?.[3] || !isSearchable(want)) return false;
  return registered.some((scope) => {
    const have = SCOPE.exec(scope);
    if (!have || have[1] !== want[1] || (have[2] !== '*' && have[2] !== want[2]) || (have[4] !== undefined && have[4] !== want[4])) return false;
    return lettersOf(want[3] ?? '').split('').every((letter) => lettersOf(have[3] ?? '').includes(letter));
  });
}

/** A search that this server does not understand would not narrow anything. */
function isSearchable(scope: RegExpExecArray | null): boolean {
  const [, , type = '', , filter] = scope ?? [];
  if (filter === undefined) return true;
  if (type === '*') return false;
  try {
    return parseSearch(type, new URLSearchParams(filter), false).criteria.length > 0;
  } catch (error) {
    if (error instanceof FhirRefusal) return false;
    throw error;
  }
}

/** What a token's scopes allow. Types outside every patient's compartment (practitioners, organizations) can be read with patient scopes, never written. Granular scopes read and search, they do not write. */
export function accessOfScopes(who: string, scope: string, patientId: string | undefined): Access {
  const grants = scope.split(' ').flatMap((one) => {
    const match = SCOPE.exec(one);
    return match ? [{ level: match[1], type: match[2], letters: lettersOf(match[3] ?? ''), filter: match[4] }] : [];
  });
  const ways = (type: string, interaction: Interaction): readonly Way[] =>
    grants.flatMap(({ level, type: of, letters, filter }): readonly Way[] => {
      const reads = interaction === 'r' || interaction === 's';
      if ((of !== '*' && of !== type) || !letters.includes(interaction) || (filter !== undefined && !reads)) return [];
      if (level !== 'patient') return [{ compartment: false, filter }];
      if (patientId === undefined) return [];
      if (inCompartments(type)) return [{ compartment: true, filter }];
      return reads ? [{ compartment: false, filter }] : [];
    });
  const reach = (type: string, interaction: Interaction): Reach => {
    const found = ways(type, interaction);
    if (found.length === 0) return 'none';
    return found.some((way) => !way.compartment && way.filter === undefined) ? 'all' : 'compartment';
  };
  return { who, patientId, reach, ways };
}

const inCompartments = (type: string): boolean => type === 'Patient' || patientCompartment[type] !== undefined;

/** The condition on a row `r` of ehr.resource under which this access reaches it. */
export function reachSql(access: Access, type: string, interaction: Interaction, fhirBase: string): RawBuilder<boolean> {
  const ways = access.ways(type, interaction);
  if (ways.length === 0) return sql<boolean>`false`;
  const conditions = ways.map(({ compartment, filter }) => {
    const found = filter === undefined ? sql<boolean>`true` : whereOf(parseSearch(type, new URLSearchParams(filter), false), fhirBase);
    return compartment ? sql<boolean>`(${compartmentSql(type, access.patientId ?? '')} and ${found})` : found;
  });
  return sql<boolean>`(${sql.join(conditions, sql` or `)})`;
}

function compartmentSql(type: string, patientId: string): RawBuilder<boolean> {
  if (type === 'Patient') return sql<boolean>`r.id = ${patientId}`;
  const params = patientCompartment[type] ?? [];
  return sql<boolean>`r.id in (select m.id from ehr.reference m where m.type = ${type} and m.param in (${sql.join(params)}) and m.target = ${`Patient/${patientId}`})`;
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
