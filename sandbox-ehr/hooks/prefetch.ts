import type { Bundle, Resource } from '@medplum/fhirtypes';
import { FhirRefusal } from '../errors.ts';
import { type Access, requireReach } from '../fhir/access.ts';
import { isResourceType } from '../fhir/definitions.ts';
import type { FhirRepository } from '../fhir/repository.ts';
import { search, searchBundle } from '../fhir/search.ts';
import { parseSearch } from '../fhir/search-query.ts';

export interface HookContext {
  readonly userId: string;
  readonly patientId: string;
  readonly encounterId?: string;
  readonly draftOrders: Bundle;
}

/**
 * Runs a service's prefetch templates (CDS Hooks 2.0 §prefetch; CRD 2.0.1 adds ids of Bundle entries). A key whose tokens this EHR cannot
 * resolve, or whose query it cannot run, is left out; a query that finds nothing gives null.
 */
export async function fulfilPrefetch(templates: Readonly<Record<string, string>>, context: HookContext, repository: FhirRepository, access: Access): Promise<Record<string, Resource | null>> {
  const prefetch: Record<string, Resource | null> = {};
  for (const [key, template] of Object.entries(templates)) {
    const query = resolveTemplate(template, context);
    const found = typeof query === 'string' ? await runQuery(query, repository, access) : query;
    if (found !== undefined) prefetch[key] = found;
  }
  return prefetch;
}

/** undefined: a token is unknown here; null: a token stands for nothing, so the query must not run (`X?_id=` would find everything). */
function resolveTemplate(template: string, context: HookContext): string | null | undefined {
  let answer: string | null | undefined = '';
  const resolved = template.replace(/\{\{\s*([^}]+?)\s*\}\}/g, (_all, token: string) => {
    const value = resolveToken(token, context);
    if (value === undefined) answer = undefined;
    else if (value === '' && answer !== undefined) answer = null;
    return value ?? '';
  });
  return answer === '' ? resolved : answer;
}

function resolveToken(token: string, context: HookContext): string | undefined {
  if (token === 'context.userId') return context.userId;
  if (token === 'context.patientId') return context.patientId;
  if (token === 'context.encounterId') return context.encounterId;
  const user = /^user(Practitioner|PractitionerRole|Patient|RelatedPerson)Id$/.exec(token);
  if (user) return context.userId.startsWith(`${user[1]}/`) ? context.userId.split('/')[1] : undefined;
  const drafts = /^context\.draftOrders\.([A-Za-z]+)\.id$/.exec(token);
  if (!drafts) return undefined;
  return (context.draftOrders.entry ?? []).flatMap((entry) => (entry.resource?.resourceType === drafts[1] ? (entry.resource?.id ?? []) : [])).join(',');
}

/** undefined: this EHR cannot run that query; the service may ask for itself. */
async function runQuery(query: string, repository: FhirRepository, access: Access): Promise<Resource | null | undefined> {
  try {
    return await answerQuery(query, repository, access);
  } catch (error) {
    if (error instanceof FhirRefusal) return undefined;
    throw error;
  }
}

async function answerQuery(query: string, repository: FhirRepository, access: Access): Promise<Resource | null | undefined> {
  const [path = '', parameters] = query.split('?');
  const [type = '', id] = path.split('/');
  if (!isResourceType(type)) return undefined;
  if (parameters === undefined) {
    requireReach(access, type, 'r');
    return (id === undefined ? undefined : await repository.find(type, id, access)) ?? null;
  }
  const parsed = parseSearch(type, new URLSearchParams(parameters), false);
  const found = await search(repository, parsed, access);
  return found.matches.length === 0 ? null : searchBundle(parsed, found, repository.fhirBase);
}
