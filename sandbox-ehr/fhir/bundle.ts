import { randomUUID } from 'node:crypto';
import type { Bundle, BundleEntry } from '@medplum/fhirtypes';
import { FhirRefusal, operationOutcome } from '../errors.ts';
import type { Access } from './access.ts';
import { isResourceType } from './definitions.ts';
import type { FhirRepository, Write, Written } from './repository.ts';
import { search, searchBundle } from './search.ts';
import { parseSearch, type SearchQuery } from './search-query.ts';
import { isFhirId, parseResource, type StoredResource } from './structure.ts';

const MAX_ENTRIES = 10_000;

interface Entry {
  readonly index: number;
  readonly fullUrl: string | undefined;
  readonly method: 'POST' | 'PUT' | 'DELETE' | 'GET';
  readonly type: string;
  readonly id: string | undefined;
  /** What stands after the question mark: a search, or the criteria of a conditional write. */
  readonly search: SearchQuery | undefined;
  readonly resource: unknown;
  readonly ifNoneExist: string | undefined;
  readonly ifMatch: number | undefined;
}

/** What an entry turned out to be: a row to write, a search or read for the end, or a conditional create whose resource is there already. */
type Step =
  | { readonly kind: 'write'; readonly entry: Entry; readonly write: Write }
  | { readonly kind: 'get'; readonly entry: Entry }
  | { readonly kind: 'found'; readonly entry: Entry; readonly resource: StoredResource };

/** FHIR transaction (all entries or none) or batch (each for itself). Throws FhirRefusal naming the entry at fault. */
export async function processBundle(repository: FhirRepository, bundle: Bundle, access: Access): Promise<Bundle> {
  const entries = bundle.entry ?? [];
  if (entries.length > MAX_ENTRIES) throw new FhirRefusal(413, 'too-costly', `A Bundle may hold ${MAX_ENTRIES} entries.`);
  if (bundle.type === 'transaction') {
    const response = await repository.transaction((inside) => runEntries(inside, entries.map(parseEntry), access));
    return { resourceType: 'Bundle', type: 'transaction-response', entry: response };
  }
  if (bundle.type === 'batch') {
    const response: BundleEntry[] = [];
    for (const [index, entry] of entries.entries()) response.push(await runAlone(repository, entry, index, access));
    return { resourceType: 'Bundle', type: 'batch-response', entry: response };
  }
  throw new FhirRefusal(400, 'value', 'Only Bundles of type transaction or batch can be posted here.', 'Bundle.type');
}

async function runAlone(repository: FhirRepository, entry: BundleEntry, index: number, access: Access): Promise<BundleEntry> {
  try {
    const [response] = await repository.transaction((inside) => runEntries(inside, [parseEntry(entry, index)], access));
    return response ?? {};
  } catch (error) {
    if (!(error instanceof FhirRefusal)) throw error;
    return { response: { status: String(error.status), outcome: operationOutcome(error.issueCode, error.message, error.expression) } };
  }
}

function parseEntry(entry: BundleEntry, index: number): Entry {
  const at = `Bundle.entry[${index}]`;
  const request = entry?.request;
  if (!request?.method || typeof request.url !== 'string') throw new FhirRefusal(400, 'required', 'The entry has no request with method and url.', `${at}.request`);
  const method = request.method;
  if (method !== 'POST' && method !== 'PUT' && method !== 'DELETE' && method !== 'GET') throw new FhirRefusal(400, 'not-supported', 'Only POST, PUT, DELETE and GET are supported in a Bundle.', `${at}.request.method`);
  const [path = '', query] = request.url.split('?');
  const [type = '', id, ...more] = path.split('/');
  if (!isResourceType(type) || more.length > 0 || (id !== undefined && !isFhirId(id))) throw new FhirRefusal(400, 'value', 'The request url must be Type, Type/id or Type?search.', `${at}.request.url`);
  if (method === 'POST' && id !== undefined) throw new FhirRefusal(400, 'value', 'POST takes a type without an id.', `${at}.request.url`);
  if (method === 'PUT' && id === undefined && !query) throw new FhirRefusal(400, 'value', 'PUT takes Type/id or Type?criteria.', `${at}.request.url`);
  if (method === 'DELETE' && id === undefined) throw new FhirRefusal(400, 'value', 'DELETE takes Type/id.', `${at}.request.url`);
  const ifMatch = parseIfMatch(request.ifMatch);
  const search = query === undefined ? undefined : parseSearch(type, new URLSearchParams(query), false);
  return { index, fullUrl: entry.fullUrl, method, type, id, search, resource: entry.resource, ifNoneExist: request.ifNoneExist, ifMatch };
}

/** The version in an If-Match value such as W/"3". */
export function parseIfMatch(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(?:W\/)?"?(\d{1,9})"?$/.exec(text.trim());
  if (!match) throw new FhirRefusal(400, 'value', 'If-Match must be a version such as W/"3".');
  return Number(match[1]);
}

async function runEntries(repository: FhirRepository, entries: readonly Entry[], access: Access): Promise<BundleEntry[]> {
  const steps: Step[] = [];
  for (const entry of entries) steps.push(await prepare(repository, entry, access));
  const rewritten = await rewriteReferences(repository, steps, access);
  const writes = rewritten.flatMap((step) => (step.kind === 'write' ? [step.write] : []));
  const written = (await repository.write(writes, access)).values();
  const responses: BundleEntry[] = [];
  for (const step of rewritten) {
    if (step.kind === 'write') responses.push(writeResponse(written.next().value as Written, repository.fhirBase));
    else if (step.kind === 'found') responses.push(foundResponse(step.resource, repository.fhirBase));
    else responses.push({ resource: await runGet(repository, step.entry, access), response: { status: '200 OK' } });
  }
  return responses;
}

async function prepare(repository: FhirRepository, entry: Entry, access: Access): Promise<Step> {
  const at = `Bundle.entry[${entry.index}]`;
  if (entry.method === 'GET') return { kind: 'get', entry };
  if (entry.method === 'DELETE') return { kind: 'write', entry, write: { kind: 'delete', type: entry.type, id: entry.id ?? '' } };
  const resource = withPath(at, () => parseResource(entry.resource, entry.type));
  if (entry.method === 'POST') {
    if (entry.ifNoneExist) await repository.serializeConditional();
    const existing = entry.ifNoneExist ? await singleMatch(repository, parseSearch(entry.type, new URLSearchParams(entry.ifNoneExist), false), access) : undefined;
    if (existing) return { kind: 'found', entry, resource: existing };
    return { kind: 'write', entry, write: { kind: 'put', resource: { ...resource, id: randomUUID() } } };
  }
  const existing = entry.id === undefined && entry.search ? await singleMatch(repository, entry.search, access) : undefined;
  const id = entry.id ?? existing?.id ?? resource.id ?? randomUUID();
  if (entry.id !== undefined && resource.id !== entry.id) throw new FhirRefusal(400, 'value', 'The id in the resource must be the one in the url.', `${at}.resource.id`);
  return { kind: 'write', entry, write: { kind: 'put', resource: { ...resource, id }, ifMatch: entry.ifMatch } };
}

function withPath<T>(at: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof FhirRefusal) throw new FhirRefusal(error.status, error.issueCode, error.message, `${at}.resource${error.expression ? ` (${error.expression})` : ''}`);
    throw error;
  }
}

/** The one match of conditional criteria; none is undefined, several are refused with 412. */
export async function singleMatch(repository: FhirRepository, query: SearchQuery, access: Access): Promise<StoredResource | undefined> {
  if (query.criteria.length === 0) throw new FhirRefusal(400, 'value', 'The condition has no search parameter.');
  const { matches, total } = await search(repository, { ...query, count: 2, offset: 0 }, access);
  if (total > 1) throw new FhirRefusal(412, 'multiple-matches', 'The condition matches more than one resource.');
  return matches[0];
}

/** Every urn:uuid or other fullUrl of an entry becomes Type/id; a reference that is a search ("Patient?identifier=…") becomes its one match. */
async function rewriteReferences(repository: FhirRepository, steps: readonly Step[], access: Access): Promise<Step[]> {
  const targets = new Map<string, string>();
  for (const step of steps) {
    const resource = step.kind === 'write' && step.write.kind === 'put' ? step.write.resource : step.kind === 'found' ? step.resource : undefined;
    if (resource && step.entry.fullUrl) targets.set(step.entry.fullUrl, `${resource.resourceType}/${resource.id}`);
  }
  for (const condition of conditionalReferences(steps)) {
    const [type = '', query = ''] = condition.split('?');
    const match = await singleMatch(repository, parseSearch(type, new URLSearchParams(query), false), access);
    if (!match) throw new FhirRefusal(412, 'not-found', 'A conditional reference matches no resource.');
    targets.set(condition, `${type}/${match.id}`);
  }
  return steps.map((step) =>
    step.kind === 'write' && step.write.kind === 'put' ? { ...step, write: { ...step.write, resource: rewrite(step.write.resource, targets) as StoredResource } } : step,
  );
}

function conditionalReferences(steps: readonly Step[]): Set<string> {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { reference } = value as { readonly reference?: unknown };
    if (typeof reference === 'string' && /^[A-Z][A-Za-z]+\?/.test(reference) && isResourceType(reference.split('?')[0] ?? '')) found.add(reference);
    Object.values(value).forEach(visit);
  };
  for (const step of steps) if (step.kind === 'write' && step.write.kind === 'put') visit(step.write.resource);
  return found;
}

function rewrite(value: unknown, targets: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return value.startsWith('urn:') ? (targets.get(value) ?? value) : value;
  if (Array.isArray(value)) return value.map((one) => rewrite(one, targets));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, key === 'reference' && typeof child === 'string' ? (targets.get(child) ?? child) : rewrite(child, targets)]),
  );
}

async function runGet(repository: FhirRepository, entry: Entry, access: Access): Promise<StoredResource | Bundle> {
  if (entry.id !== undefined) return repository.read(entry.type, entry.id, access);
  const query = entry.search ?? parseSearch(entry.type, [], false);
  return searchBundle(query, await search(repository, query, access), repository.fhirBase);
}

function writeResponse(written: Written, fhirBase: string): BundleEntry {
  if (!written.resource) return { response: { status: '204 No Content' } };
  return {
    fullUrl: `${fhirBase}/${written.type}/${written.id}`,
    response: {
      status: written.kind === 'created' ? '201 Created' : '200 OK',
      location: `${fhirBase}/${written.type}/${written.id}/_history/${written.version}`,
      etag: `W/"${written.version}"`,
      ...(written.resource.meta?.lastUpdated ? { lastModified: written.resource.meta.lastUpdated } : {}),
    },
  };
}

function foundResponse(resource: StoredResource, fhirBase: string): BundleEntry {
  const url = `${fhirBase}/${resource.resourceType}/${resource.id}`;
  return { fullUrl: url, response: { status: '200 OK', location: `${url}/_history/${resource.meta?.versionId ?? '1'}`, etag: `W/"${resource.meta?.versionId ?? '1'}"` } };
}
