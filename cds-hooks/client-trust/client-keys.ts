import { createPublicKey } from 'node:crypto';
import type { JWK, JWK_EC_Public, JWK_RSA_Public } from 'jose';

/** What a client may sign with. `none` and symmetric algorithms are never taken. */
export const CLIENT_ALGORITHMS = ['ES384', 'RS384', 'ES256'] as const;
export type ClientAlgorithm = (typeof CLIENT_ALGORITHMS)[number];

/** CDS Hooks 2.0 recommends these two. Anything else is taken only where the registration names it. */
const RECOMMENDED: readonly ClientAlgorithm[] = ['ES384', 'RS384'];
const MIN_RSA_BITS = 2_048;

export function algorithmsOf({ algorithms }: { readonly algorithms?: readonly ClientAlgorithm[] | undefined }): readonly ClientAlgorithm[] {
  return algorithms ?? RECOMMENDED;
}

export interface KeyFault {
  /** Place in the set. */
  readonly index: number;
  readonly why: string;
}

/** Keys of a registration that could never verify a token. */
export function keyFaults(keys: readonly JWK[], algorithms: readonly ClientAlgorithm[]): readonly KeyFault[] {
  return keys.flatMap((key, index) => {
    const why = faultOf(key, algorithms) ?? (keys.slice(0, index).some((other) => isSameName(other, key)) ? `has the kid ${key.kid ?? ''} of another key` : undefined);
    return why === undefined ? [] : [{ index, why }];
  });
}

function faultOf(key: JWK, accepted: readonly ClientAlgorithm[]): string | undefined {
  const signs = algorithmOf(key);
  if (!signs) return 'must be an EC key with crv P-384 or P-256, or an RSA key';
  const form = key.kty === 'EC' ? `${key.kty} with crv ${key.crv ?? ''}` : 'RSA';
  if (key.alg !== undefined && key.alg !== signs) return `has alg ${key.alg}, but ${form} signs ${signs}`;
  if (!accepted.includes(signs)) return `signs ${signs}, and the registration accepts ${accepted.join(', ')} only`;
  if (key.key_ops && !key.key_ops.includes('verify')) return 'has key_ops without verify';
  return numbersFault(key);
}

function algorithmOf({ kty, crv }: JWK): ClientAlgorithm | undefined {
  if (kty === 'RSA') return 'RS384';
  if (kty !== 'EC') return undefined;
  return crv === 'P-384' ? 'ES384' : crv === 'P-256' ? 'ES256' : undefined;
}

/** Reads the key as the check of a signature will. */
function numbersFault(key: JWK): string | undefined {
  const { kty, crv, x, y, n, e } = key;
  const numbers = kty === 'EC' ? ({ kty, crv, x, y } as JWK_EC_Public & { readonly kty: 'EC' }) : ({ kty: 'RSA', n, e } as JWK_RSA_Public & { readonly kty: 'RSA' });
  try {
    const { modulusLength = MIN_RSA_BITS } = createPublicKey({ key: { ...numbers }, format: 'jwk' }).asymmetricKeyDetails ?? {};
    return modulusLength < MIN_RSA_BITS ? `has ${modulusLength} bits: an RSA key needs ${MIN_RSA_BITS} or more` : undefined;
  } catch {
    return kty === 'EC' ? `is no key: x and y are not a point on ${crv ?? ''}` : 'is no key: n and e cannot be read';
  }
}

/** A token could not tell which of the two is meant. */
function isSameName(one: JWK, other: JWK): boolean {
  return one.kid === other.kid && one.kty === other.kty && one.crv === other.crv;
}
