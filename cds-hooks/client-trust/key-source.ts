import { createLocalJWKSet, type CryptoKey, errors, type FlattenedJWSInput, type JSONWebKeySet, type JWSHeaderParameters } from 'jose';
import { readLimited } from '../read-limited.ts';
import type { TrustedCdsClient } from './trusted-client.ts';

export interface KeySource {
  /** @throws errors.JWKSNoMatchingKey, or KeysUnavailable when there are none to look in. */
  (header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey>;
  /** Fetches keys that are missing or old, so that no call has to wait for them. Never rejects. */
  warm(): Promise<void>;
}

/** The address gave no usable key set, and none is held from before. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

/** Keys older than this are fetched anew, while the old ones still answer. */
const FRESH_MS = 600_000;
/** Keys that could not be fetched anew answer no longer than this: a withdrawn key must stop working. */
const MAX_AGE_MS = 3_600_000;
/** Between two fetches, whoever asks: an unknown kid costs the client nothing, so it must not make us call for each. */
const COOL_DOWN_MS = 30_000;
const TIMEOUT_MS = 3_000;
/** A call waits no longer than this: keys that come later serve the next one. */
const CALL_WAITS_MS = 300;
const MAX_BYTES = 262_144;

/** The client's public keys. `now` gives epoch milliseconds. */
export function createKeySource({ jku, jwks }: Pick<TrustedCdsClient, 'jku' | 'jwks'>, now: () => number): KeySource {
  if (jwks) return Object.assign(createLocalJWKSet(jwks), { warm: () => Promise.resolve() });
  if (!jku) throw new Error('A trusted CDS client needs jku or jwks.');
  let held: { readonly keys: ReturnType<typeof createLocalJWKSet>; readonly at: number } | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;
  let fetching: Promise<void> | undefined;

  const refresh = (): Promise<void> => {
    if (fetching) return fetching;
    if (now() - triedAt < COOL_DOWN_MS) return Promise.resolve();
    triedAt = now();
    fetching = fetchKeys(jku)
      .then((set) => {
        held = { keys: createLocalJWKSet(set), at: now() };
      })
      .finally(() => {
        fetching = undefined;
      });
    return fetching;
  };
  const inTime = async (fetched: Promise<void>): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new KeysUnavailable('not fetched in time')), CALL_WAITS_MS);
    });
    fetched.catch(() => undefined);
    await Promise.race([fetched, late]).finally(() => clearTimeout(timer));
  };
  const find = async (header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> => {
    if (!held || now() - held.at > MAX_AGE_MS) {
      held = undefined;
      await inTime(refresh());
    } else if (now() - held.at > FRESH_MS) {
      // The keys that are held answer meanwhile; a refresh that failed is tried again after the cool-down.
      refresh().catch(() => undefined);
    }
    if (!held) throw new KeysUnavailable('fetched a moment ago, in vain');
    try {
      return await held.keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await inTime(refresh());
      return held.keys(header, token);
    }
  };
  const warm = async (): Promise<void> => {
    if (!held || now() - held.at > FRESH_MS) await refresh().catch(() => undefined);
  };
  return Object.assign(find, { warm });
}

/** @throws KeysUnavailable */
async function fetchKeys(jku: string): Promise<JSONWebKeySet> {
  try {
    const response = await fetch(jku, { headers: { accept: 'application/json' }, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new KeysUnavailable(`status ${response.status}`);
    const text = await readLimited(response, MAX_BYTES);
    if (text === undefined) throw new KeysUnavailable('key set too large');
    const set: unknown = JSON.parse(text);
    if (typeof set !== 'object' || set === null || !('keys' in set) || !Array.isArray(set.keys)) throw new KeysUnavailable('no key set');
    return { keys: set.keys };
  } catch (error) {
    if (error instanceof KeysUnavailable) throw error;
    throw new KeysUnavailable(error instanceof Error ? error.name : 'fetch failed', { cause: error });
  }
}
