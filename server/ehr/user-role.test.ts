import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PractitionerRole } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openEhr } from './ehr-client.ts';
import { readUserRole } from './user-role.ts';

const role = (id: string, more: Partial<PractitionerRole>): PractitionerRole => ({ resourceType: 'PractitionerRole', id, ...more });
const taxonomy = (code: string) => ({ coding: [{ system: 'http://snomed.info/sct', code: '1' }, { system: 'http://nucc.org/provider-taxonomy', code }] });
const answers: Record<string, readonly PractitionerRole[] | number | 'never'> = {
  nurse: [role('old', { active: false, code: [taxonomy('OLD')] }), role('now', { specialty: [taxonomy('163W00000X')] })],
  nobody: [role('r', { code: [{ text: 'Nurse' }] })],
  refused: 403, broken: 500, slow: 'never',
};
let server: Server;
beforeAll(async () => {
  server = createServer((request, response) => {
    const answer = answers[decodeURIComponent(request.url ?? '').split('/').at(-1) ?? ''] ?? [];
    if (answer === 'never') return;
    if (typeof answer === 'number') return response.writeHead(answer).end();
    response.writeHead(200, { 'content-type': 'application/fhir+json' }).end(JSON.stringify({ resourceType: 'Bundle', type: 'searchset', entry: answer.map((resource) => ({ resource })) }));
  }).listen(0);
  await new Promise((resolve) => server.once('listening', resolve));
});
afterAll(() => { server.closeAllConnections(); server.close(); });

it.each([
  ['Practitioner/nurse', '163W00000X'], ['Practitioner/nobody', undefined], ['Practitioner/refused', undefined], ['Practitioner/broken', undefined], ['Practitioner/slow', undefined], ['Patient/p', undefined],
])('%s: %s', async (reference, code) => {
  const ehr = openEhr(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, async () => 'token');
  expect(await readUserRole(ehr, reference)).toBe(code);
});
