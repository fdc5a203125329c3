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

/** OpenID Connect Core §3.1.3.7: signature, issuer, audience, authorized party, expiry, nonce. Throws LAUNCH_REFUSED. */
export async function verifyIdToken(idToken: string | undefined, options: { readonly fhirBase: string; readonly clientId: string; readonly nonce: string; readonly now: () => number }): Promise<SignedInUser> {
  if (!idToken) throw refused('The EHR did not say who signed in.');
  const { issuer, jwksUri } = await issuerOf(options.fhirBase, await discover(options.fhirBase));
  const keys = keySets.get(jwksUri) ?? createRemoteJWKSet(new URL(jwksUri), { timeoutDuration: 10_000 });
  keySets.set(jwksUri, keys);
  const verified = await jwtVerify(idToken, keys, {
    issuer,
    audience: options.clientId,
    algorithms: ['RS256', 'RS384', 'ES256', 'ES384'],
    requiredClaims: ['exp', 'iat', 'sub'],
    currentDate: new Date(options.now()),
    clockTolerance: 60,
  }).catch((cause: unknown) => {
    throw refused('The EHR’s statement of who signed in could not be verified.', cause);
  });
  const { fhirUser, profile, name, nonce, azp } = verified.payload;
  if (nonce !== options.nonce) throw refused('The EHR’s statement of who signed in is of another sign-in.');
  if (azp !== undefined && azp !== options.clientId) throw refused('The EHR’s statement of who signed in was made for another app.');
  const named = fhirUser ?? profile;
  const reference = typeof named === 'string' && USERS.test(named) ? relativeReference(named) : undefined;
  if (!reference) throw refused('The EHR’s sign-in names no user.');
  return { reference, ...(typeof name === 'string' ? { name } : {}) };
}

/** SMART App Launch 2.2.0 §2.0.9: what fhirUser may be. */
const USERS = /(^|\/)(Patient|Practitioner|PractitionerRole|RelatedPerson|Person)\/[A-Za-z0-9\-.]{1,64}$/;

function refused(message: string, cause?: unknown): PriorAuthError {
  return new PriorAuthError('LAUNCH_REFUSED', message, { cause, nextStep: 'Open the panel again from the chart. If it happens again, tell whoever looks after the EHR.' });
}
