import { createHash } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import { z } from 'zod';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { KeyRing } from '#store/signing-keys.ts';
import { discover } from './discovery.ts';
import type { EhrRegistration } from './ehr-registration.ts';
import { scopesToAsk } from './scopes.ts';
import { newSecret } from './seal.ts';

/** Our side of SMART sign-in at any EHR. */
export interface SmartClientIdentity {
  readonly baseUrl: string;
  /** For private_key_jwt; SMART wants a client to be able to do both. */
  readonly keys: Pick<KeyRing, 'current'>;
  readonly now: () => number;
}

/** A client of ours at one EHR: the panel's, or the worklist's. */
export type EhrClientRegistration = Pick<EhrRegistration, 'fhirBase' | 'clientId' | 'clientAuthentication' | 'clientSecret' | 'signingAlgorithm'>;

/** What must outlive the time between the two halves of the sign-in; kept sealed. */
export const pendingAuthorization = z.object({ redirectUri: z.string(), codeVerifier: z.string(), nonce: z.string(), scope: z.string(), browser: z.string() });
export type PendingAuthorization = z.infer<typeof pendingAuthorization>;

export interface AuthorizationRequest {
  readonly client: EhrClientRegistration;
  /** SMART v2, as registered. */
  readonly scope: string;
  readonly redirectUri: string;
  /** Of an EHR launch; `iss` as the EHR wrote it there. */
  readonly launch?: { readonly id: string; readonly iss: string };
  /** Asks for the patient (standalone launch). */
  readonly standalone?: boolean;
  /** Ask who it is, even when the EHR still knows (OpenID Connect Core §3.1.2.1, prompt=login). */
  readonly askAgain?: boolean;
}

/** SMART App Launch 2.2.0 §2.1.5, authorization request, always with PKCE. */
export async function startAuthorization(request: AuthorizationRequest): Promise<{ readonly state: string; readonly url: string; readonly pending: Omit<PendingAuthorization, 'browser'> }> {
  const { authorizationEndpoint, capabilities } = await discover(request.client.fhirBase);
  const [state, codeVerifier, nonce] = [newSecret(), newSecret(), newSecret()];
  const scope = scopesToAsk(request.scope, { capabilities, standalone: request.standalone === true });
  const url = new URL(authorizationEndpoint);
  const parameters = {
    response_type: 'code',
    client_id: request.client.clientId,
    redirect_uri: request.redirectUri,
    scope,
    state,
    nonce,
    aud: request.launch?.iss ?? request.client.fhirBase,
    code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...(request.launch === undefined ? {} : { launch: request.launch.id }),
    ...(request.askAgain === true ? { prompt: 'login' } : {}),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return { state, url: url.href, pending: { redirectUri: request.redirectUri, codeVerifier, nonce, scope } };
}

/** Exchanges the code. Gives the token answer as sent. Throws LAUNCH_REFUSED, EHR_UNAVAILABLE. */
export function finishAuthorization(identity: SmartClientIdentity, client: EhrClientRegistration, code: string, pending: PendingAuthorization): Promise<unknown> {
  return askForTokens(identity, client, { grant_type: 'authorization_code', code, redirect_uri: pending.redirectUri, code_verifier: pending.codeVerifier });
}

/** RFC 6749 §6. Throws LAUNCH_REFUSED, EHR_UNAVAILABLE. */
export function refreshTokens(identity: SmartClientIdentity, client: EhrClientRegistration, refreshToken: string): Promise<unknown> {
  return askForTokens(identity, client, { grant_type: 'refresh_token', refresh_token: refreshToken });
}

async function askForTokens(identity: SmartClientIdentity, client: EhrClientRegistration, grant: Readonly<Record<string, string>>): Promise<unknown> {
  const { tokenEndpoint } = await discover(client.fhirBase);
  const { headers, fields } = await authenticate(identity, client, tokenEndpoint);
  try {
    const answer = await fetch(tokenEndpoint, { method: 'POST', body: new URLSearchParams({ ...grant, ...fields }), headers: { accept: 'application/json', ...headers }, redirect: 'error', signal: AbortSignal.timeout(10_000) });
    if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) {
      await answer.body?.cancel();
      throw new PriorAuthError('LAUNCH_REFUSED', `The EHR refused the sign-in (${answer.status}).`, { nextStep: 'Open it again from the EHR; a sign-in can be used once and only for a short time.' });
    }
    if (!answer.ok) throw new Error(`token endpoint answered ${answer.status}`);
    return await answer.json();
  } catch (cause) {
    if (cause instanceof PriorAuthError) throw cause;
    throw new PriorAuthError('EHR_UNAVAILABLE', 'The EHR’s sign-in did not answer.', { retryable: true, cause, nextStep: 'Try again in a minute.' });
  }
}

/** SMART App Launch 2.2.0 §2.1.7: public clients name themselves, the others prove it. */
async function authenticate(identity: SmartClientIdentity, client: EhrClientRegistration, tokenEndpoint: string): Promise<{ readonly headers: Readonly<Record<string, string>>; readonly fields: Readonly<Record<string, string>> }> {
  const { clientId, clientSecret = '' } = client;
  switch (client.clientAuthentication ?? 'private_key_jwt') {
    case 'none':
      return { headers: {}, fields: { client_id: clientId } };
    case 'client_secret_post':
      return { headers: {}, fields: { client_id: clientId, client_secret: clientSecret } };
    case 'client_secret_basic':
      return { headers: { authorization: `Basic ${Buffer.from(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`).toString('base64')}` }, fields: {} };
    case 'private_key_jwt':
      return { headers: {}, fields: { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: await assertion(identity, client, tokenEndpoint) } };
  }
}

/** RFC 6749 §2.3.1: both halves are form-encoded before they are joined. */
function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

async function assertion(identity: SmartClientIdentity, client: EhrClientRegistration, tokenEndpoint: string): Promise<string> {
  const { alg, privateJwk } = identity.keys.current(client.signingAlgorithm ?? 'ES384');
  const nowSeconds = Math.floor(identity.now() / 1000);
  return new SignJWT({ jti: newSecret() })
    .setProtectedHeader({ alg, kid: privateJwk.kid ?? '', typ: 'JWT', jku: `${identity.baseUrl}/.well-known/jwks.json` })
    .setIssuer(client.clientId)
    .setSubject(client.clientId)
    .setAudience(tokenEndpoint)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + 120)
    .sign(await importJWK(privateJwk, alg));
}
