import { randomUUID } from 'node:crypto';
import { BrokenCircuitError, circuitBreaker, ConsecutiveBreaker, handleType } from 'cockatiel';
import { importJWK, SignJWT } from 'jose';
import { z } from 'zod';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import type { SigningKey } from '#store/signing-keys.ts';

/** What came of one request. Only `answered` carries the payer's own words. */
export type PayerReply =
  /** 2XX and 4XX except those below. */
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  /** Nobody knows whether the payer has it: no connection, no answer in time, 5XX, 408, 425, 429, a redirect, no token. The same bytes may be sent again. */
  | { readonly kind: 'unavailable'; readonly error: string };

export interface PayerClient {
  /** POSTs FHIR JSON to `path` under the payer's FHIR base. A 401 is tried once more with a fresh token. */
  post(payer: Payer, path: string, body: string): Promise<PayerReply>;
  /** As `post`, by another method. */
  request(payer: Payer, method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: string): Promise<PayerReply>;
}

export interface PayerClientOptions {
  readonly clientId: string;
  readonly scope: string;
  readonly keys: SigningKey;
  readonly now: () => number;
  /** Default 30,000: PAS aims at 15 s, and giving up early costs a repetition. */
  readonly timeoutMs?: number;
  /** How long a payer that failed five times in a row is left alone. Default 5,000. */
  readonly breakerMs?: number;
}

const CONFIGURATION_LIFE_MS = 3_600_000;
const TOKEN_MARGIN_MS = 30_000;
const TEMPORARY_4XX = new Set([408, 425, 429]);

const smartConfiguration = z.object({ token_endpoint: z.url() });
const tokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.number().positive().optional() });

class Unavailable extends Error {}

/** SMART Backend Services: the configuration, the token and the breaker are the payer's; a configured payer is the only host ever called. */
export function createPayerClient({ clientId, scope, keys, now, timeoutMs = 30_000, breakerMs = 5_000 }: PayerClientOptions): PayerClient {
  const privateKey = importJWK(keys.privateJwk, keys.alg);
  const configurations = new Map<string, { readonly tokenEndpoint: string; readonly until: number }>();
  const tokens = new Map<string, { readonly token: string; readonly until: number }>();
  const breakers = new Map<string, ReturnType<typeof newBreaker>>();
  const newBreaker = () => circuitBreaker(handleType(Unavailable), { halfOpenAfter: breakerMs, breaker: new ConsecutiveBreaker(5) });

  const send = async (url: string, init: RequestInit): Promise<{ readonly status: number; readonly body: string }> => {
    try {
      const response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
      const body = await response.text();
      if (response.status >= 500 || (response.status >= 300 && response.status < 400) || TEMPORARY_4XX.has(response.status)) throw new Unavailable(`HTTP ${response.status}`);
      return { status: response.status, body };
    } catch (error) {
      if (error instanceof Unavailable) throw error;
      throw new Unavailable(error instanceof Error && error.name === 'TimeoutError' ? `no answer within ${timeoutMs} ms` : 'no connection, or it was lost', { cause: error });
    }
  };

  const tokenEndpointOf = async (payer: Payer): Promise<string> => {
    const known = configurations.get(payer.id);
    if (known && known.until > now()) return known.tokenEndpoint;
    const { status, body } = await send(`${payer.fhirBase}/.well-known/smart-configuration`, { headers: { accept: 'application/json' } });
    const parsed = status === 200 ? smartConfiguration.safeParse(parseJson(body)) : undefined;
    if (!parsed?.success) throw new Unavailable(`smart-configuration cannot be read (HTTP ${status})`);
    configurations.set(payer.id, { tokenEndpoint: parsed.data.token_endpoint, until: now() + CONFIGURATION_LIFE_MS });
    return parsed.data.token_endpoint;
  };

  /** A payer that refuses our client refuses every case alike: no case's fault, so it counts as unavailable and stands in the log. */
  const tokenFor = async (payer: Payer): Promise<string> => {
    const known = tokens.get(payer.id);
    if (known && known.until > now()) return known.token;
    const tokenEndpoint = await tokenEndpointOf(payer);
    const issuedAt = Math.floor(now() / 1000);
    const assertion = await new SignJWT({})
      .setProtectedHeader({ alg: keys.alg, kid: keys.privateJwk.kid ?? '', typ: 'JWT' })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(tokenEndpoint)
      .setJti(randomUUID())
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + 240)
      .sign(await privateKey);
    const { status, body } = await send(tokenEndpoint, {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        scope,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      }).toString(),
    });
    const parsed = status === 200 ? tokenAnswer.safeParse(parseJson(body)) : undefined;
    if (!parsed?.success) {
      configurations.delete(payer.id);
      throw new Unavailable(`token refused (HTTP ${status})`);
    }
    tokens.set(payer.id, { token: parsed.data.access_token, until: now() + (parsed.data.expires_in ?? 60) * 1000 - TOKEN_MARGIN_MS });
    return parsed.data.access_token;
  };

  const sendWithToken = async (payer: Payer, method: string, path: string, body: string | undefined) =>
    send(`${payer.fhirBase}/${path}`, {
      method,
      headers: { accept: 'application/fhir+json', authorization: `Bearer ${await tokenFor(payer)}`, ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }) },
      ...(body === undefined ? {} : { body }),
    });

  const client: PayerClient = {
    post: (payer, path, body) => client.request(payer, 'POST', path, body),
    async request(payer, method, path, body) {
      const breaker = breakers.get(payer.id) ?? newBreaker();
      breakers.set(payer.id, breaker);
      try {
        const { status, body: answer } = await breaker.execute(async () => {
          const first = await sendWithToken(payer, method, path, body);
          if (first.status !== 401) return first;
          tokens.delete(payer.id);
          return sendWithToken(payer, method, path, body);
        });
        return { kind: 'answered', status, body: answer };
      } catch (error) {
        if (error instanceof Unavailable) return { kind: 'unavailable', error: error.message };
        if (error instanceof BrokenCircuitError) return { kind: 'unavailable', error: 'left alone for a moment after repeated failures' };
        throw error;
      }
    },
  };
  return client;
}

/** Undefined for text that is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
