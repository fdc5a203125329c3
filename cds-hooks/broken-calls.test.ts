import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NOW, runCdsHooks, type RunningCdsHooks } from '../test-fixtures/running-cds-hooks.ts';

/* Callers that leave, stall, or send what keeps a process busy. */

let service: RunningCdsHooks;
const OTHER = 'https://other.example';
const keys = await generateKeyPair('ES384', { extractable: true });
beforeAll(async () => {
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'o', alg: 'ES384', use: 'sig' };
  service = await runCdsHooks({ mostAtWork: { full: 1, most: 2 }, trustedClients: [{ iss: OTHER, jwks: { keys: [jwk] }, fhirServers: [] }] });
});
afterAll(() => service.stop());

const order = { resourceType: 'DeviceRequest', id: 'd1', status: 'draft', intent: 'order', codeCodeableConcept: { coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'E1390' }] }, subject: { reference: 'Patient/p1' }, requester: { reference: 'Practitioner/u1' }, authoredOn: '2026-11-22' };
const coverage = { resourceType: 'Coverage', id: 'c1', status: 'active', beneficiary: { reference: 'Patient/p1' }, payor: [{ display: 'Medicare' }] };
const bundle = (resource: object) => ({ resourceType: 'Bundle', type: 'collection', entry: [{ resource }] });
const call = (more: object = {}) => JSON.stringify({
  hook: 'order-sign', hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea', context: { userId: 'Practitioner/u1', patientId: 'p1', draftOrders: bundle(order) },
  prefetch: { patient: { resourceType: 'Patient', id: 'p1' }, coverage: bundle(coverage), conditions: null, observations: null, procedures: null, reports: null, documents: null, medicationHistory: null }, ...more,
});
const endpoint = () => `${service.url}/cds-services/order-sign-crd`;
const token = () => new SignJWT({ iss: OTHER, aud: endpoint(), iat: NOW / 1000, exp: NOW / 1000 + 300, jti: randomUUID() }).setProtectedHeader({ alg: 'ES384', kid: 'o', typ: 'JWT' }).sign(keys.privateKey);
async function send(body: string): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(endpoint(), { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${await token()}` }, body });
  return { status: response.status, text: await response.text() };
}

/** Sends a head that promises `length` bytes, and that much of the body; gives what came back when the connection has ended. */
async function sendInPart(body: string, length: number, thenLeave: boolean): Promise<string> {
  const head = `POST /cds-services/order-sign-crd HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await token()}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
  return new Promise((ended) => {
    let came = '';
    const socket = connect(Number(new URL(service.url).port), 'localhost', () => socket.write(head + body, () => void (thenLeave && setTimeout(() => socket.resetAndDestroy(), 1))));
    socket.on('data', (chunk: Buffer) => (came += chunk.toString())).on('error', () => undefined).on('close', () => ended(came));
  });
}
/** In full: no place is held by anybody else. */
const answeredInFull = async () => {
  const { status, text } = await send(call());
  return status === 200 && !text.includes('not-checked');
};

describe('a caller', () => {
  it.each([['in the middle of the body', call().slice(0, 90)], ['when all of it is sent', call()]])('who leaves %s holds no place', async (_when, body) => {
    for (let caller = 0; caller < 6; caller += 1) await sendInPart(body, call().length, true);
    await expect.poll(answeredInFull, { timeout: 5_000 }).toBe(true);
  });
  it('who stalls is told so, and holds its place no longer', async () => {
    const answers = await Promise.all([1, 2].map(() => sendInPart(call().slice(0, 90), call().length, false)));
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 408 [^]*connection: close[^]*Send it again/i);
    await expect.poll(answeredInFull, { timeout: 5_000 }).toBe(true);
  });
});

describe('a call', () => {
  it.each([['2.0', 422], ['2.2', 400]])('of CRD %s that is nested without end: %i', async (version, status) => {
    const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
    const answer = await send(call({ extension: { 'davinci-crd.requestedVersion': version } }).replace('"id":"d1"', `"id":"d1","x":${deep}`));
    expect(answer).toEqual({ status, text: expect.stringContaining('nested too deep') as string });
  });
  it('with an address or code system of nothing but slashes keeps nobody busy', async () => {
    const slashes = `https://ehr.example/${'/'.repeat(400_000)}x`;
    expect((await send(call({ fhirServer: slashes }))).status).toBe(422);
    const odd = { ...order, codeCodeableConcept: { coding: [{ system: slashes, code: 'E1390' }] } };
    expect((await send(call({ context: { userId: 'Practitioner/u1', patientId: 'p1', draftOrders: bundle(odd) } }))).status).toBe(200);
  });
});
