import { randomUUID } from 'node:crypto';
import { errors, importJWK, type JWK, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { SigningKey } from '#store/signing-keys.ts';
import { FhirRefusal } from '../errors.ts';
import { type Access, accessOfScopes } from '../fhir/access.ts';

export interface AccessTokens {
  /** Throws FhirRefusal 401 when the token is not ours, forged, expired or meant for another audience. */
  verify(token: string): Promise<Access>;
  /** A token made without a dance, for one call of a service on behalf of a user. */
  mint(grant: { readonly clientId: string; readonly user: string; readonly patient: string; readonly scope: string; readonly lifetimeSeconds: number }): Promise<string>;
}

const claims = z.object({ client_id: z.string(), scope: z.string().default(''), patient: z.string().optional(), fhirUser: z.string().optional() });

export function accessTokens(key: SigningKey, issuer: string, fhirBase: string, now: () => number): AccessTokens {
  const load = async (jwk: JWK) => importJWK(jwk, key.alg);
  const publicKey = load(key.publicJwk);
  const privateKey = load(key.privateJwk);
  return {
    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, await publicKey, { issuer, audience: fhirBase, algorithms: [key.alg], typ: 'at+jwt', currentDate: new Date(now()), requiredClaims: ['exp', 'jti'] });
        const { client_id, scope, patient, fhirUser } = claims.parse(payload);
        return accessOfScopes(fhirUser?.replace(`${fhirBase}/`, '') ?? client_id, scope, patient);
      } catch (error) {
        if (error instanceof errors.JWTExpired) throw new FhirRefusal(401, 'expired', 'The access token has expired.');
        if (error instanceof errors.JOSEError || error instanceof z.ZodError) throw new FhirRefusal(401, 'login', 'The access token is not valid here.');
        throw error;
      }
    },
    async mint({ clientId, user, patient, scope, lifetimeSeconds }) {
      const issuedAt = Math.floor(now() / 1000);
      return new SignJWT({ client_id: clientId, scope, patient, fhirUser: `${fhirBase}/${user}` })
        .setProtectedHeader({ alg: key.alg, typ: 'at+jwt', ...(key.publicJwk.kid ? { kid: key.publicJwk.kid } : {}) })
        .setIssuer(issuer)
        .setAudience(fhirBase)
        .setSubject(clientId)
        .setJti(randomUUID())
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + lifetimeSeconds)
        .sign(await privateKey);
    },
  };
}
