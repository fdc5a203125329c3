import { randomUUID } from 'node:crypto';
import { errors, importJWK, type JWK, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { SigningKey } from '#store/signing-keys.ts';
import { FhirRefusal } from '../errors.ts';
import type { EhrDatabase } from '../tables.ts';
import { type Access, accessOfScopes } from '../fhir/access.ts';

export interface AccessTokens {
  /** Throws FhirRefusal 401 when the token is not ours, forged, expired or meant for another audience. */
  verify(token: string): Promise<Access>;
  /** What a token says that is good here now; undefined for any other. */
  inspect(token: string): Promise<TokenClaims | undefined>;
  /** Ends a token before its time. */
  revoke(claims: TokenClaims): Promise<void>;
  /** A token made without a dance, for one call of a service on behalf of a user. */
  mint(grant: { readonly clientId: string; readonly user: string; readonly patient: string; readonly scope: string; readonly lifetimeSeconds: number }): Promise<string>;
}

const claims = z.object({
  client_id: z.string(), scope: z.string().default(''), patient: z.string().optional(), fhirUser: z.string().optional(), grant: z.string().optional(),
  jti: z.string(), exp: z.number(), iss: z.string(), sub: z.string().optional(),
});
export type TokenClaims = z.infer<typeof claims>;

export async function accessTokens(db: EhrDatabase, key: SigningKey, issuer: string, fhirBase: string, now: () => number): Promise<AccessTokens> {
  const revoked = new Set((await db.selectFrom('ehr.revoked_token').select('jti').execute()).map(({ jti }) => jti));
  const load = async (jwk: JWK) => importJWK(jwk, key.alg);
  const publicKey = load(key.publicJwk);
  const privateKey = load(key.privateJwk);
  const read = async (token: string): Promise<TokenClaims> => {
    const { payload } = await jwtVerify(token, await publicKey, { issuer, audience: fhirBase, algorithms: [key.alg], typ: 'at+jwt', currentDate: new Date(now()), requiredClaims: ['exp', 'jti'] });
    const found = claims.parse(payload);
    if (revoked.has(found.jti)) throw new errors.JWTInvalid('revoked');
    return found;
  };
  return {
    async verify(token) {
      try {
        const { client_id, scope, patient, fhirUser } = await read(token);
        return accessOfScopes(fhirUser?.replace(`${fhirBase}/`, '') ?? client_id, scope, patient);
      } catch (error) {
        if (error instanceof errors.JWTExpired) throw new FhirRefusal(401, 'expired', 'The access token has expired.');
        if (error instanceof errors.JOSEError || error instanceof z.ZodError) throw new FhirRefusal(401, 'login', 'The access token is not valid here.');
        throw error;
      }
    },
    async inspect(token) {
      try {
        return await read(token);
      } catch (error) {
        if (error instanceof errors.JOSEError || error instanceof z.ZodError) return undefined;
        throw error;
      }
    },
    async revoke({ jti, exp }) {
      revoked.add(jti);
      await db.insertInto('ehr.revoked_token').values({ jti, expires_ms: exp * 1000 }).onConflict((conflict) => conflict.doNothing()).execute();
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
