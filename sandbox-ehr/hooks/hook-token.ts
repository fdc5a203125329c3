import { randomUUID } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import type { SigningKey } from '#store/signing-keys.ts';

const LIFETIME_SECONDS = 300;

/** A fresh JWT for one call of a CDS service (CDS Hooks 2.0, "Trusting CDS Clients"): `audience` is the exact URL called. */
export async function hookToken(key: SigningKey, ehrUrl: string, audience: string, nowMs: number): Promise<string> {
  const issuedAt = Math.floor(nowMs / 1000);
  return new SignJWT({})
    .setProtectedHeader({ alg: key.alg, typ: 'JWT', jku: `${ehrUrl}/.well-known/jwks.json`, ...(key.publicJwk.kid ? { kid: key.publicJwk.kid } : {}) })
    .setIssuer(ehrUrl)
    .setAudience(audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + LIFETIME_SECONDS)
    .setJti(randomUUID())
    .sign(await importJWK(key.privateJwk, key.alg));
}
