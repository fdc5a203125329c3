import type { JSONWebKeySet } from 'jose';
import { z } from 'zod/mini';
import { algorithmsOf, CLIENT_ALGORITHMS, type ClientAlgorithm, keyFaults } from './client-keys.ts';

/** A CDS client that may call. Its keys are at `jku`, or given out of band as `jwks`. */
export interface TrustedCdsClient {
  readonly iss: string;
  /** What operators call it. */
  readonly name?: string | undefined;
  /** Only tokens of this tenant. Without it, every tenant of the issuer that has no registration of its own. */
  readonly tenant?: string | undefined;
  readonly jku?: string | undefined;
  readonly jwks?: JSONWebKeySet | undefined;
  /** What it may sign with. Default ES384 and RS384. */
  readonly algorithms?: readonly ClientAlgorithm[] | undefined;
  /** FHIR base URLs from which data may be fetched for this client. Nothing else is ever fetched. */
  readonly fhirServers: readonly string[];
  /** Registered, but not to be answered. */
  readonly disabled?: boolean | undefined;
}

const text = z.string().check(z.minLength(1), z.maxLength(500));
const secureUrl = text.check(z.refine(isSecureUrl, 'must be an https URL without a fragment or a password; http is for loopback only'));

/** A private or symmetric key has no business here. */
const publicKey = z
  .looseObject({ kty: z.enum(['EC', 'RSA']), kid: text, use: z.optional(z.literal('sig')), alg: z.optional(z.enum(CLIENT_ALGORITHMS)), key_ops: z.optional(z.array(z.string())) })
  .check(z.refine((key) => !['d', 'p', 'q', 'k'].some((secret) => secret in key), 'holds a private key: give the public part only'));

/** The form of a registration. In the store it may be from before a rule below was made: it is read all the same, and the admin page says what is wrong. */
export const storedClientSchema = z.strictObject({
  iss: text,
  name: z.optional(text),
  tenant: z.optional(text),
  jku: z.optional(secureUrl),
  jwks: z.optional(z.strictObject({ keys: z.array(publicKey).check(z.minLength(1), z.maxLength(20)) })),
  algorithms: z.optional(z.array(z.enum(CLIENT_ALGORITHMS)).check(z.minLength(1), z.maxLength(CLIENT_ALGORITHMS.length))),
  fhirServers: z.array(secureUrl).check(z.maxLength(50)),
  disabled: z.optional(z.boolean()),
});

/** One registration, as the file and the admin page give it. Each key is tried, so that none is kept that can never be used. */
export const trustedClientSchema = storedClientSchema.check(
  z.refine((client) => client.jku !== undefined || client.jwks !== undefined, { message: 'needs either jku or jwks', path: ['jku'] }),
  z.refine((client) => client.jku === undefined || client.jwks === undefined, { message: 'is given with jwks: give one of them, not both', path: ['jku'] }),
  ({ value, issues }) => {
    for (const { index, why } of keyFaults(value.jwks?.keys ?? [], algorithmsOf(value))) issues.push({ code: 'custom', input: value.jwks?.keys[index], path: ['jwks', 'keys', index], message: why });
  },
);

/** A token tells its registration by both. */
export function registrationKey({ iss, tenant }: Pick<TrustedCdsClient, 'iss' | 'tenant'>): string {
  return JSON.stringify([iss, tenant ?? null]);
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

function isSecureUrl(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.has(url.hostname))) && url.hash === '' && url.username === '' && url.password === '';
}
