import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';

export interface RegisteredClient {
  readonly clientId: string;
  /** Where the client publishes its public keys; its origin is also the only one it may be notified at. */
  readonly jwksUrl: string;
}

export type AssertionFinding =
  | { readonly kind: 'believed'; readonly clientId: string; readonly jti: string; readonly expiresAtSeconds: number }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'keys-unreachable' };

/** SMART App Launch 2.2, client-confidential-asymmetric: both must be supported by clients. */
const ALGORITHMS = ['ES384', 'RS384'];
const LONGEST_LIFE_SECONDS = 300;
const CLOCK_SKEW_SECONDS = 5;

/** Checks client assertions against the registered clients' published keys. Keys are cached; an unknown kid fetches them again, at most once a second. */
export function assertionReader(clients: readonly RegisteredClient[], tokenUrl: string, now: () => number): (assertion: string) => Promise<AssertionFinding> {
  const registered = new Map(
    clients.map((client): [string, RegisteredClient & { readonly keys: JWTVerifyGetKey }] => [
      client.clientId,
      { ...client, keys: createRemoteJWKSet(new URL(client.jwksUrl), { cooldownDuration: 1_000, cacheMaxAge: 300_000, timeoutDuration: 5_000 }) },
    ]),
  );
  return async (assertion) => {
    const named = readUnverified(assertion);
    if (!named) return refused('The client assertion is not a JWT.');
    const client = registered.get(named.issuer);
    if (!client) return refused('The client is not registered here.');
    if (named.kid === undefined) return refused('The client assertion names no key (kid).');
    if (named.jku !== undefined && named.jku !== client.jwksUrl) return refused('The client assertion points to another key set than the registered one.');
    try {
      const { payload } = await jwtVerify(assertion, client.keys, {
        algorithms: ALGORITHMS,
        issuer: client.clientId,
        subject: client.clientId,
        audience: tokenUrl,
        requiredClaims: ['exp', 'jti'],
        clockTolerance: CLOCK_SKEW_SECONDS,
        currentDate: new Date(now()),
      });
      const expiresAtSeconds = payload.exp ?? 0;
      if (typeof payload.jti !== 'string' || payload.jti === '' || payload.jti.length > 512) return refused('The client assertion has no usable jti.');
      if (expiresAtSeconds > now() / 1000 + LONGEST_LIFE_SECONDS + CLOCK_SKEW_SECONDS) return refused('The client assertion may live five minutes at most.');
      return { kind: 'believed', clientId: client.clientId, jti: payload.jti, expiresAtSeconds };
    } catch (error) {
      if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError) || error.code === 'ERR_JOSE_GENERIC') return { kind: 'keys-unreachable' };
      return refused(REFUSALS[error.code] ?? 'The client assertion could not be verified.');
    }
  };
}

const REFUSALS: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'The client assertion has expired.',
  ERR_JWT_CLAIM_VALIDATION_FAILED: 'The iss, sub, aud, exp and jti of the client assertion must be those that this server asks for.',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'The signature of the client assertion is not the registered client\'s.',
  ERR_JWKS_NO_MATCHING_KEY: 'No published key of the client has this kid.',
  ERR_JOSE_ALG_NOT_ALLOWED: 'The client assertion must be signed with ES384 or RS384.',
};

function refused(reason: string): AssertionFinding {
  return { kind: 'refused', reason };
}

function readUnverified(assertion: string): { issuer: string; kid: string | undefined; jku: string | undefined } | undefined {
  try {
    const { iss } = decodeJwt(assertion);
    const { kid, jku } = decodeProtectedHeader(assertion);
    return typeof iss === 'string' ? { issuer: iss, kid, jku } : undefined;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
    throw error;
  }
}
