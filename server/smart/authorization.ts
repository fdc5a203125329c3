import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import smart from 'fhirclient';
import { importJWK, SignJWT } from 'jose';
import { z } from 'zod';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { SigningKey } from '#store/signing-keys.ts';
import { discover } from './discovery.ts';
import { newSecret } from './seal.ts';

/** Our side of SMART sign-in at one EHR. docs/decisions/backend-for-frontend.md says what of it fhirclient does and what it cannot. */
export interface SmartClientIdentity {
  readonly baseUrl: string;
  readonly key: SigningKey;
  readonly now: () => number;
}

/** fhirclient's own state between the two halves of the sign-in; kept sealed, opaque to us. */
export const pendingAuthorization = z.record(z.string(), z.unknown());
export type PendingAuthorization = z.infer<typeof pendingAuthorization>;

export async function startAuthorization(
  identity: SmartClientIdentity,
  request: { fhirBase: string; clientId: string; scope: string; redirectUri: string; launch?: string },
): Promise<{ state: string; url: string; pending: PendingAuthorization }> {
  // fhirclient keeps a failed discovery for the life of the process; asking first keeps an EHR's bad minute from lasting.
  const { code_challenge_methods_supported: methods } = await discover(request.fhirBase);
  if (methods && !methods.includes('S256')) throw new PriorAuthError('EHR_REFUSED', 'The EHR does not offer PKCE with S256.', { nextStep: 'Tell whoever looks after the EHR.' });
  const state = newSecret();
  const storage = new RequestStorage();
  const url = await adapter(identity, storage, request.launch === undefined ? {} : { iss: request.fhirBase, launch: request.launch }).authorize({
    iss: request.fhirBase,
    clientId: request.clientId,
    scope: request.scope,
    redirectUri: request.redirectUri,
    stateKey: state,
    pkceMode: methods ? 'required' : 'unsafeV1',
    noRedirect: true,
  });
  return { state, url: String(url), pending: pendingAuthorization.parse(await storage.get(state)) };
}

/** Exchanges the code, authenticated by private_key_jwt. Gives the token answer as sent. Throws LAUNCH_REFUSED, EHR_UNAVAILABLE. */
export async function finishAuthorization(identity: SmartClientIdentity, callback: { state: string; code: string; pending: PendingAuthorization }): Promise<unknown> {
  const storage = new RequestStorage();
  await storage.set(callback.state, callback.pending);
  const { privateJwk, alg } = identity.key;
  // fhirclient hands the key to a jose that warns of one it cannot export.
  const key = await importJWK(privateJwk, alg, { extractable: true });
  if (key instanceof Uint8Array || alg !== 'ES384' || !privateJwk.kid) throw new Error('the signing key must be an ES384 key with a kid');
  try {
    const client = await adapter(identity, storage, {}).ready({
      privateKey: { key, alg, kid: privateJwk.kid },
      clientPublicKeySetUrl: `${identity.baseUrl}/.well-known/jwks.json`,
      // fhirclient puts the code into the form body as it is.
      code: encodeURIComponent(callback.code),
      stateKey: callback.state,
    });
    return client.state.tokenResponse;
  } catch (cause) {
    throw tokenFailure(cause);
  }
}

/** RFC 6749 §6 with client authentication by private_key_jwt, which fhirclient's own refresh cannot do. */
export async function refreshTokens(identity: SmartClientIdentity, request: { fhirBase: string; clientId: string; refreshToken: string }): Promise<unknown> {
  const { token_endpoint: tokenEndpoint } = await discover(request.fhirBase);
  const nowSeconds = Math.floor(identity.now() / 1000);
  const assertion = await new SignJWT({ jti: newSecret() })
    .setProtectedHeader({ alg: identity.key.alg, kid: identity.key.privateJwk.kid ?? '', typ: 'JWT' })
    .setIssuer(request.clientId)
    .setSubject(request.clientId)
    .setAudience(tokenEndpoint)
    .setExpirationTime(nowSeconds + 120)
    .sign(await importJWK(identity.key.privateJwk, identity.key.alg));
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: request.refreshToken,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  });
  try {
    const answer = await fetch(tokenEndpoint, { method: 'POST', body, headers: { accept: 'application/json' }, redirect: 'error', signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) throw Object.assign(new Error(`token endpoint answered ${answer.status}`), { status: answer.status });
    return await answer.json();
  } catch (cause) {
    throw tokenFailure(cause);
  }
}

function tokenFailure(cause: unknown): PriorAuthError {
  const status = cause instanceof Error && 'status' in cause ? Number(cause.status) : 0;
  if (status >= 400 && status < 500) {
    return new PriorAuthError('LAUNCH_REFUSED', `The EHR refused the sign-in (${status}).`, { cause, nextStep: 'Open it again from the EHR; a sign-in can be used once and only for a short time.' });
  }
  return new PriorAuthError('EHR_UNAVAILABLE', 'The EHR’s sign-in did not answer.', { retryable: true, cause, nextStep: 'Try again in a minute.' });
}

/**
 * fhirclient reads its parameters from the request's address, where `clientId`, `patientId` and others would override ours.
 * It therefore gets a request of our making that carries only what was checked.
 */
function adapter(identity: SmartClientIdentity, storage: RequestStorage, query: Readonly<Record<string, string>>): ReturnType<typeof smart> {
  const request = new IncomingMessage(new Socket());
  request.url = `/?${new URLSearchParams(query)}`;
  request.headers.host = new URL(identity.baseUrl).host;
  return smart(request, new ServerResponse(request), storage);
}

/** fhirclient's storage for one request; what must outlive the request is sealed and stored by the caller. */
class RequestStorage {
  readonly #values = new Map<string, unknown>();

  async get(key: string): Promise<unknown> {
    return this.#values.get(key);
  }

  async set(key: string, value: unknown): Promise<unknown> {
    this.#values.set(key, value);
    return value;
  }

  async unset(key: string): Promise<boolean> {
    return this.#values.delete(key);
  }
}
