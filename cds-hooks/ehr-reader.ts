import { withoutSlashes } from '#fhir/base/reference.ts';
import type { Bundle, BundleEntry, Resource } from '@medplum/fhirtypes';
import { getJson, UnreadableAnswer } from './get-json.ts';

/** Reads from the caller's FHIR server with the token of the call. Built for one call and thrown away with it. */
export interface EhrReader {
  /** Resources that the query (relative, "Type?…" or "Type/id") gives, page after page. Never rejects for what the server does. */
  (query: string): Promise<EhrAnswer>;
}

export interface EhrAnswer {
  /** `part`: there is more that could not be had, so what is not among the resources may exist all the same. `nothing`: could not be had. */
  readonly kind: 'all' | 'part' | 'nothing';
  readonly resources: readonly Resource[];
}

interface EhrReaderOptions {
  /** FHIR base, on the client's allow-list. */
  readonly base: string;
  readonly token: string;
  /** For everything that is read in the call together. */
  readonly deadline: () => AbortSignal;
  /** Hears why something could not be had, each reason once: an HTTP status or the kind of fault, never data. */
  readonly onFailure: (why: string) => void;
}

const MAX_PAGES = 10;
/** Requests of one call: a chart of many pages takes some twenty. What a call names beyond is not read. */
const MOST_READS = 50;
const MOST_AT_ONCE = 8;

export function createEhrReader({ base, token, deadline, onFailure }: EhrReaderOptions): EhrReader {
  const root = withoutSlashes(base);
  const inTurn = takeTurns(deadline);
  const told = new Set<string>();
  const tell = (why: string): void => {
    if (!told.has(why)) onFailure(why);
    told.add(why);
  };
  const get = async (url: string): Promise<Resource> => {
    const json = await inTurn(() => getJson(url, { accept: 'application/fhir+json', authorization: `Bearer ${token}` }, deadline()));
    if (typeof json !== 'object' || json === null || !('resourceType' in json)) throw new UnreadableAnswer('no FHIR resource');
    return json as Resource;
  };
  return async (query) => {
    let found: readonly Resource[] = [];
    try {
      let url: string | undefined = query.startsWith('http') ? query : `${root}/${query}`;
      for (let page = 0; url !== undefined; page += 1) {
        if (page === MAX_PAGES) throw new UnreadableAnswer('more pages than are read');
        // Pages and absolute references are followed on the same server only, and not out of it by "..".
        const address = URL.canParse(url) ? new URL(url).href : '';
        if (![`${root}/`, `${root}?`].some((start) => url?.startsWith(start) && address.startsWith(new URL(start).href))) throw new UnreadableAnswer('address outside the FHIR server');
        const resource: Resource = await get(url);
        if (hasFailed(resource)) throw new UnreadableAnswer('OperationOutcome');
        found = [...found, ...resourcesOf(resource)];
        url = resource.resourceType === 'Bundle' ? nextPage(resource) : undefined;
      }
      return { kind: 'all', resources: found };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      tell(error instanceof UnreadableAnswer ? error.message : deadline().aborted ? 'deadline' : 'code' in error ? String(error.code) : error.name);
      return { kind: found.length > 0 ? 'part' : 'nothing', resources: found };
    }
  };
}

/** Whatever a call names, its EHR gets no more requests than these; what waits when the time is over is not sent. */
function takeTurns(deadline: () => AbortSignal): <T>(read: () => Promise<T>) => Promise<T> {
  let left = MOST_READS;
  let open = 0;
  const waiting: (() => void)[] = [];
  return async (read) => {
    if (left === 0) throw new UnreadableAnswer('more reads than a call may cause');
    left -= 1;
    if (open === MOST_AT_ONCE) await new Promise<void>((turn) => waiting.push(turn));
    else open += 1;
    try {
      deadline().throwIfAborted();
      return await read();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else open -= 1;
    }
  };
}

/** What a prefetch value or an answer holds: a Bundle's entries, or the resource itself. */
export function resourcesOf(resource: Resource): readonly Resource[] {
  if (resource.resourceType !== 'Bundle') return [resource];
  return (resource.entry ?? []).flatMap((entry) => (entry.resource && entry.resource.resourceType !== 'OperationOutcome' ? [entry.resource] : []));
}

/** What resourcesOf gives, with the addresses by which entries name one another. */
export function entriesOf(resource: Resource): readonly BundleEntry[] {
  return resource.resourceType === 'Bundle' ? (resource.entry ?? []) : [{ resource }];
}

/** A search that failed: nothing was found but an OperationOutcome that says so. */
export function hasFailed(resource: Resource): boolean {
  if (resource.resourceType === 'OperationOutcome') return true;
  if (resource.resourceType !== 'Bundle' || resourcesOf(resource).length > 0) return false;
  return (resource.entry ?? []).some(({ resource: outcome }) => outcome?.resourceType === 'OperationOutcome' && outcome.issue?.some(({ severity }) => severity === 'error' || severity === 'fatal'));
}

export function nextPage(bundle: Bundle): string | undefined {
  return bundle.link?.find((link) => link.relation === 'next')?.url;
}
