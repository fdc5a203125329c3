import { withoutSlashes } from '#fhir/base/reference.ts';
import { randomUUID } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import { z } from 'zod';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import { isSecureAddress } from '#policies/payer-schema.ts';
import type { KeyRing } from '#store/signing-keys.ts';
import { type HttpAnswer, type Transport, Unavailable } from './transport.ts';

/** SMART Backend Services at one payer (SMART App Launch 2.2): discovery, the token, and that there is only one of it. */
export interface BackendServices {
  /** Requests that come while a token is being fetched wait for the same one. @throws Unavailable */
  token(fhirBase: string): Promise<string>;
  /** The payer does not take this token any more. One that replaced it meanwhile stays. */
  discard(token: string): void;
}

export interface BackendServicesOptions {
  readonly authentication: Extract<NonNullable<Payer['authentication']>, { kind: 'backend-services' }>;
  /** Where the payer's registration names none. */
  readonly clientId: string;
  readonly scope: string;
  readonly keys: Pick<KeyRing, 'current'>;
  readonly transport: Transport;
  readonly now: () => number;
  readonly timeoutMs: number;
}

const CONFIGURATION_LIFE_MS = 3_600_000;
const TOKEN_MARGIN_MS = 30_000;

export const smartConfiguration = z.object({
  token_endpoint: z.string().min(1),
  grant_types_supported: z.array(z.string()).optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
  token_endpoint_auth_signing_alg_values_supported: z.array(z.string()).optional(),
  scopes_supported: z.array(z.string()).optional(),
});
const tokenAnswer = z.object({ access_token: z.string().min(1).regex(/^[\x21-\x7e]+$/), expires_in: z.coerce.number().positive().optional().catch(undefined) });
const tokenFault = z.object({ error: z.string().regex(/^[a-z_]{1,60}$/) });

export function createBackendServices({ authentication, clientId: defaultClientId, scope, keys, transport, now, timeoutMs }: BackendServicesOptions): BackendServices {
  const clientId = authentication.clientId ?? defaultClientId;
  let configuration: { readonly fhirBase: string; readonly tokenEndpoint: string; readonly until: number } | undefined;
  let held: { readonly fhirBase: string; readonly token: string; readonly until: number } | undefined;
  let fetching: { readonly fhirBase: string; readonly token: Promise<string> } | undefined;

  const tokenEndpointOf = async (fhirBase: string): Promise<string> => {
    if (authentication.tokenEndpoint !== undefined) return authentication.tokenEndpoint;
    if (configuration?.fhirBase === fhirBase && configuration.until > now()) return configuration.tokenEndpoint;
    const tokenEndpoint = readTokenEndpoint(await transport.send(smartConfigurationUrl(fhirBase), { method: 'GET', headers: { accept: 'application/json' }, timeoutMs }), fhirBase);
    configuration = { fhirBase, tokenEndpoint, until: now() + CONFIGURATION_LIFE_MS };
    return tokenEndpoint;
  };

  /** A payer that refuses our client refuses every case alike: no case's fault, so it counts as unavailable. */
  const fetchToken = async (fhirBase: string): Promise<string> => {
    const tokenEndpoint = await tokenEndpointOf(fhirBase);
    const key = keys.current(authentication.algorithm ?? 'ES384');
    const issuedAt = Math.floor(now() / 1000);
    const assertion = await new SignJWT({})
      .setProtectedHeader({ alg: key.alg, kid: key.privateJwk.kid ?? '', typ: 'JWT' })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(tokenEndpoint)
      .setJti(randomUUID())
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + 240)
      .sign(await importJWK(key.privateJwk, key.alg));
    const { status, body } = await transport.send(tokenEndpoint, {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        scope: authentication.scope ?? scope,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      }).toString(),
      timeoutMs,
    });
    const parsed = status === 200 ? tokenAnswer.safeParse(parseJson(body)) : undefined;
    if (!parsed?.success) {
      configuration = undefined;
      const fault = tokenFault.safeParse(parseJson(body));
      throw new Unavailable(`token refused (HTTP ${status}${fault.success ? `, ${fault.data.error}` : ''})`, fault.success ? fault.data.error : `HTTP ${status}`);
    }
    const lifeMs = (parsed.data.expires_in ?? 60) * 1000;
    held = { fhirBase, token: parsed.data.access_token, until: now() + Math.max(lifeMs - TOKEN_MARGIN_MS, lifeMs / 2) };
    return parsed.data.access_token;
  };

  return {
    async token(fhirBase) {
      if (held?.fhirBase === fhirBase && held.until > now()) return held.token;
      if (fetching?.fhirBase === fhirBase) return fetching.token;
      const token = fetchToken(fhirBase).finally(() => {
        if (fetching?.token === token) fetching = undefined;
      });
      fetching = { fhirBase, token };
      return token;
    },
    discard(token) {
      if (held?.token === token) held = undefined;
    },
  };
}

export function smartConfigurationUrl(fhirBase: string): string {
  return `${withoutSlashes(fhirBase)}/.well-known/smart-configuration`;
}

/** A relative address is the payer's own. @throws Unavailable */
export function readTokenEndpoint({ status, body }: HttpAnswer, fhirBase: string): string {
  const parsed = status === 200 ? smartConfiguration.safeParse(parseJson(body)) : undefined;
  if (!parsed?.success) throw new Unavailable(`smart-configuration cannot be read (HTTP ${status})`, `HTTP ${status}`);
  const address = URL.parse(parsed.data.token_endpoint, `${withoutSlashes(fhirBase)}/`)?.href;
  if (address === undefined || !isSecureAddress(address)) throw new Unavailable('smart-configuration names a token endpoint that is not https', 'token-endpoint');
  return address;
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
