import type { Bundle, BundleEntry, BundleLink } from '@medplum/fhirtypes';
import { sql } from 'kysely';
import { type Access, reachSql, requireReach } from './access.ts';
import type { FhirRepository } from './repository.ts';
import type { Include, SearchQuery } from './search-query.ts';
import { orderOf, whereOf } from './search-sql.ts';
import type { StoredResource } from './structure.ts';

const MAX_INCLUDE_ROUNDS = 5;

export interface SearchResult {
  readonly matches: readonly StoredResource[];
  readonly included: readonly StoredResource[];
  readonly total: number;
  readonly more: boolean;
}

export async function search(repository: FhirRepository, query: SearchQuery, access: Access): Promise<SearchResult> {
  requireReach(access, query.type, 's');
  const where = sql<boolean>`${whereOf(query, repository.fhirBase)} and ${reachSql(access, query.type, 's', repository.fhirBase)}`;
  const countAll = async (): Promise<number> => {
    const { rows } = await sql<{ n: number }>`select count(*)::int as n from ehr.resource r where ${where}`.execute(repository.db);
    return rows[0]?.n ?? 0;
  };
  if (query.countOnly) return { matches: [], included: [], total: await countAll(), more: false };
  const { rows } = await sql<{ content: string }>`select r.content from ehr.resource r where ${where}
    order by ${orderOf(query)} limit ${query.count + 1} offset ${query.offset}`.execute(repository.db);
  const more = rows.length > query.count;
  const matches = rows.slice(0, query.count).map((row) => JSON.parse(row.content) as StoredResource);
  const total = more || (query.offset > 0 && matches.length === 0) ? await countAll() : query.offset + matches.length;
  return { matches, included: await includedWith(repository, matches, query.includes, access), total, more };
}

/** Follows _include and _revinclude from the matches; those with :iterate also from what was included. */
async function includedWith(repository: FhirRepository, matches: readonly StoredResource[], includes: readonly Include[], access: Access): Promise<StoredResource[]> {
  const seen = new Set(matches.map(referenceTo));
  const included: StoredResource[] = [];
  let front: readonly StoredResource[] = matches;
  for (let round = 0; round < MAX_INCLUDE_ROUNDS && front.length > 0; round += 1) {
    const wanted = new Set<string>();
    for (const include of includes) {
      if (round > 0 && !include.iterate) continue;
      for (const reference of await follow(repository, front, include)) if (!seen.has(reference)) wanted.add(reference);
    }
    front = wanted.size === 0 ? [] : await repository.findMany([...wanted], access);
    for (const resource of front) seen.add(referenceTo(resource));
    included.push(...front);
  }
  return included;
}

const referenceTo = (resource: StoredResource): string => `${resource.resourceType}/${resource.id}`;

async function follow(repository: FhirRepository, front: readonly StoredResource[], include: Include): Promise<string[]> {
  const param = include.param === '*' ? sql<boolean>`true` : sql<boolean>`x.param = ${include.param}`;
  if (include.reverse) {
    const { rows } = await sql<{ id: string }>`select distinct x.id from ehr.reference x where x.type = ${include.sourceType} and ${param}
      and x.target in (${sql.join(front.map(referenceTo))})`.execute(repository.db);
    return rows.map((row) => `${include.sourceType}/${row.id}`);
  }
  const sources = front.filter((resource) => resource.resourceType === include.sourceType).map((resource) => resource.id);
  if (sources.length === 0) return [];
  const { rows } = await sql<{ target: string }>`select distinct x.target from ehr.reference x where x.type = ${include.sourceType} and x.id in (${sql.join(sources)}) and ${param}`.execute(repository.db);
  return rows.map((row) => row.target).filter((target) => !include.targetType || target.startsWith(`${include.targetType}/`));
}

export function searchBundle(query: SearchQuery, result: SearchResult, fhirBase: string): Bundle {
  const link = (relation: string, offset: number): BundleLink => {
    const parameters = new URLSearchParams();
    for (const [name, value] of query.used) parameters.append(name, value);
    if (offset > 0) parameters.set('_offset', String(offset));
    const text = parameters.toString();
    return { relation, url: `${fhirBase}/${query.type}${text ? `?${text}` : ''}` };
  };
  const entry = (mode: 'match' | 'include') => (resource: StoredResource): BundleEntry => ({ fullUrl: `${fhirBase}/${referenceTo(resource)}`, resource, search: { mode } });
  const entries = [...result.matches.map(entry('match')), ...result.included.map(entry('include'))];
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    total: result.total,
    link: [
      link('self', query.offset),
      ...(result.more ? [link('next', query.offset + query.count)] : []),
      ...(query.offset > 0 ? [link('previous', Math.max(0, query.offset - query.count))] : []),
    ],
    ...(entries.length > 0 ? { entry: entries } : {}),
  };
}
