import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { isStorable } from '#store/storable-text.ts';
import { KeysUnavailable } from './key-source.ts';
import type { SeenTokens } from './seen-tokens.ts';
import type { TrustedCdsClient } from './trusted-client.ts';
import type { TrustedClients } from './trusted-clients.ts';

export type TokenVerdict =
  /** `replay` unchecked: this process has not seen the token, and the store that the processes share did not answer. */
  | { readonly kind: 'trusted'; readonly client: TrustedCdsClient; readonly replay: 'checked' | 'unchecked' }
  | { readonly kind: 'missing' }
  /** `why` is for our own log: the caller is not told. */
  | { readonly kind: 'refused'; readonly why: string };

/** CDS Hooks 2.0 asks for one of these; symmetric algorithms and `none` are never taken. */
const ALGORITHMS = ['ES384', 'RS384'];
/** A token is for one call: an expiry further ahead is refused. */
const MAX_AHEAD_SECONDS = 360;
const CLOCK_SKEW_SECONDS = 30;
const MAX_JTI_LENGTH = 256;

export interface ClientTokenCheck {
  /** `audience` is the public URL of the endpoint that was called; with a slash at its end it is the same endpoint. */
  (authorization: string | undefined, audience: string): Promise<TokenVerdict>;
}

export function createClientTokenCheck(clients: Pick<TrustedClients, 'find'>, seen: Pick<SeenTokens, 'use'>, now: () => number): ClientTokenCheck {
  return async (authorization, audience) => {
    if (authorization === undefined) return { kind: 'missing' };
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization)?.[1];
    if (!token) return refused('not a bearer JWT');
    try {
      // Read before it is believed: only to choose the registered client. Everything is verified below.
      const { jku, kid } = decodeProtectedHeader(token);
      const claimed = decodeJwt(token);
      const known = clients.find(claimed.iss ?? '', typeof claimed['tenant'] === 'string' ? claimed['tenant'] : undefined);
      if (!known) return refused('issuer or tenant not registered');
      if (known.client.disabled) return refused('client disabled');
      if (!kid) return refused('no kid');
      if (jku !== undefined && jku !== known.client.jku) return refused('jku not registered for the issuer');
      const { payload } = await jwtVerify(token, known.keys, {
        algorithms: ALGORITHMS,
        issuer: known.client.iss,
        audience: [audience, `${audience}/`],
        typ: 'JWT',
        requiredClaims: ['exp', 'iat', 'jti'],
        clockTolerance: CLOCK_SKEW_SECONDS,
        currentDate: new Date(now()),
      });
      const { jti } = payload;
      if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_LENGTH || !isStorable(jti)) return refused('jti empty, too long or not to be stored');
      const fault = timesFault(payload, now() / 1000);
      if (fault) return fault;
      const use = await seen.use(known.client.iss, jti, (payload.exp ?? 0) + CLOCK_SKEW_SECONDS);
      return use === 'seen' ? refused('jti seen before') : { kind: 'trusted', client: known.client, replay: use === 'first' ? 'checked' : 'unchecked' };
    } catch (error) {
      if (error instanceof errors.JOSEError) return refused(error.code);
      if (error instanceof KeysUnavailable) return refused(`keys: ${error.message}`);
      // A header or payload that is no JSON.
      if (error instanceof TypeError) return refused('not a JWT');
      throw error;
    }
  };
}

function timesFault({ exp = 0, iat = 0 }: JWTPayload, nowSeconds: number): TokenVerdict | undefined {
  if (exp > nowSeconds + MAX_AHEAD_SECONDS) return refused('expires too far ahead');
  if (iat > nowSeconds + CLOCK_SKEW_SECONDS) return refused('issued in the future');
  return undefined;
}

const refused = (why: string): TokenVerdict => ({ kind: 'refused', why });
