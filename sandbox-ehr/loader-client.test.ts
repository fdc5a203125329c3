import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { SigningKey } from '#store/signing-keys.ts';
import { loaderKeyFile, writeLoaderKey } from './loader-client.ts';

const folder = mkdtempSync(join(tmpdir(), 'loader-key-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const key: SigningKey = { alg: 'ES384', privateJwk: { kty: 'EC', kid: 'k' }, publicJwk: { kty: 'EC', kid: 'k' } };
const permissions = (path: string): string => (statSync(path).mode & 0o777).toString(8);

it('the key of the loader is written where there is no data folder yet, and both are for the owner only', () => {
  const dataDir = join(folder, 'new', 'data');
  for (const time of ['first', 'again']) {
    writeLoaderKey(dataDir, key);
    expect([time, permissions(dataDir), permissions(loaderKeyFile(dataDir)), JSON.parse(readFileSync(loaderKeyFile(dataDir), 'utf8'))]).toEqual([time, '700', '600', key.privateJwk]);
  }
});
