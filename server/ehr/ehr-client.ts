import type { Bundle, ExtractResource, Resource, ResourceType } from '@medplum/fhirtypes';
import { z } from 'zod';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { relativeReference, withoutSlashes } from '#fhir/base/reference.ts';
import { expired } from '../smart/sessions.ts';

/** The EHR's FHIR API with one session's rights. Calls never leave the EHR's base. Throws EHR_UNAVAILABLE, EHR_REFUSED, SESSION_EXPIRED. */
export interface EhrClient {
  /** Undefined when there is none, or the EHR does not show it to this user. */
  read<T extends ResourceType>(type: T, id: string): Promise<ExtractResource<T> | undefined>;
  /** Any literal reference into this EHR. */
  follow(reference: string | undefined): Promise<Resource | undefined>;
  /** All pages, up to 20; matches and included resources. */
  search(type: ResourceType, parameters: Readonly<Record<string, string>> | URLSearchParams): Promise<readonly Resource[]>;
  /** Creates, or updates when it has an id. Gives the resource as the EHR keeps it. */
  save<T extends Resource>(resource: T): Promise<T>;
  /** Updates it only while it is that version (If-Match); null updates whatever it is. `changed`: somebody else was there before. */
  update<T extends Resource>(resource: T, version: string | null): Promise<{ readonly kind: 'saved'; readonly resource: T } | { readonly kind: 'changed' }>;
}

const resource = z.custom<Resource>((value) => typeof value === 'object' && value !== null && 'resourceType' in value && typeof value.resourceType === 'string');
const FHIR_JSON = 'application/fhir+json';
const MAX_PAGES = 20;

/** `accessToken` is asked before each call, so that it can renew itself. */
export function openEhr(fhirBase: string, accessToken: () => Promise<string>): EhrClient {
  const base = withoutSlashes(fhirBase);

  const call = async (method: 'GET' | 'POST' | 'PUT', url: string, body?: Resource, ifMatch?: string): Promise<Response> => {
    const headers = { accept: FHIR_JSON, authorization: `Bearer ${await accessToken()}`, ...(body ? { 'content-type': FHIR_JSON, prefer: 'return=representation' } : {}), ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }) };
    try {
      // A redirect would carry the token to wherever it points.
      return await fetch(url, { method, headers, redirect: 'error', signal: AbortSignal.timeout(15_000), ...(body ? { body: JSON.stringify(body) } : {}) });
    } catch (cause) {
      throw unavailable('did not answer', cause);
    }
  };
  const believe = async (answer: Response, what: string): Promise<Resource> => {
    if (answer.status === 401) throw expired();
    if (answer.status >= 500 || answer.status === 429) throw unavailable(`answered ${answer.status} to ${what}`);
    if (!answer.ok) {
      throw new PriorAuthError('EHR_REFUSED', `The EHR answered ${answer.status} to ${what}.`, { nextStep: 'Ask whoever looks after the EHR whether this app may do that.' });
    }
    const parsed = resource.safeParse(await answer.json().catch(() => undefined));
    if (!parsed.success) throw unavailable(`gave no FHIR resource for ${what}`);
    return parsed.data;
  };
  const readAny = async (type: string, id: string): Promise<Resource | undefined> => {
    const answer = await call('GET', `${base}/${type}/${encodeURIComponent(id)}`);
    if (answer.status === 404 || answer.status === 410 || answer.status === 403) {
      await answer.body?.cancel();
      return undefined;
    }
    return believe(answer, `reading a ${type}`);
  };

  return {
    async read<T extends ResourceType>(type: T, id: string) {
      const found = await readAny(type, id);
      return isType(found, type) ? found : undefined;
    },
    async follow(reference) {
      const relative = reference?.startsWith('http') && !reference.startsWith(`${base}/`) ? undefined : relativeReference(reference ?? '');
      const [type, id] = relative?.split('/') ?? [];
      return type && id ? readAny(type, id) : undefined;
    },
    async search(type, parameters) {
      const found: Resource[] = [];
      let url: string | undefined = `${base}/${type}?${new URLSearchParams(parameters).toString()}`;
      for (let page = 0; url !== undefined && page < MAX_PAGES; page += 1) {
        const bundle: Resource = await believe(await call('GET', url), `searching ${type}`);
        if (!isType(bundle, 'Bundle')) throw unavailable(`gave no Bundle for a search of ${type}`);
        found.push(...(bundle.entry ?? []).flatMap((entry) => (entry.resource && entry.search?.mode !== 'outcome' ? [entry.resource] : [])));
        url = nextPage(bundle, base);
      }
      return found;
    },
    async save<T extends Resource>(saved: T) {
      const answer = saved.id
        ? await call('PUT', `${base}/${saved.resourceType}/${encodeURIComponent(saved.id)}`, saved)
        : await call('POST', `${base}/${saved.resourceType}`, saved);
      const kept = await believe(answer, `saving a ${saved.resourceType}`);
      if (kept.resourceType !== saved.resourceType) throw unavailable(`did not give back the ${saved.resourceType} it saved`);
      return kept as T;
    },
    async update<T extends Resource>(saved: T, version: string | null) {
      const answer = await call('PUT', `${base}/${saved.resourceType}/${encodeURIComponent(saved.id ?? '')}`, saved, version === null ? undefined : `W/"${version}"`);
      if (answer.status === 412 || answer.status === 409) {
        await answer.body?.cancel();
        return { kind: 'changed' } as const;
      }
      const kept = await believe(answer, `saving a ${saved.resourceType}`);
      if (kept.resourceType !== saved.resourceType) throw unavailable(`did not give back the ${saved.resourceType} it saved`);
      return { kind: 'saved', resource: kept as T } as const;
    },
  };
}

function isType<T extends ResourceType>(found: Resource | undefined, type: T): found is ExtractResource<T> {
  return found?.resourceType === type;
}

function nextPage(bundle: Bundle, base: string): string | undefined {
  const next = bundle.link?.find(({ relation }) => relation === 'next')?.url;
  if (next === undefined) return undefined;
  const absolute = new URL(next, `${base}/`).href;
  return absolute.startsWith(`${base}/`) || absolute.startsWith(`${base}?`) ? absolute : undefined;
}

function unavailable(what: string, cause?: unknown): PriorAuthError {
  return new PriorAuthError('EHR_UNAVAILABLE', `The EHR ${what}.`, { retryable: true, cause, nextStep: 'Try again in a minute. Nothing is lost.' });
}
