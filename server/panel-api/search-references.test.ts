import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { PANEL_API } from '#prior-auth/panel-api.ts';
import { openEhr } from '../ehr/ehr-client.ts';
import type { PanelCall, PanelParts } from './panel-parts.ts';
import { searchReferences } from './search-references.ts';

const subject = { reference: 'Patient/p' };
const record: Record<string, Resource[] | number> = {
  Observation: [
    { resourceType: 'Observation', id: 'o1', status: 'final', subject, code: { text: 'Oxygen saturation' }, valueQuantity: { value: 86, unit: '%' }, effectiveDateTime: '2026-10-02' },
    { resourceType: 'Observation', id: 'o2', status: 'final', subject, code: { text: 'Weight' }, effectiveDateTime: '2026-11-02' },
    { resourceType: 'Observation', id: 'other', status: 'final', subject: { reference: 'Patient/someone-else' }, code: { text: 'Oxygen saturation' } },
  ],
  Practitioner: [{ resourceType: 'Practitioner', id: 'd', name: [{ text: 'Dr Rivera' }] }],
  Condition: 403,
};
let ehr: Server;
let asked: string[] = [];
const audited: unknown[] = [];

beforeAll(async () => {
  ehr = createServer((request, response) => {
    asked.push(request.url ?? '');
    const found = record[(request.url ?? '').split(/[/?]/)[2] ?? ''] ?? [];
    if (typeof found === 'number') return response.writeHead(found).end();
    response.writeHead(200, { 'content-type': 'application/fhir+json' }).end(JSON.stringify({ resourceType: 'Bundle', type: 'searchset', entry: found.map((resource) => ({ resource })) }));
  }).listen(0);
  await new Promise((resolve) => ehr.once('listening', resolve));
});
afterAll(() => ehr.close());

const search = (types: string, filter: string) => {
  asked = [];
  const call = { session: { user: { reference: 'Practitioner/me', name: 'Me' } }, caseId: 'c', patientId: 'p', ehr: openEhr(`http://127.0.0.1:${(ehr.address() as AddressInfo).port}/fhir`, async () => 'token') } as unknown as PanelCall;
  return searchReferences({ audit: { record: (entry: unknown) => audited.push(entry) } } as unknown as PanelParts)({ types, filter }, call);
};

describe('what an answer may point at', () => {
  it('this patient’s entries, newest first, by any word of them', async () => {
    expect((await search('Observation', '')).references.map(({ reference }) => reference)).toEqual(['Observation/o2', 'Observation/o1']);
    expect(await search('Observation', 'OXY')).toEqual({ references: [{ reference: 'Observation/o1', display: 'Oxygen saturation: 86 %', date: '2026-10-02' }], more: false });
    expect(asked).toEqual(['/fhir/Observation?patient=p&_count=100']);
    expect(audited.at(-1)).toMatchObject({ action: 'record-read', what: ['Observation/o1'] });
  });
  it('people by name, when there is one', async () => {
    expect((await search('Practitioner', 'riv')).references).toMatchObject([{ reference: 'Practitioner/d' }]);
    expect((await search('Practitioner', '')).references).toEqual([]);
    expect(asked).toEqual([]);
  });
  it('types that are neither are not searched', async () => {
    expect(await search('Binary,AuditEvent', 'x')).toEqual({ references: [], more: false });
    expect(asked).toEqual([]);
  });
  it('a type that the EHR refuses leaves the others; all refused is said', async () => {
    expect((await search('Condition,Observation', 'weight')).references).toHaveLength(1);
    await expect(search('Condition', '')).rejects.toThrow(PriorAuthError);
  });
  it.each(['', 'observation', 'Observation;drop', 'A'.repeat(3) + ',', '../Patient'])('bad types %j', (types) => {
    expect(PANEL_API.searchReferences.request.safeParse({ types, filter: '' }).success).toBe(false);
  });
});
