import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SigningKey } from '#store/signing-keys.ts';
import type { SmartClient } from './smart/client.ts';

/** The backend service that `npm run ehr:load` is. */
export const LOADER_CLIENT_ID = 'sandbox-ehr-loader';
export const LOADER_SCOPE = 'system/*.cruds';

export const loaderKeyFile = (dataDir: string): string => join(dataDir, 'ehr-loader-key.json');

export function loaderClient(key: SigningKey): SmartClient {
  return { clientId: LOADER_CLIENT_ID, name: 'Record loader', redirectUris: [], jwks: { keys: [key.publicJwk] }, scope: LOADER_SCOPE };
}

/** Whoever can read the data folder may load records: the key lies in it, for the owner only. On PostgreSQL nothing else has made the folder. */
export function writeLoaderKey(dataDir: string, key: SigningKey): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(loaderKeyFile(dataDir), JSON.stringify(key.privateJwk), { mode: 0o600 });
}
