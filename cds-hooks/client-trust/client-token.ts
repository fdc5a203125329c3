import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify, type ProtectedHeaderParameters } from 'jose';
import { isStorable } from '#store/storable-text.ts';
import { algorithmsOf } from './client-keys.ts';
import { KeysUnavailable } from './key-source.ts';
import { refusedWords } from './refused-words.ts';
import type { SeenTokens } from './seen-tokens.ts';
import type { TrustedCdsClient } from './trusted-client.ts';
import type { KnownClient, TrustedClients } from './trusted-clients.ts';

export type TokenVerdict =
  /** `replay` unchecked: this process has not seen the token, and the store that the processes share did not answer. */
  | { readonly kind: 'trusted'; readonly client: TrustedCdsClient; readonly replay: 'checked' | 'unchecked' }
  | { readonly kind: 'missing' }
  | RefusedToken;

/** For our own log: the caller is not told. */
export interface RefusedToken {
  readonly kind: 'refused';
  readonly why: string;
  /** The issuer that the token names, where it is a registered one. It need not have sent the token. */
  readonly iss?: string;
}

/** A token is for one call: an expiry further ahead is refused. */
const MAX_AHEAD_SECONDS = 360;
const MAX_AGE_SECONDS = 3_600;
const CLOCK_SKEW_SECONDS = 30;
const MAX_JTI_LENGTH = 256;

export interface ClientTokenCheck {
  /** `audience` is the public URL of the endpoint that was called; with a slash at its end it is the same endpoint. */
  (authorization: string | undefined, audience: string): Promise<TokenVerdict>;
}

export function createClientTokenCheck(clients: Pick<TrustedClients, 'find' | 'list'>, seen: Pick<SeenTokens, 'use'>, now: () => number): ClientTokenCheck {
  const verify = async (token: string, { header: { jku, kid }, claimed }: ReadToken, audience: string): Promise<TokenVerdict> => {
    const { iss, tenant } = claimed;
    // The registration of all tenants is for tokens without one: it must not be met by a tenant that cannot be read.
    if (tenant !== undefined && typeof tenant !== 'string') return refused('tenant is no text');
    const known = typeof iss === 'string' ? clients.find(iss, tenant) : undefined;
    if (!known) return refused('issuer or tenant not registered');
    if (known.client.disabled) return refused('client disabled');
    if (!kid) return refused('no kid');
    if (jku !== undefined && jku !== known.client.jku) return refused('jku not registered for the issuer');
    const { payload } = await verified(token, known, audience);
    const { jti } = payload;
    if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_LENGTH || !isStorable(jti)) return refused('jti empty, too long or not to be stored');
    const fault = timesFault(payload, now() / 1000);
    if (fault) return refused(fault);
    const use = await seen.use(known.client.iss, jti, (payload.exp ?? 0) + CLOCK_SKEW_SECONDS);
    return use === 'seen' ? refused('jti seen before') : { kind: 'trusted', client: known.client, replay: use === 'first' ? 'checked' : 'unchecked' };
  };
  const verified = (token: string, { client, keys }: KnownClient, audience: string) =>
    jwtVerify(token, keys, {
      algorithms: [...algorithmsOf(client)],
      issuer: client.iss,
      audience: [audience, `${audience}/`],
      typ: 'JWT',
      requiredClaims: ['exp', 'iat', 'jti'],
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate: new Date(now()),
    });

  return async (authorization, audience) => {
    if (authorization === undefined) return { kind: 'missing' };
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization)?.[1];
    if (!token) return refused('not a bearer JWT');
    const read = readToken(token);
    if (!read) return refused('not a JWT');
    const verdict = await verify(token, read, audience).catch(refusedBy);
    const issuer = verdict.kind === 'refused' ? clients.list().find(({ client }) => client.iss === read.claimed.iss) : undefined;
    return issuer ? { ...verdict, iss: issuer.client.iss } : verdict;
  };
}

interface ReadToken {
  readonly header: ProtectedHeaderParameters;
  readonly claimed: JWTPayload;
}

/** Read before it is believed: only to choose the registered client. */
function readToken(token: string): ReadToken | undefined {
  try {
    return { header: decodeProtectedHeader(token), claimed: decodeJwt(token) };
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
    throw error;
  }
}

function refusedBy(error: unknown): RefusedToken {
  if (error instanceof errors.JOSEError) return refused(refusedWords(error));
  if (error instanceof KeysUnavailable) return refused(`the keys of the client cannot be had: ${error.message}`);
  // What the platform throws at a key that it cannot read, or that is too short.
  if (error instanceof DOMException || error instanceof TypeError) return refused('the key with this kid cannot be used');
  throw error;
}

function timesFault({ exp = 0, iat = 0 }: JWTPayload, nowSeconds: number): string | undefined {
  if (exp > nowSeconds + MAX_AHEAD_SECONDS) return 'expires too far ahead';
  if (iat > nowSeconds + CLOCK_SKEW_SECONDS) return 'issued in the future';
  if (iat < nowSeconds - MAX_AGE_SECONDS - CLOCK_SKEW_SECONDS) return 'issued more than an hour ago';
  // Both are by the client's own clock.
  if (exp < iat) return 'expires before it was issued';
  return undefined;
}

const refused = (why: string): RefusedToken => ({ kind: 'refused', why });
