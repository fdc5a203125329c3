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
  it.each<[string, unknown, RegExp]>([
    ['no JSON', '{\n "clients": [\n  oops\n ]}', /clients\.json:3: not JSON/],
    ['an http key address', { clients: [client({ jku: 'http://ehr.example/jwks' })] }, /clients\.json:5: clients\.0\.jku: must be an https URL/],
    ['an http FHIR server', { clients: [client({ fhirServers: ['http://10.0.0.1/fhir'] })] }, /clients\.0\.fhirServers\.0: must be an https/],
    ['a password in an address', { clients: [client({ jku: 'https://u:p@ehr.example/' })] }, /without a fragment or a password/],
    ['no keys', { clients: [client({ jku: undefined })] }, /clients\.0\.jku: needs either jku or jwks/],
    ['keys twice', { clients: [client({ jwks: { keys: [publicKey] } })] }, /clients\.json:5: clients\.0\.jku: needs either/],
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
    const trusted = await openTrustedClients({ builtIn: [], file, registered: { list: async () => [] }, now: Date.now, onFileFault: (error) => faults.push(error.message), followEveryMs: 20 });
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
    trusted.stop();
  });
});
