import { createHash, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import type { Resource } from '@medplum/fhirtypes';
import { createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';

export interface TestEhr {
  /** FHIR base. */
  readonly base: string;
  /** By "Type/id"; tests may change it. */
  readonly resources: Map<string, Resource>;
  /** What happened, for assertions: `POST QuestionnaireResponse`, … */
  readonly calls: string[];
  /** Of each client assertion that was believed. */
  readonly assertionAlgorithms: string[];
  /** Makes a launch token for that context. */
  launch(context: Readonly<Record<string, unknown>>): string;
  /** Tests set these to make the EHR misbehave. */
  readonly behaviour: { expiresIn: number; deny: boolean; refuseWrites: boolean; refusedType?: string; refreshTokens: boolean; idTokenAudience?: string; idToken: Readonly<Record<string, unknown>>; forgedIdToken: boolean; tokenStatus?: number; scope?: string; refreshedPatient?: string; capabilities: readonly string[] };
  close(): Promise<void>;
}

/** Every client is known by its JWKS; the user is always the same clinician. */
const USER = 'Practitioner/clinician-1';

/** A small EHR of the tests: SMART App Launch 2.2.0 with PKCE S256 and private_key_jwt checked, a FHIR store in memory. */
export async function startTestEhr(jwksUrl: () => string, initial: readonly Resource[]): Promise<TestEhr> {
  const resources = new Map(initial.map((resource) => [`${resource.resourceType}/${resource.id}`, resource]));
  const calls: string[] = [];
  const behaviour: TestEhr['behaviour'] = { expiresIn: 3600, deny: false, refuseWrites: false, refreshTokens: true, idToken: {}, forgedIdToken: false, capabilities: ['permission-v2'] };
  const launches = new Map<string, Readonly<Record<string, unknown>>>();
  const codes = new Map<string, { readonly query: Readonly<Record<string, string>>; readonly context: Readonly<Record<string, unknown>> }>();
  const refreshTokens = new Map<string, string>();
  const tokens = new Set<string>();
  const assertions = new Set<string>();
  const assertionAlgorithms: string[] = [];
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const forger = await generateKeyPair('RS256');
  const publicJwk = { ...(await exportJWK(publicKey)), kid: 'ehr', alg: 'RS256', use: 'sig' };

  const app: Express = express();
  const server: Server = createServer(app);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const base = `${origin}/fhir`;

  app.get('/fhir/.well-known/smart-configuration', (_request, response) => {
    response.json({ issuer: origin, jwks_uri: `${origin}/jwks`, authorization_endpoint: `${origin}/authorize`, token_endpoint: `${origin}/token`, code_challenge_methods_supported: ['S256'], capabilities: behaviour.capabilities, grant_types_supported: [] });
  });
  app.get('/jwks', (_request, response) => void response.json({ keys: [publicJwk] }));
  app.get('/authorize', (request, response) => {
    const query: Record<string, string> = Object.fromEntries(new URL(request.originalUrl, origin).searchParams);
    const context = query['launch'] === undefined ? { patient: 'patient-1' } : launches.get(query['launch']);
    if (!context || query['aud'] !== base || query['code_challenge_method'] !== 'S256' || !query['redirect_uri']) return void response.status(400).send('bad authorization request');
    const answer = new URL(query['redirect_uri']);
    answer.searchParams.set('state', query['state'] ?? '');
    if (behaviour.deny) answer.searchParams.set('error', 'access_denied');
    else {
      const code = randomUUID();
      codes.set(code, { query, context });
      answer.searchParams.set('code', code);
    }
    response.redirect(302, answer.href);
  });

  const issue = async (clientId: string, context: Readonly<Record<string, unknown>>, query: Readonly<Record<string, string>> = {}) => {
    const accessToken = randomUUID();
    tokens.add(accessToken);
    const refreshToken = randomUUID();
    refreshTokens.set(refreshToken, clientId);
    const seconds = Math.floor(Date.now() / 1000);
    const idToken = await new SignJWT({
      iss: origin, sub: 'doctor', aud: behaviour.idTokenAudience ?? clientId, iat: seconds, exp: seconds + 300, fhirUser: `${base}/${USER}`, name: 'Dr. Test',
      ...(query['nonce'] === undefined ? {} : { nonce: query['nonce'] }), ...behaviour.idToken,
    })
      .setProtectedHeader({ alg: 'RS256', kid: 'ehr' })
      .sign(behaviour.forgedIdToken ? forger.privateKey : privateKey);
    const scope = behaviour.scope ?? query['scope'];
    return { access_token: accessToken, token_type: 'Bearer', expires_in: behaviour.expiresIn, ...(scope === undefined ? {} : { scope }), id_token: idToken, ...(behaviour.refreshTokens ? { refresh_token: refreshToken } : {}), ...context };
  };
  app.post('/token', express.urlencoded({ extended: false }), async (request, response) => {
    const body = request.body as Record<string, string>;
    if (behaviour.tokenStatus !== undefined) return void response.status(behaviour.tokenStatus).end();
    const refuse = (error: string) => void response.status(400).json({ error });
    const { payload, protectedHeader } = await jwtVerify(body['client_assertion'] ?? '', createRemoteJWKSet(new URL(jwksUrl())), { audience: `${origin}/token`, algorithms: ['ES384', 'RS384'] }).catch(() => ({ payload: undefined, protectedHeader: undefined }));
    if (!payload?.jti || payload.iss !== payload.sub || assertions.has(payload.jti)) return refuse('invalid_client');
    assertions.add(payload.jti);
    assertionAlgorithms.push(protectedHeader.alg);
    const clientId = payload.iss ?? '';
    calls.push(`token ${body['grant_type']}`);
    if (body['grant_type'] === 'refresh_token') {
      const known = refreshTokens.get(body['refresh_token'] ?? '');
      refreshTokens.delete(body['refresh_token'] ?? '');
      return known === clientId ? void response.json(await issue(clientId, behaviour.refreshedPatient === undefined ? {} : { patient: behaviour.refreshedPatient })) : refuse('invalid_grant');
    }
    const granted = codes.get(body['code'] ?? '');
    codes.delete(body['code'] ?? '');
    const challenge = createHash('sha256').update(body['code_verifier'] ?? '').digest('base64url');
    if (!granted || granted.query['client_id'] !== clientId || granted.query['redirect_uri'] !== body['redirect_uri'] || granted.query['code_challenge'] !== challenge) return refuse('invalid_grant');
    response.json(await issue(clientId, granted.context, granted.query));
  });

  app.use('/fhir', express.json({ type: 'application/fhir+json', limit: '5mb' }), (request, response, next) => {
    if (!tokens.has(request.get('authorization')?.replace('Bearer ', '') ?? '')) return void response.status(401).json({ resourceType: 'OperationOutcome' });
    response.type('application/fhir+json');
    next();
  });
  app.get('/fhir/:type/:id', (request, response) => {
    const found = resources.get(`${request.params.type}/${request.params.id}`);
    calls.push(`read ${request.params.type}/${request.params.id}`);
    if (found) response.json(found);
    else response.status(404).json({ resourceType: 'OperationOutcome', issue: [] });
  });
  app.get('/fhir/:type', (request, response) => {
    const asked = new URL(request.originalUrl, origin).searchParams;
    const patient = (asked.get('patient') ?? '').replace(/^(Patient\/)?/, 'Patient/');
    const ofAll = ['Practitioner', 'PractitionerRole'].includes(request.params.type) && !asked.has('patient');
    const found = [...resources.values()].filter((resource) => resource.resourceType === request.params.type && (ofAll || JSON.stringify(resource).includes(`"${patient}"`)));
    response.json({ resourceType: 'Bundle', type: 'searchset', entry: found.map((resource) => ({ resource, search: { mode: 'match' } })) });
  });
  const write = (method: string, type: string, id: string, body: Resource) => {
    calls.push(`${method} ${type}`);
    const before = resources.get(`${type}/${id}`)?.meta?.versionId;
    const kept = { ...body, id, meta: { ...body.meta, versionId: String(Number(before ?? 0) + 1), lastUpdated: new Date().toISOString() } };
    resources.set(`${type}/${id}`, kept);
    return kept;
  };
  app.post('/fhir/:type', (request, response) => {
    if (behaviour.refuseWrites || behaviour.refusedType === request.params.type) return void response.status(403).json({ resourceType: 'OperationOutcome' });
    response.status(201).json(write('POST', request.params.type, randomUUID(), request.body as Resource));
  });
  app.put('/fhir/:type/:id', (request, response) => {
    if (behaviour.refuseWrites || behaviour.refusedType === request.params.type) return void response.status(403).json({ resourceType: 'OperationOutcome' });
    const expected = request.get('if-match');
    const version = resources.get(`${request.params.type}/${request.params.id}`)?.meta?.versionId;
    if (expected !== undefined && expected !== `W/"${version}"`) {
      calls.push(`412 ${request.params.type}`);
      return void response.status(412).json({ resourceType: 'OperationOutcome' });
    }
    response.json(write('PUT', request.params.type, request.params.id, request.body as Resource));
  });

  return {
    base,
    resources,
    calls,
    assertionAlgorithms,
    behaviour,
    launch(context) {
      const id = randomUUID();
      launches.set(id, context);
      return id;
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
