import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** A CDS client of the bench's own. Signing is the client's work, so tokens are made before the clock runs. */
export interface SigningClient {
  /** What stands in the file of CDS_CLIENTS_FILE. */
  readonly registration: object;
  make(count: number, audience: string): Promise<void>;
  /** One that was not used yet. */
  take(): string;
}

export async function createSigningClient(fhirServer: string): Promise<SigningClient> {
  const issuer = 'https://bench.example';
  const { publicKey, privateKey } = await generateKeyPair('ES384', { extractable: true });
  let ready: string[] = [];
  const sign = (audience: string): Promise<string> => {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ iss: issuer, aud: audience, iat: now, exp: now + 300, jti: randomUUID() }).setProtectedHeader({ alg: 'ES384', kid: 'bench', typ: 'JWT' }).sign(privateKey);
  };
  return {
    registration: { iss: issuer, jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'bench', alg: 'ES384', use: 'sig' }] }, fhirServers: [fhirServer] },
    async make(count, audience) {
      ready = [];
      while (ready.length < count) ready.push(...(await Promise.all(Array.from({ length: 64 }, () => sign(audience)))));
    },
    take() {
      const token = ready.pop();
      if (token === undefined) throw new Error('too few tokens were made for this measurement');
      return token;
    },
  };
}
