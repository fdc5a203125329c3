import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, describe, expect, it } from 'vitest';
import { ClientsFileError, readClientsFile } from './clients-file.ts';
import { openTrustedClients } from './trusted-clients.ts';

const folder = mkdtempSync(join(tmpdir(), 'cds-clients-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'clients.json');
const pair = await generateKeyPair('ES384', { extractable: true });
const publicKey = { ...(await exportJWK(pair.publicKey)), kid: 'k1' };
const es256Key = { ...(await exportJWK((await generateKeyPair('ES256', { extractable: true })).publicKey)), kid: 'k2' };
const rsaKey = (modulusLength: number) => ({ ...generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' }), kid: 'k3' });
const withKeys = (keys: readonly object[], more: object = {}) => ({ clients: [client({ jku: undefined, jwks: { keys }, ...more })] });
const client = (more: object = {}) => ({ iss: 'https://ehr.example', jku: 'https://ehr.example/jwks', fhirServers: ['https://ehr.example/fhir'], ...more });
const write = (content: unknown): string => {
  writeFileSync(`${file}.new`, typeof content === 'string' ? content : JSON.stringify(content, null, 1));
  renameSync(`${file}.new`, file);
  return file;
};

describe('the clients file', () => {
  it('registers clients with keys at an address or in the file, and http on loopback', () => {
    const clients = [client(), client({ tenant: 'north' }), client({ iss: 'b', jku: undefined, jwks: { keys: [publicKey] } }), client({ iss: 'c', jku: 'http://localhost:4000/jwks', fhirServers: ['http://127.0.0.1/fhir'], disabled: true })];
    expect(readClientsFile(write({ clients }))).toHaveLength(4);
  });
  it('registers clients that sign ES256 where it names the algorithm', () => {
    const clients = [client({ algorithms: ['ES256'] }), client({ iss: 'b', jku: undefined, jwks: { keys: [es256Key, publicKey, rsaKey(2_048)] }, algorithms: ['ES256', 'ES384', 'RS384'] })];
    expect(readClientsFile(write({ clients })).map(({ algorithms }) => algorithms)).toEqual([['ES256'], ['ES256', 'ES384', 'RS384']]);
  });
  it.each<[string, unknown, RegExp]>([
    ['no JSON', '{\n "clients": [\n  oops\n ]}', /clients\.json:3: not JSON/],
    ['an http key address', { clients: [client({ jku: 'http://ehr.example/jwks' })] }, /clients\.json:5: clients\.0\.jku: must be an https URL/],
    ['an http FHIR server', { clients: [client({ fhirServers: ['http://10.0.0.1/fhir'] })] }, /clients\.0\.fhirServers\.0: must be an https/],
    ['a password in an address', { clients: [client({ jku: 'https://u:p@ehr.example/' })] }, /without a fragment or a password/],
    ['no keys', { clients: [client({ jku: undefined })] }, /clients\.0\.jku: needs either jku or jwks/],
    ['keys twice', { clients: [client({ jwks: { keys: [publicKey] } })] }, /clients\.json:5: clients\.0\.jku: is given with jwks: give one of them, not both/],
    ['a key whose numbers are none', withKeys([{ kty: 'EC', crv: 'P-256', kid: 'k', x: 'a', y: 'b' }], { algorithms: ['ES256'] }), /clients\.json:\d+: clients\.0\.jwks\.keys\.0: is no key: x and y are not a point on P-256/],
    ['an RSA key without numbers', withKeys([{ kty: 'RSA', kid: 'k' }]), /keys\.0: is no key: n and e/],
    ['an RSA key that is too short', withKeys([rsaKey(1_024)]), /keys\.0: has 1024 bits/],
    ['a key of a curve that nothing signs with here', withKeys([{ ...publicKey, crv: 'P-521' }]), /keys\.0: must be an EC key with crv P-384 or P-256/],
    ['a key whose alg does not fit its curve', withKeys([{ ...es256Key, alg: 'ES384' }]), /keys\.0: has alg ES384, but EC with crv P-256 signs ES256/],
    ['a P-256 key for a client that may not sign ES256', withKeys([es256Key]), /keys\.0: signs ES256, and the registration accepts ES384, RS384 only/],
    ['a P-384 key for a client that signs ES256', withKeys([es256Key, publicKey], { algorithms: ['ES256'] }), /keys\.1: signs ES384, and the registration accepts ES256 only/],
    ['a key that is not to verify with', withKeys([{ ...publicKey, key_ops: ['sign'] }]), /keys\.0: has key_ops without verify/],
    ['one kid for two keys', withKeys([publicKey, publicKey]), /keys\.1: has the kid k1 of another key/],
    ['an algorithm that is not taken', { clients: [client({ algorithms: ['HS256'] })] }, /clients\.0\.algorithms\.0: must be ES384, RS384, ES256/],
    ['no algorithm', { clients: [client({ algorithms: [] })] }, /clients\.0\.algorithms: /],
    ['a private key', { clients: [client({ jku: undefined, jwks: { keys: [{ ...publicKey, d: 'x' }] } })] }, /clients\.0\.jwks\.keys\.0: holds a private key/],
    ['a symmetric key', { clients: [client({ jku: undefined, jwks: { keys: [{ kty: 'oct', kid: 'k', k: 'x' }] } })] }, /keys\.0\.kty/],
    ['a key without kid', { clients: [client({ jku: undefined, jwks: { keys: [{ ...publicKey, kid: undefined }] } })] }, /keys\.0\.kid/],
    ['a word that is not known', { clients: [client({ scope: 'x' })] }, /clients\.0/],
    ['the same client twice', { clients: [client(), client()] }, /clients\.json:11: clients\.1\.iss: the same issuer and tenant as clients\.0/],
  ])('with %s is refused, by line', (_name, content, message) => {
    expect(() => readClientsFile(write(content))).toThrow(ClientsFileError);
    expect(() => readClientsFile(write(content))).toThrow(message);
  });
  it('that is not there is refused', () => expect(() => readClientsFile(join(folder, 'none.json'))).toThrow(/none\.json: cannot be read/));
  it('is read again when it changes; one that is bad changes nothing', async () => {
    write({ clients: [client()] });
    const faults: string[] = [];
    const taken: object[] = [];
    const trusted = await openTrustedClients({ builtIn: [], file, registered: { list: async () => [] }, now: Date.now, onFileFault: (error) => faults.push(error.message), onFileTaken: (what) => taken.push(what), followEveryMs: 20 });
    const keys = trusted.find('https://ehr.example', undefined)?.keys;
    write({ clients: [client(), client({ iss: 'second' })] });
    await expect.poll(() => trusted.list().length).toBe(2);
    expect(trusted.find('https://ehr.example', undefined)?.keys).toBe(keys);
    write('{');
    await expect.poll(() => faults.length).toBe(1);
    expect(trusted.fileFault()).toMatch(/not JSON/);
    expect(trusted.list()).toHaveLength(2);
    write({ clients: [] });
    await expect.poll(() => trusted.list().length).toBe(0);
    expect(trusted.fileFault()).toBe(undefined);
    expect(taken).toEqual([{ clients: 2, repaired: false }, { clients: 0, repaired: true }]);
    trusted.stop();
  });
});
