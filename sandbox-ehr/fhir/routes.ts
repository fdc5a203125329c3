import { randomUUID } from 'node:crypto';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import express, { type ErrorRequestHandler, type Request, type RequestHandler, type Response, Router } from 'express';
import type { Logger } from 'pino';
import type { AuditTrail } from '#store/audit.ts';
import { FhirRefusal, operationOutcome } from '../errors.ts';
import type { Access } from './access.ts';
import { parseIfMatch, processBundle, singleMatch } from './bundle.ts';
import { capabilityStatement } from './capability-statement.ts';
import { isResourceType } from './definitions.ts';
import type { FhirRepository, Written } from './repository.ts';
import { search, searchBundle } from './search.ts';
import { parseSearch } from './search-query.ts';
import { isFhirId, parseResource, type StoredResource } from './structure.ts';

export interface FhirRoutesOptions {
  readonly repository: FhirRepository;
  readonly audit: AuditTrail;
  readonly log: Logger;
  readonly issuer: string;
  /** Who calls and what they reach; throws FhirRefusal 401. */
  readonly authenticate: (request: Request) => Promise<Access>;
}

const JSON_TYPES = ['application/fhir+json', 'application/json', 'application/json+fhir'];
const FORM_TYPE = 'application/x-www-form-urlencoded';

/** The FHIR R4 API below the base URL's path. */
export function fhirRoutes(options: FhirRoutesOptions): Router {
  const { repository, audit } = options;
  const base = repository.fhirBase;
  const router = Router({ caseSensitive: true });
  const started = new Date(repository.now()).toISOString();

  router.use(crossOrigin);
  router.get('/metadata', (_request, response) => sendFhir(response, 200, capabilityStatement(base, options.issuer, started)));

  router.use(async (request, response, next) => {
    response.locals['access'] = await options.authenticate(request);
    next();
  });
  router.post('/', requireJson, express.json({ type: JSON_TYPES, limit: '20mb' }));
  router.post(/^\/[^/]+\/_search$/, requireForm, express.urlencoded({ extended: false, limit: '1mb' }));
  router.use((request, response, next) => (request.body === undefined && ['POST', 'PUT'].includes(request.method) ? requireJson(request, response, next) : next()));
  router.use(express.json({ type: JSON_TYPES, limit: '1mb' }));

  router.post('/', async (request, response) => {
    const access = accessOf(response);
    const bundle = parseResource(request.body, 'Bundle') as Bundle;
    const answer = await processBundle(repository, bundle, access);
    const what = (answer.entry ?? []).flatMap((entry) => entry.response?.location?.slice(base.length + 1).split('/_history')[0] ?? []);
    audit.record({ action: 'ehr-update', who: access.who, what: what.slice(0, 100), details: { bundle: bundle.type ?? '', entries: bundle.entry?.length ?? 0 } });
    sendFhir(response, 200, answer);
  });

  const runSearch = async (request: Request, response: Response, parameters: URLSearchParams): Promise<void> => {
    const access = accessOf(response);
    const query = parseSearch(typeOf(request), parameters, /handling=lenient/.test(request.get('prefer') ?? ''));
    const result = await search(repository, query, access);
    audit.record({ action: 'ehr-search', who: access.who, what: result.matches.map((one) => `${one.resourceType}/${one.id}`).slice(0, 100), details: { type: query.type, total: result.total } });
    sendFhir(response, 200, searchBundle(query, result, base));
  };
  router.get('/:type', (request, response) => runSearch(request, response, new URL(request.originalUrl, base).searchParams));
  router.post('/:type/_search', (request, response) => {
    const parameters = new URL(request.originalUrl, base).searchParams;
    for (const [name, value] of Object.entries((request.body ?? {}) as Record<string, unknown>)) for (const one of [value].flat()) parameters.append(name, String(one));
    return runSearch(request, response, parameters);
  });

  router.get('/:type/:id', async (request, response) => {
    const access = accessOf(response);
    const resource = await repository.read(typeOf(request), idOf(request), access);
    audit.record({ action: 'ehr-read', who: access.who, what: [`${resource.resourceType}/${resource.id}`] });
    if (request.get('if-none-match')?.trim() === `W/"${resource.meta?.versionId}"`) {
      response.status(304).end();
      return;
    }
    sendResource(response, 200, resource);
  });
  router.get('/:type/:id/_history', async (request, response) => {
    const access = accessOf(response);
    const type = typeOf(request);
    const versions = await repository.versions(type, idOf(request), access);
    audit.record({ action: 'ehr-read', who: access.who, what: [`${type}/${versions[0]?.id}`], details: { history: true } });
    const entry = versions.map(({ id, version, updatedMs, resource }) => ({
      fullUrl: `${base}/${type}/${id}`,
      ...(resource ? { resource } : {}),
      request: { method: resource ? ('PUT' as const) : ('DELETE' as const), url: `${type}/${id}` },
      response: { status: resource ? '200' : '204', etag: `W/"${version}"`, lastModified: new Date(updatedMs).toISOString() },
    }));
    sendFhir(response, 200, { resourceType: 'Bundle', type: 'history', total: entry.length, entry });
  });
  router.get('/:type/:id/_history/:version', async (request, response) => {
    const access = accessOf(response);
    const versions = await repository.versions(typeOf(request), idOf(request), access);
    const wanted = versions.find((one) => String(one.version) === request.params['version']);
    if (!wanted) throw new FhirRefusal(404, 'not-found', 'No such version.');
    if (!wanted.resource) throw new FhirRefusal(410, 'deleted', 'That version is a deletion.');
    audit.record({ action: 'ehr-read', who: access.who, what: [`${wanted.resource.resourceType}/${wanted.id}`], details: { version: wanted.version } });
    sendResource(response, 200, wanted.resource);
  });

  router.post('/:type', async (request, response) => {
    const access = accessOf(response);
    const type = typeOf(request);
    const resource = parseResource(request.body, type);
    const condition = request.get('if-none-exist');
    const outcome = await repository.transaction(async (inside) => {
      if (condition) {
        await inside.serializeConditional();
        const found = await singleMatch(inside, parseSearch(type, new URLSearchParams(condition), false), access);
        if (found) return { kind: 'found' as const, resource: found };
      }
      return inside.write([{ kind: 'put', resource: { ...resource, id: randomUUID() } }], access).then(([written]) => written);
    });
    if (outcome?.kind === 'found') sendResource(response, 200, outcome.resource);
    else answerWrite(request, response, outcome);
  });
  const put = async (request: Request, response: Response, id: string | undefined): Promise<void> => {
    const access = accessOf(response);
    const type = typeOf(request);
    const resource = parseResource(request.body, type);
    if (id !== undefined && resource.id !== id) throw new FhirRefusal(400, 'value', 'The id in the resource must be the one in the url.', `${type}.id`);
    const ifMatch = parseIfMatch(request.get('if-match'));
    const [written] = await repository.transaction(async (inside) => {
      if (id !== undefined) return inside.write([{ kind: 'put', resource: { ...resource, id }, ifMatch }], access);
      await inside.serializeConditional();
      const found = await singleMatch(inside, parseSearch(type, new URL(request.originalUrl, base).searchParams, false), access);
      return inside.write([{ kind: 'put', resource: { ...resource, id: found?.id ?? resource.id ?? randomUUID() }, ifMatch }], access);
    });
    answerWrite(request, response, written);
  };
  router.put('/:type/:id', (request, response) => put(request, response, idOf(request)));
  router.put('/:type', (request, response) => put(request, response, undefined));
  router.delete('/:type/:id', async (request, response) => {
    const access = accessOf(response);
    const [type, id] = [typeOf(request), idOf(request)];
    const [written] = await repository.transaction((inside) => inside.write([{ kind: 'delete', type, id }], access));
    if (written?.kind === 'absent' && written.version === 0) throw new FhirRefusal(404, 'not-found', 'No such resource.');
    audit.record({ action: 'ehr-delete', who: access.who, what: [`${type}/${id}`] });
    response.status(204).end();
  });
  router.use((request) => {
    throw isResourceType(request.path.split('/')[1] ?? '') ? new FhirRefusal(405, 'not-supported', 'That interaction is not supported here.') : new FhirRefusal(404, 'not-found', 'Unknown path.');
  });
  router.use(fhirErrors(options.log));
  return router;

  function answerWrite(request: Request, response: Response, written: Written | undefined): void {
    if (!written?.resource) throw new Error('A write gave no resource.');
    const created = written.kind === 'created';
    audit.record({ action: created ? 'ehr-create' : 'ehr-update', who: accessOf(response).who, what: [`${written.type}/${written.id}`] });
    const url = `${base}/${written.type}/${written.id}`;
    if (created) response.location(`${url}/_history/${written.version}`);
    if (/return=minimal/.test(request.get('prefer') ?? '')) response.status(created ? 201 : 200).set('ETag', `W/"${written.version}"`).end();
    else sendResource(response, created ? 201 : 200, written.resource);
  }
}

/** No cookie passes a browser's cross-origin request to "*", so this opens the API to bearer tokens only. */
const crossOrigin: RequestHandler = (request, response, next) => {
  response.set({ 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'ETag, Location, Last-Modified', 'Cache-Control': 'no-store' });
  if (request.method !== 'OPTIONS') {
    next();
    return;
  }
  response.set({ 'Access-Control-Allow-Methods': 'GET, POST, PUT, DELETE, OPTIONS', 'Access-Control-Allow-Headers': 'Authorization, Content-Type, If-Match, If-None-Exist, If-None-Match, Prefer' });
  response.status(204).end();
};

const accessOf = (response: Response): Access => response.locals['access'] as Access;

function typeOf(request: Request): string {
  const type = String(request.params['type']);
  if (!isResourceType(type)) throw new FhirRefusal(404, 'not-supported', 'Not a FHIR R4 resource type.');
  return type;
}

function idOf(request: Request): string {
  const id = String(request.params['id']);
  if (!isFhirId(id)) throw new FhirRefusal(400, 'value', 'The id is not a legal FHIR id.');
  return id;
}

const requireType = (types: readonly string[], status: number): RequestHandler => (request, _response, next) => {
  const type = (request.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (!types.includes(type)) throw new FhirRefusal(status, 'not-supported', `Content-Type must be ${types[0]}.`);
  next();
};
const requireJson = requireType(JSON_TYPES, 415);
const requireForm = requireType([FORM_TYPE], 415);

function sendResource(response: Response, status: number, resource: StoredResource): void {
  if (resource.meta?.lastUpdated) response.set('Last-Modified', new Date(resource.meta.lastUpdated).toUTCString());
  response.set('ETag', `W/"${resource.meta?.versionId ?? '1'}"`);
  sendFhir(response, status, resource);
}

function sendFhir(response: Response, status: number, resource: Resource): void {
  response.status(status).set('Content-Type', 'application/fhir+json; charset=utf-8').send(JSON.stringify(resource));
}

function fhirErrors(log: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const refusal = error instanceof FhirRefusal ? error : bodyRefusal(error);
    if (!refusal) {
      log.error({ err: error }, 'FHIR API fault');
      sendFhir(response, 500, operationOutcome('exception', 'The server failed. The fault was logged.'));
      return;
    }
    if (refusal.status === 401) response.set('WWW-Authenticate', 'Bearer');
    sendFhir(response, refusal.status, operationOutcome(refusal.issueCode, refusal.message, refusal.expression));
  };
}

/** What express says of an unreadable body or path; undefined when it is a fault of ours. */
function bodyRefusal(error: unknown): FhirRefusal | undefined {
  const { status, type } = error as { readonly status?: unknown; readonly type?: unknown };
  if (status === 413) return new FhirRefusal(413, 'too-long', 'The body is too large.');
  if (status === 415) return new FhirRefusal(415, 'not-supported', 'The encoding of the body is not supported.');
  if (type === 'entity.parse.failed') return new FhirRefusal(400, 'structure', 'The body is not valid JSON.');
  return status === 400 ? new FhirRefusal(400, 'structure', 'The request could not be read.') : undefined;
}
