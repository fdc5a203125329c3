import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { type CdsHooksOptions, createCdsHooks } from '#cds-hooks/cds-hooks.ts';
import { loadPayers } from '#policies/load-payers.ts';
import { loadPolicies } from '#policies/load-policies.ts';
import { openAuditTrail } from '#store/audit.ts';
import { openStore } from '#store/database.ts';
import { checkAnswer, type ClientsPart } from './checked-answer.ts';
import { CHECKED_BY_CALLER, watchAnswers } from './watched-answers.ts';

export const NOW = Date.parse('2026-11-22T18:00:00Z');
const ISSUER = 'https://ehr.example';

interface FhirLike {
  readonly resourceType: string;
  readonly id?: string;
}
export interface HookReply {
  readonly status: number;
  readonly text: string;
  readonly cards: readonly { readonly summary: string; readonly detail: string; readonly source: { readonly topic: { readonly system: string; readonly code: string } }; readonly extension: Readonly<Record<string, unknown>> }[];
  readonly systemActions: readonly { readonly type: string; readonly description: string; readonly resource: FhirLike & Readonly<Record<string, unknown>> }[];
}
export interface RunningCdsHooks {
  readonly url: string;
  readonly ehrBase: string;
  /** What the EHR was asked, as "Type/id" or "Type?query". */
  readonly asked: string[];
  /** Most queries that were open at once, since the EHR was filled. */
  mostAtOnce(): number;
  /** What the EHR holds, and how long it takes; a function decides by itself, 'hang' never answers. */
  holds(records: readonly FhirLike[] | ((query: string) => { readonly status: number; readonly body: unknown } | 'hang'), delayMs?: number): void;
  /** Parts of answers that the service's own checker kept back, so far. */
  keptBack(): Promise<readonly unknown[]>;
  /** Signed with a JWT for that endpoint. A 200 answer is checked (checked-answer.ts). */
  post(service: string, body: unknown, part?: Pick<ClientsPart, 'clientFaults'>): Promise<HookReply>;
  /** @throws Error when an answer to a call that did not come through `post` was not sound. */
  stop(): Promise<void>;
}

/** A CDS service with its own store, unless one is given, and an EHR that it may read, both over HTTP. */
export async function runCdsHooks(more: Partial<CdsHooksOptions> = {}): Promise<RunningCdsHooks> {
  const store = more.store ?? (await openStore({ dataDir: 'memory' }));
  const keys = await generateKeyPair('ES384', { extractable: true });
  const publicJwk = { ...(await exportJWK(keys.publicKey)), kid: 'k', alg: 'ES384', use: 'sig' };
  const asked: string[] = [];
  let given: unknown[] = [];
  let delay = 0;
  let open = 0;
  let most = 0;
  let answers: (query: string) => { readonly status: number; readonly body: unknown } | 'hang' = () => ({ status: 404, body: {} });
  const ehr = createServer((request: IncomingMessage, response) => {
    const query = (request.url ?? '').replace('/fhir/', '');
    asked.push(query);
    const answer = answers(query);
    open += 1;
    most = Math.max(most, open);
    response.once('close', () => (open -= 1));
    if (answer !== 'hang') given.push(answer.body);
    if (answer !== 'hang') setTimeout(() => response.writeHead(answer.status, { 'content-type': 'application/fhir+json' }).end(JSON.stringify(answer.body)), delay);
  });
  await new Promise<void>((ready) => ehr.listen(0, ready));
  const ehrBase = `http://localhost:${(ehr.address() as AddressInfo).port}/fhir`;
  const registry = new Registry();
  const app = express();
  const server = app.listen(0);
  await new Promise((ready) => server.once('listening', ready));
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  const audit = await openAuditTrail(store, () => NOW, () => undefined);
  const part = await createCdsHooks({
    store, baseUrl: url, log: pino({ level: 'silent' }), now: () => NOW, audit, policies: loadPolicies(), payers: loadPayers(url), registry, deadlineMs: 600,
    model: { score: async () => ({ probability: 0.3, band: 'low', reasons: [], modelVersion: 'test', simulated: true }) },
    trustedClients: [{ iss: ISSUER, jwks: { keys: [publicJwk] }, fhirServers: [ehrBase] }], openToFhirServer: null, ...more,
  });
  const watched = watchAnswers(() => given);
  app.use(watched.handler, part.router);
  return {
    url,
    ehrBase,
    asked,
    mostAtOnce: () => most,
    keptBack: async () => (await registry.getSingleMetric('cds_hook_answer_faults_total')?.get())?.values ?? [],
    holds(records, delayMs = 0) {
      delay = delayMs;
      most = 0;
      given = [];
      answers = typeof records === 'function' ? records : (query) => fromRecords(records, query);
    },
    async post(service, body, part = {}) {
      const endpoint = `${url}/cds-services/${service}`;
      const token = await new SignJWT({ iss: ISSUER, aud: endpoint, iat: NOW / 1000, exp: NOW / 1000 + 300, jti: randomUUID() }).setProtectedHeader({ alg: 'ES384', kid: 'k', typ: 'JWT' }).sign(keys.privateKey);
      const response = await fetch(endpoint, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, [CHECKED_BY_CALLER]: '1' }, body: JSON.stringify(body) });
      const text = await response.text();
      if (!service.endsWith('/feedback')) checkAnswer(body, { status: response.status, text }, { ...part, fromEhr: given });
      return { status: response.status, text, cards: [], systemActions: [], ...(text === '' ? {} : (JSON.parse(text) as object)) };
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      ehr.closeAllConnections();
      ehr.close();
      await part.stop();
      await audit.stop();
      if (!more.store) await store.close();
      if (watched.faults.length > 0) throw new Error(watched.faults.join('\n'));
    },
  };
}

function fromRecords(records: readonly FhirLike[], query: string): { readonly status: number; readonly body: unknown } {
  const [type = '', id] = (query.split('?')[0] ?? '').split('/');
  const found = records.filter((record) => record.resourceType === type && (id === undefined || record.id === id));
  if (id === undefined) return { status: 200, body: { resourceType: 'Bundle', type: 'searchset', entry: found.map((resource) => ({ resource })) } };
  return found[0] ? { status: 200, body: found[0] } : { status: 404, body: { resourceType: 'OperationOutcome', issue: [] } };
}
