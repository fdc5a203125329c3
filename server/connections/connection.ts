import { withoutSlashes } from '#fhir/base/reference.ts';
import { BrokenCircuitError, BulkheadRejectedError, bulkhead, circuitBreaker, CircuitState, ConsecutiveBreaker, handleType, wrap } from 'cockatiel';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import { quirksOf } from '#prior-auth/coverage-requirement/payer-quirks.ts';
import type { KeyRing } from '#store/signing-keys.ts';
import { createBackendServices } from './backend-services.ts';
import { createEndpointDiscovery, type EndpointChoice, type EndpointUse } from './endpoint-discovery.ts';
import { createTransport, type HttpAnswer, Unavailable } from './transport.ts';

export interface ConnectionOptions {
  readonly clientId: string;
  readonly scope: string;
  readonly keys: Pick<KeyRing, 'current'>;
  readonly now: () => number;
  /** Not every use of a payer is at its PAS endpoint. */
  readonly discovers: boolean;
  /** In place of the payer's own. */
  readonly timeoutMs?: number | undefined;
}

/** One payer as it is spoken to: its addresses, our proof of who we are, and how much at once. */
export interface Connection {
  endpoint(use: EndpointUse): Promise<EndpointChoice>;
  /** Headers that say who we are. @throws Unavailable */
  authorization(fhirBase: string): Promise<Readonly<Record<string, string>>>;
  /** With breaker and limit. A 401 is tried once more with a fresh token. @throws Unavailable */
  call(method: string, path: string, body: string | undefined): Promise<HttpAnswer>;
  isLeftAlone(): boolean;
}

const TEMPORARY_4XX = new Set([408, 425, 429]);
/** For each step before the call itself (endpoints, configuration, token), so that a call with its repetition ends well within the lease of a sending. */
const ASKING_MS = 5_000;
/** Calls that wait for a free place; more are turned away, and come again by themselves. */
const WAITING = 1_000;
const FHIR_JSON = 'application/fhir+json';

export function createConnection(payer: Payer, { clientId, scope, keys, now, discovers, timeoutMs: givenMs }: ConnectionOptions): Connection {
  const quirks = quirksOf(payer);
  const timeoutMs = givenMs ?? quirks.timeoutMs;
  const askingMs = Math.min(timeoutMs, ASKING_MS);
  const transport = createTransport(payer.tls, now);
  const discovery = createEndpointDiscovery(createTransport(payer.tls && { caFile: payer.tls.caFile }, now), now, askingMs);
  const authentication = payer.authentication ?? { kind: 'backend-services' };
  const backend = authentication.kind === 'backend-services' ? createBackendServices({ authentication, clientId, scope, keys, transport, now, timeoutMs: askingMs }) : undefined;
  const breaker = circuitBreaker(handleType(Unavailable), { halfOpenAfter: quirks.breakerRestMs, breaker: new ConsecutiveBreaker(quirks.breakerFailures) });
  const limited = wrap(breaker, bulkhead(quirks.concurrency, WAITING));

  const authorization = async (fhirBase: string): Promise<Readonly<Record<string, string>>> => {
    if (backend) return { authorization: `Bearer ${await backend.token(fhirBase)}` };
    return authentication.kind === 'header' ? { [authentication.name.toLowerCase()]: authentication.value } : {};
  };
  const endpoint = (use: EndpointUse): Promise<EndpointChoice> => discovery.choose(discovers ? payer : { ...payer, discoveryBase: undefined }, use);

  const callOnce = async (method: string, path: string, body: string | undefined): Promise<HttpAnswer> => {
    const { fhirBase } = await endpoint(path.includes('$submit-attachment') ? 'attachments' : 'submission');
    const ours = await authorization(fhirBase);
    const answer = await transport.send(`${withoutSlashes(fhirBase)}/${path}`, { method, headers: { accept: FHIR_JSON, ...(body === undefined ? {} : { 'content-type': FHIR_JSON }), ...ours }, body, timeoutMs });
    if (answer.status === 401 && ours['authorization']) backend?.discard(ours['authorization'].slice('Bearer '.length));
    if (!isAnswer(answer.status, quirks.successStatuses)) throw new Unavailable(`HTTP ${answer.status}`, `HTTP ${answer.status}`);
    return answer;
  };
  return {
    endpoint,
    authorization,
    isLeftAlone: () => breaker.state === CircuitState.Open,
    async call(method, path, body) {
      const size = body === undefined ? 0 : Buffer.byteLength(body);
      if (size > quirks.maximumBytes) return { status: 413, contentType: FHIR_JSON, body: tooLarge(size, quirks.maximumBytes) };
      try {
        return await limited.execute(async () => {
          const first = await callOnce(method, path, body);
          return first.status === 401 && backend ? callOnce(method, path, body) : first;
        });
      } catch (error) {
        if (error instanceof BrokenCircuitError) throw new Unavailable('left alone for a moment after repeated failures', 'left-alone', { cause: error });
        if (error instanceof BulkheadRejectedError) throw new Unavailable('too many requests wait for this payer', 'too-many', { cause: error });
        throw error;
      }
    },
  };
}

/** 204, as of a deletion, carries no resource and is an answer all the same. */
function isAnswer(status: number, successStatuses: readonly number[]): boolean {
  return successStatuses.includes(status) || status === 204 || (status >= 400 && status < 500 && !TEMPORARY_4XX.has(status));
}

/** Our own words, in the shape of the payer's 413, which it stands for. */
function tooLarge(size: number, most: number): string {
  return JSON.stringify({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'too-long', diagnostics: `The request has ${size} bytes; this payer takes ${most}. It was not sent. Send fewer documents, or ask the payer for another way.` }] });
}
