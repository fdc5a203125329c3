import { createRemoteJWKSet, jwtVerify } from 'jose';
import { relativeReference } from '#fhir/base/reference.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { discover, issuerOf } from './discovery.ts';

const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

export interface SignedInUser {
  /** Relative reference, "Practitioner/123". */
  readonly reference: string;
  readonly name?: string;
}

/** OpenID Connect Core §3.1.3.7: signature, issuer, audience, expiry. fhirclient only decodes, so it is done here. Throws LAUNCH_REFUSED. */
export async function verifyIdToken(idToken: string | undefined, options: { fhirBase: string; clientId: string; now: () => number }): Promise<SignedInUser> {
  if (!idToken) throw refused('The EHR did not say who signed in.');
  const { issuer, jwksUri } = await issuerOf(options.fhirBase, await discover(options.fhirBase));
  const keys = keySets.get(jwksUri) ?? createRemoteJWKSet(new URL(jwksUri), { timeoutDuration: 10_000 });
  keySets.set(jwksUri, keys);
  const verified = await jwtVerify(idToken, keys, {
    issuer,
    audience: options.clientId,
    algorithms: ['RS256', 'RS384', 'ES256', 'ES384'],
    currentDate: new Date(options.now()),
    clockTolerance: 60,
  }).catch((cause: unknown) => {
    throw refused('The EHR’s statement of who signed in could not be verified.', cause);
  });
  const { fhirUser, profile, name } = verified.payload;
  const named = fhirUser ?? profile;
  const reference = typeof named === 'string' ? relativeReference(named) : undefined;
  if (!reference) throw refused('The EHR’s sign-in names no user.');
  return { reference, ...(typeof name === 'string' ? { name } : {}) };
}

function refused(message: string, cause?: unknown): PriorAuthError {
  return new PriorAuthError('LAUNCH_REFUSED', message, { cause, nextStep: 'Open the panel again from the chart. If it happens again, tell whoever looks after the EHR.' });
}
