import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import type { Store } from './database.ts';
import { migratePart } from './migrate.ts';

/** A key pair of one part of the system, made at first start and kept in the store. */
export interface SigningKey {
  readonly alg: string;
  readonly privateJwk: JWK;
  /** With `alg`, `use` and `kid`, as it stands in a JWKS. */
  readonly publicJwk: JWK;
}

type KeyTables = {
  'keys.signing_key': { owner: string; alg: string; private_jwk: string; created_at: string };
};

const migrations = {
  '000001-keys': `
    create schema if not exists keys;
    create table keys.signing_key (owner text not null, alg text not null, private_jwk jsonb not null, created_at timestamptz not null, primary key (owner, alg))`,
};

/** Reads the owner's key of that algorithm, making it at the first call. Two processes that start at once end with the same key. */
export async function signingKey(store: Store, owner: string, alg: 'ES384' | 'RS384' | 'RS256' | 'ES256'): Promise<SigningKey> {
  await migratePart(store, 'keys', migrations);
  const db = store.db.withTables<KeyTables>();
  const read = () => db.selectFrom('keys.signing_key').select('private_jwk').where('owner', '=', owner).where('alg', '=', alg).executeTakeFirst();
  let row = await read();
  if (!row) {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    const private_jwk = JSON.stringify(await exportJWK(privateKey));
    await db.insertInto('keys.signing_key').values({ owner, alg, private_jwk, created_at: new Date().toISOString() }).onConflict((c) => c.doNothing()).execute();
    row = await read();
  }
  const secret = row?.private_jwk as unknown as JWK;
  const kid = await calculateJwkThumbprint(secret);
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...open } = secret;
  return { alg, privateJwk: { ...secret, alg, kid }, publicJwk: { ...open, alg, kid, use: 'sig' } };
}
