import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exportMetrics } from '#cds-hooks/metric-data/metric-log.ts';
import { openStore } from '#store/database.ts';
import { openOverNetwork } from '#test-fixtures/silent-network.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { readConfig } from './config.ts';
import { type Running, startOpenPriorAuth } from './open-prior-auth.ts';

const ISSUER = 'https://ehr.example';
const PATH = '/cds-services/order-sign-crd';
const keys = await generateKeyPair('ES384', { extractable: true });
const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k', alg: 'ES384' };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'opa-stop-'));
  writeFileSync(join(folder, 'clients.json'), JSON.stringify({ clients: [{ iss: ISSUER, jwks: { keys: [jwk] }, fhirServers: [] }] }));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const start = (databaseUrl = ''): Promise<Running> =>
  startOpenPriorAuth(readConfig({ PORT: '0', HOST: 'localhost', DATA_DIR: join(folder, 'data'), DATABASE_URL: databaseUrl, CDS_CLIENTS_FILE: join(folder, 'clients.json'), LOG_LEVEL: 'silent' }), Promise.resolve());

const bundle = (...resources: object[]) => ({ resourceType: 'Bundle', type: 'searchset', entry: resources.map((resource) => ({ resource })) });
const subject = { reference: 'Patient/p' };
const call = (hookInstance: string) => ({
  hook: 'order-sign', hookInstance,
  context: { userId: 'Practitioner/u', patientId: 'p', draftOrders: bundle({ resourceType: 'DeviceRequest', id: 'o', status: 'draft', intent: 'order', codeCodeableConcept: { coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'E1390' }] }, subject }) },
  prefetch: { patient: { resourceType: 'Patient', id: 'p', birthDate: '1950-01-01' }, coverage: bundle({ resourceType: 'Coverage', id: 'c', status: 'active', beneficiary: subject, payor: [{ display: 'Medicare' }] }), conditions: null, observations: null, procedures: null, reports: null, documents: null, medicationHistory: null },
});

/** The status, or why there is none. */
async function post(baseUrl: string, agent: Agent, hookInstance: string): Promise<number | string> {
  const seconds = Math.floor(Date.now() / 1000);
  const jwt = await new SignJWT({ iss: ISSUER, aud: baseUrl + PATH, iat: seconds, exp: seconds + 300, jti: randomUUID() }).setProtectedHeader({ alg: 'ES384', kid: 'k', typ: 'JWT' }).sign(keys.privateKey);
  return new Promise((resolve) => {
    const sent = request(baseUrl + PATH, { method: 'POST', agent, headers: { 'content-type': 'application/json', authorization: `Bearer ${jwt}` } }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0)).on('error', (error) => resolve(error.message));
    });
    sent.on('error', (error) => resolve(error.message)).end(JSON.stringify(call(hookInstance)));
  });
}

describe('a system that is told to stop', () => {
  it('answers the calls it has, takes no more, and keeps all that answers leave', { timeout: 60_000 }, async () => {
    const running = await start();
    const agent = new Agent({ keepAlive: true });
    const answered: string[] = [];
    let afterwards = 0;
    let stopping = false;
    let refused = false;
    const caller = async (): Promise<void> => {
      while (!refused) {
        const hookInstance = randomUUID();
        const status = await post(running.baseUrl, agent, hookInstance);
        if (status === 200) {
          answered.push(hookInstance);
          if (stopping) afterwards += 1;
        }
        refused ||= typeof status === 'string';
      }
    };
    const callers = Array.from({ length: 4 }, caller);
    await expect.poll(() => answered.length, { timeout: 20_000 }).toBeGreaterThan(20);
    stopping = true;
    await running.stop();
    await Promise.all(callers);
    expect(afterwards).toBeGreaterThan(0);

    const store = await openStore({ dataDir: join(folder, 'data') });
    const exchanges = await sql<{ instance: string }>`select jsonb_array_elements_text(hook_instances) as instance from cds.exchange_batch`.execute(store.db);
    const audited = await sql<{ n: number }>`select count(*) as n from audit.event where action = 'hook-answered'`.execute(store.db);
    const measured: string[] = [];
    for await (const line of exportMetrics(store, new Date(0), new Date(Date.now() + 1000))) measured.push((JSON.parse(line) as { hookInstance: string }).hookInstance);
    await store.close();
    expect(exchanges.rows.map(({ instance }) => instance)).toEqual(expect.arrayContaining(answered));
    expect(measured).toEqual(expect.arrayContaining(answered));
    expect(audited.rows[0]?.n).toBeGreaterThanOrEqual(answered.length);
  });

  it('(PostgreSQL) ends though the database has fallen silent', { timeout: 60_000 }, async (context) => {
    const behind = await openTestStore();
    if (behind.engine !== 'postgresql') return behind.close().then(() => context.skip('the embedded engine has no connection'));
    const { network, over } = await openOverNetwork(behind);
    await over.close();
    const url = new URL(behind.pool?.options.connectionString ?? '');
    url.port = String(network.port);
    const running = await start(url.toString());
    const agent = new Agent({ keepAlive: true });
    expect(await post(running.baseUrl, agent, randomUUID())).toBe(200);
    network.silence();
    expect(await post(running.baseUrl, agent, randomUUID())).toBe(200);
    const begun = performance.now();
    await running.stop();
    expect(performance.now() - begun).toBeLessThan(29_000);
    await network.close();
    await behind.close();
  });
});
