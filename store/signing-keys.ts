import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import type { Kysely, Transaction } from 'kysely';
import type { AnyDatabase, Store } from './database.ts';
import { migratePart } from './migrate.ts';

/** A key pair of one part of the system, made at first start and kept in the store. */
export interface SigningKey {
  readonly alg: string;
  readonly privateJwk: JWK;
  /** With `alg`, `use` and `kid`, as it stands in a JWKS. */
  readonly publicJwk: JWK;
}

export type SigningAlgorithm = 'ES384' | 'RS384' | 'RS256' | 'ES256';

type KeyTables = {
  'keys.signing_key': { owner: string; alg: string; generation: number; private_jwk: string; created_at: string; use_from: string | null; retire_at: string | null };
};

const migrations = {
  '000001-keys': `
    create schema if not exists keys;
    create table keys.signing_key (owner text not null, alg text not null, private_jwk jsonb not null, created_at timestamptz not null, primary key (owner, alg))`,
  '000002-rotation': `
    alter table keys.signing_key add column generation integer not null default 1, add column use_from timestamptz, add column retire_at timestamptz;
    alter table keys.signing_key drop constraint signing_key_pkey;
    alter table keys.signing_key add primary key (owner, alg, generation)`,
};

/** Reads the owner's key of that algorithm that is in use, making it at the first call. Two processes that start at once end with the same key. */
export async function signingKey(store: Store, owner: string, alg: SigningAlgorithm): Promise<SigningKey> {
  return (await openKeyRing(store, owner, [alg], Date.now)).current(alg);
}

/** One key of a ring, and when it counts. Instants are epoch milliseconds. */
export interface RingKey {
  readonly key: SigningKey;
  readonly generation: number;
  readonly createdAt: number;
  readonly useFrom: number;
  /** No longer published from then on. */
  readonly retireAt: number | undefined;
}

/** The owner's keys through rotations. All of it follows from the clock: no process has to do anything at an appointed time. */
export interface KeyRing {
  /** The newest that is in use. */
  current(alg: SigningAlgorithm): SigningKey;
  /** For the JWKS: also those to come, so that receivers know them before the first signature, and those that were replaced, as long as they may still be met. */
  published(): readonly JWK[];
  list(): readonly RingKey[];
  /** A new key of each algorithm: published at once, used after `leadMs`, while the old one stays published for `overlapMs` more. Within the caller's transaction. */
  rotateWithin(trx: Transaction<AnyDatabase>, times: { readonly leadMs: number; readonly overlapMs: number }): Promise<void>;
  /** Takes over what was rotated here or in another process. */
  reload(): Promise<void>;
}

/** A withdrawn key is kept so long, to be seen in the list; then the next rotation removes it. */
const KEPT_MS = 30 * 86_400_000;

export async function openKeyRing(store: Store, owner: string, algorithms: readonly SigningAlgorithm[], now: () => number): Promise<KeyRing> {
  await migratePart(store, 'keys', migrations);
  let keys: readonly RingKey[] = [];
  const read = async (db: Kysely<AnyDatabase & KeyTables>): Promise<readonly RingKey[]> => {
    const rows = await db.selectFrom('keys.signing_key').selectAll().where('owner', '=', owner).where('alg', 'in', [...algorithms]).orderBy('generation').execute();
    return Promise.all(rows.map(async (row) => ({
      key: await toSigningKey(row.alg, row.private_jwk as unknown as JWK),
      generation: row.generation,
      createdAt: new Date(row.created_at).getTime(),
      useFrom: row.use_from === null ? 0 : new Date(row.use_from).getTime(),
      retireAt: row.retire_at === null ? undefined : new Date(row.retire_at).getTime(),
    })));
  };
  const make = async (db: Kysely<AnyDatabase & KeyTables>, alg: SigningAlgorithm, generation: number, useFrom: number | undefined): Promise<void> => {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    const row = { owner, alg, generation, private_jwk: JSON.stringify(await exportJWK(privateKey)), created_at: new Date(now()).toISOString(), use_from: useFrom === undefined ? null : new Date(useFrom).toISOString(), retire_at: null };
    await db.insertInto('keys.signing_key').values(row).onConflict((c) => c.doNothing()).execute();
  };
  const db = store.db.withTables<KeyTables>();
  const reload = async (): Promise<void> => {
    keys = await read(db);
  };
  await reload();
  const missing = algorithms.filter((alg) => !keys.some(({ key }) => key.alg === alg));
  for (const alg of missing) await make(db, alg, 1, undefined);
  if (missing.length > 0) await reload();

  return {
    current(alg) {
      const mine = keys.filter(({ key }) => key.alg === alg);
      const found = mine.findLast(({ useFrom }) => useFrom <= now()) ?? mine[0];
      if (!found) throw new Error(`the key ring of ${owner} has no ${alg} key`);
      return found.key;
    },
    published: () => keys.filter(({ retireAt }) => retireAt === undefined || retireAt > now()).map(({ key }) => key.publicJwk),
    list: () => keys,
    async rotateWithin(trx, { leadMs, overlapMs }) {
      const within = trx.withTables<KeyTables>();
      const before = await read(within);
      const useFrom = now() + leadMs;
      const retireAt = new Date(useFrom + overlapMs).toISOString();
      const ofOwner = within.updateTable('keys.signing_key').where('owner', '=', owner).where('alg', 'in', [...algorithms]);
      // Those of a rotation that is still under way give way no later.
      await ofOwner.set({ retire_at: retireAt }).where((row) => row.or([row('retire_at', 'is', null), row('retire_at', '>', retireAt)])).execute();
      await within.deleteFrom('keys.signing_key').where('owner', '=', owner).where('alg', 'in', [...algorithms]).where('retire_at', '<', new Date(now() - KEPT_MS).toISOString()).execute();
      for (const alg of algorithms) await make(within, alg, 1 + Math.max(0, ...before.filter(({ key }) => key.alg === alg).map(({ generation }) => generation)), useFrom);
    },
    reload,
  };
}

async function toSigningKey(alg: string, secret: JWK): Promise<SigningKey> {
  const kid = await calculateJwkThumbprint(secret);
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...open } = secret;
  return { alg, privateJwk: { ...secret, alg, kid }, publicJwk: { ...open, alg, kid, use: 'sig' } };
}
