import { createLocalJWKSet, createRemoteJWKSet, decodeJwt, decodeProtectedHeader, errors, type JSONWebKeySet, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose';
import type { SeenTokens } from './seen-tokens.ts';

/** A CDS client that may call. Its keys are at `jku`, or given out of band as `jwks`. */
export interface TrustedCdsClient {
  readonly iss: string;
  readonly jku?: string;
  readonly jwks?: JSONWebKeySet;
  /** FHIR base URLs from which data may be fetched for this client. Nothing else is ever fetched. */
  readonly fhirServers: readonly string[];
}

export type TokenVerdict =
  | { readonly kind: 'trusted'; readonly client: TrustedCdsClient }
  | { readonly kind: 'missing' }
  /** `why` is for our own log: the caller is not told. */
  | { readonly kind: 'refused'; readonly why: string };

/** CDS Hooks 2.0 §2.6 asks for one of these; symmetric algorithms and `none` are never taken. */
const ALGORITHMS = ['ES384', 'RS384'];
/** A token is for one call: an expiry further ahead is refused. */
const MAX_AHEAD_SECONDS = 360;
const CLOCK_SKEW_SECONDS = 30;

export interface ClientTokenCheck {
  /** `audience` is the exact public URL of the endpoint that was called. */
  (authorization: string | undefined, audience: string): Promise<TokenVerdict>;
}

export function createClientTokenCheck(clients: readonly TrustedCdsClient[], seen: SeenTokens, now: () => number): ClientTokenCheck {
  const keysOf = new Map(clients.map((client) => [client.iss, { client, keys: keySource(client) }]));
  return async (authorization, audience) => {
    if (authorization === undefined) return { kind: 'missing' };
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization)?.[1];
    if (!token) return refused('not a bearer JWT');
    try {
      // Read before it is believed: only to choose the registered client. Everything is verified below.
      const { jku } = decodeProtectedHeader(token);
      const known = keysOf.get(decodeJwt(token).iss ?? '');
      if (!known) return refused('issuer not registered');
      if (jku !== undefined && jku !== known.client.jku) return refused('jku not registered for the issuer');
      const { payload } = await jwtVerify(token, known.keys, {
        algorithms: ALGORITHMS,
        issuer: known.client.iss,
        audience,
        typ: 'JWT',
        requiredClaims: ['exp', 'iat', 'jti'],
        clockTolerance: CLOCK_SKEW_SECONDS,
        currentDate: new Date(now()),
      });
      return timesFault(payload, now() / 1000) ?? (seen.firstTime(known.client.iss, payload.jti ?? '', (payload.exp ?? 0) + CLOCK_SKEW_SECONDS) ? { kind: 'trusted', client: known.client } : refused('jti seen before'));
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError) return refused(error instanceof errors.JOSEError ? error.code : 'keys could not be fetched');
      throw error;
    }
  };
}

function timesFault({ exp = 0, iat = 0 }: JWTPayload, nowSeconds: number): TokenVerdict | undefined {
  if (exp > nowSeconds + MAX_AHEAD_SECONDS) return refused('expires too far ahead');
  if (iat > nowSeconds + CLOCK_SKEW_SECONDS) return refused('issued in the future');
  return undefined;
}

function keySource({ jku, jwks }: TrustedCdsClient): JWTVerifyGetKey {
  if (jwks) return createLocalJWKSet(jwks);
  if (!jku) throw new Error('A trusted CDS client needs jku or jwks.');
  return createRemoteJWKSet(new URL(jku), { timeoutDuration: 3_000, cooldownDuration: 30_000, cacheMaxAge: 600_000 });
}

const refused = (why: string): TokenVerdict => ({ kind: 'refused', why });
