import type { Bundle } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningSandboxEhr, runSandboxEhr, TEST_BACKEND } from '#test-fixtures/running-sandbox-ehr.ts';

let ehr: RunningSandboxEhr;
let token: string;
let skewMs = 0;
beforeAll(async () => {
  ehr = await runSandboxEhr({ now: () => Date.now() + skewMs });
  token = await ehr.systemToken();
});
afterAll(() => ehr.stop());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

async function call(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`${ehr.fhirBase}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(text === undefined ? {} : { 'content-type': 'application/fhir+json' }), ...headers },
    ...(text === undefined ? {} : { body: text }),
  });
  const answer = await response.text();
  return { status: response.status, headers: response.headers, body: answer ? (JSON.parse(answer) as Record<string, unknown>) : {} };
}

const patient = (family: string) => ({ resourceType: 'Patient', name: [{ family }] });
const stored = async (search: string): Promise<number> => Number((await call('GET', search)).body['total']);

describe('create, read, update, delete', () => {
  it('goes through a life', async () => {
    const created = await call('POST', '/Patient', patient('Lifecycle'));
    expect(created.status).toBe(201);
    expect(created.headers.get('etag')).toBe('W/"1"');
    const id = String(created.body['id']);
    expect(created.headers.get('location')).toBe(`${ehr.fhirBase}/Patient/${id}/_history/1`);

    const updated = await call('PUT', `/Patient/${id}`, { ...patient('Renamed'), id }, { 'if-match': 'W/"1"' });
    expect([updated.status, updated.headers.get('etag')]).toEqual([200, 'W/"2"']);
    expect((await call('PUT', `/Patient/${id}`, { ...patient('Late'), id }, { 'if-match': 'W/"1"' })).status).toBe(412);
    expect(await stored('/Patient?family=Lifecycle')).toBe(0);
    expect(await stored('/Patient?family=Renamed')).toBe(1);

    expect((await call('GET', `/Patient/${id}/_history/1`)).body).toMatchObject({ name: [{ family: 'Lifecycle' }], meta: { versionId: '1' } });
    expect((await call('GET', `/Patient/${id}/_history`)).body).toMatchObject({ type: 'history', total: 2 });
    expect((await fetch(`${ehr.fhirBase}/Patient/${id}`, { headers: { authorization: `Bearer ${token}`, 'if-none-match': 'W/"2"' } })).status).toBe(304);

    expect((await call('DELETE', `/Patient/${id}`)).status).toBe(204);
    expect((await call('GET', `/Patient/${id}`)).status).toBe(410);
    expect(await stored('/Patient?family=Renamed')).toBe(0);
    expect((await call('DELETE', `/Patient/${id}`)).status).toBe(204);
    expect((await call('PUT', `/Patient/${id}`, { ...patient('Back'), id })).status).toBe(201);
    expect((await call('GET', `/Patient/${id}`)).headers.get('etag')).toBe('W/"4"');
  });

  it('creates conditionally, also when two try at once', async () => {
    const body = { ...patient('Once'), identifier: [{ system: 'urn:once', value: '1' }] };
    const answers = await Promise.all([1, 2, 3].map(() => call('POST', '/Patient', body, { 'if-none-exist': 'identifier=urn:once|1' })));
    expect(answers.map((answer) => answer.status).sort((a, b) => a - b)).toEqual([200, 200, 201]);
    await call('POST', '/Patient', body);
    expect((await call('POST', '/Patient', body, { 'if-none-exist': 'identifier=urn:once|1' })).status).toBe(412);
  });

  it('answers return=minimal with no body', async () => expect(await call('POST', '/Patient', patient('Small'), { prefer: 'return=minimal' })).toMatchObject({ status: 201, body: {} }));
});

describe('bad input', () => {
  it.each<[string, string, string, unknown, Record<string, string>, number]>([
    ['bad JSON', 'POST', '/Patient', '{"resourceType":', {}, 400],
    ['no body', 'POST', '/Patient', undefined, { 'content-type': 'application/fhir+json' }, 400],
    ['wrong content type', 'POST', '/Patient', 'x', { 'content-type': 'text/plain' }, 415],
    ['a list', 'POST', '/Patient', [], {}, 400],
    ['a string', 'POST', '/Patient', '"x"', {}, 400],
    ['no resourceType', 'POST', '/Patient', {}, {}, 400],
    ['another resourceType', 'POST', '/Patient', { resourceType: 'Group', type: 'person', actual: true }, {}, 400],
    ['unknown resourceType', 'POST', '/Patient', { resourceType: 'Alien' }, {}, 422],
    ['unknown element', 'POST', '/Patient', { resourceType: 'Patient', colour: 'red' }, {}, 422],
    ['list where one belongs', 'POST', '/Patient', { resourceType: 'Patient', gender: ['male'] }, {}, 422],
    ['one where a list belongs', 'POST', '/Patient', { resourceType: 'Patient', name: { family: 'x' } }, {}, 422],
    ['number where text belongs', 'POST', '/Patient', { resourceType: 'Patient', birthDate: 1950 }, {}, 422],
    ['required element missing', 'POST', '/Observation', { resourceType: 'Observation', code: { text: 'x' } }, {}, 422],
    ['illegal id', 'PUT', '/Patient/a_b', { resourceType: 'Patient', id: 'x' }, {}, 400], ['illegal id in the resource', 'PUT', '/Patient/a', { resourceType: 'Patient', id: 'a_b' }, {}, 422],
    ['other id than the url', 'PUT', '/Patient/a', { resourceType: 'Patient', id: 'b' }, {}, 400],
    ['malformed If-Match', 'PUT', '/Patient/a', { resourceType: 'Patient', id: 'a' }, { 'if-match': 'soon' }, 400],
    ['If-Match on nothing', 'PUT', '/Patient/nothing-yet', { resourceType: 'Patient', id: 'nothing-yet' }, { 'if-match': 'W/"1"' }, 412],
    ['unknown type', 'GET', '/Alien/1', undefined, {}, 404],
    ['type in lower case', 'GET', '/patient/pat-oxygen', undefined, {}, 404],
    ['unknown id', 'GET', '/Patient/nobody', undefined, {}, 404],
    ['unknown version', 'GET', '/Patient/pat-oxygen/_history/99', undefined, {}, 404],
    ['history of nothing', 'GET', '/Patient/nobody/_history', undefined, {}, 404],
    ['delete of nothing', 'DELETE', '/Patient/nobody', undefined, {}, 404],
    ['unknown filter', 'GET', '/Patient?colour=red', undefined, {}, 400],
    ['unknown operation', 'POST', '/Patient/pat-oxygen/$everything', { resourceType: 'Parameters' }, {}, 405],
    ['malformed percent escape', 'GET', '/Patient/%E0%A4%A', undefined, {}, 400],
    ['document Bundle', 'POST', '/', { resourceType: 'Bundle', type: 'document' }, {}, 400],
    ['entry without request', 'POST', '/', { resourceType: 'Bundle', type: 'transaction', entry: [{ resource: patient('x') }] }, {}, 400],
    ['U+0000 in text', 'POST', '/Patient', patient('a\u0000b'), {}, 422],
  ])('%s', async (_name, method, path, body, headers, status) => {
    const answer = await call(method, path, body, headers);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/fhir+json');
    expect(answer.body).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ severity: 'error' }] });
    expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|\.ts:/);
  });
  it('refuses a body over 1 MB with 413', async () => expect((await call('POST', '/Patient', patient('x'.repeat(1_100_000)))).status).toBe(413));
  it('searches by POST form and refuses another form', async () => {
    expect((await call('POST', '/Patient/_search', 'family=Okafor', { 'content-type': 'application/x-www-form-urlencoded' })).body['total']).toBe(1);
    expect((await call('POST', '/Patient/_search', '{}')).status).toBe(415);
  });
});

const entry = (method: string, url: string, resource?: object, fullUrl?: string, more: object = {}) => ({ ...(fullUrl ? { fullUrl } : {}), ...(resource ? { resource } : {}), request: { method, url, ...more } });
const transaction = (...entries: object[]) => ({ resourceType: 'Bundle', type: 'transaction', entry: entries });

describe('transactions', () => {
  it('rewrites urn:uuid references of POST and PUT entries', async () => {
    const answer = await call('POST', '', transaction(
      entry('POST', 'Observation', { resourceType: 'Observation', status: 'final', code: { text: 'tx' }, subject: { reference: 'urn:uuid:11111111-1111-4111-8111-111111111111' }, performer: [{ reference: 'urn:uuid:22222222-2222-4222-8222-222222222222' }] }),
      entry('POST', 'Patient', patient('Txa'), 'urn:uuid:11111111-1111-4111-8111-111111111111'),
      entry('PUT', 'Practitioner/tx-doc', { resourceType: 'Practitioner', id: 'tx-doc' }, 'urn:uuid:22222222-2222-4222-8222-222222222222'),
      entry('GET', 'Patient?family=Txa'),
    ));
    expect(answer.status).toBe(200);
    const bundle = answer.body as unknown as Bundle;
    expect(bundle.type).toBe('transaction-response');
    expect(bundle.entry?.map((one) => one.response?.status)).toEqual(['201 Created', '201 Created', '201 Created', '200 OK']);
    expect(bundle.entry?.[3]?.resource).toMatchObject({ total: 1 });
    expect(await stored('/Observation?patient.family=Txa&performer=Practitioner/tx-doc')).toBe(1);
  });

  it.each<[string, object, number]>([
    ['an invalid resource', entry('POST', 'Observation', { resourceType: 'Observation' }), 422],
    ['a failing If-Match', entry('PUT', 'Patient/pat-plain', { resourceType: 'Patient', id: 'pat-plain' }, undefined, { ifMatch: 'W/"99"' }), 412],
    ['a missing GET', entry('GET', 'Patient/nobody'), 404],
    ['an unknown conditional reference', entry('POST', 'Observation', { resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: { reference: 'Patient?identifier=urn:none|1' } }), 412],
    ['the same resource twice', entry('PUT', 'Patient/twice', { resourceType: 'Patient', id: 'twice' }), 400],
  ])('stores nothing when it holds %s', async (_name, bad, status) => {
    const good = [entry('POST', 'Patient', patient('Atomic')), entry('PUT', 'Patient/twice', { resourceType: 'Patient', id: 'twice' }), entry('DELETE', 'Condition/cond-plain-2')];
    expect((await call('POST', '', transaction(...good, bad))).status).toBe(status);
    expect(await stored('/Patient?family=Atomic')).toBe(0);
    expect((await call('GET', '/Patient/twice')).status).toBe(404);
    expect((await call('GET', '/Condition/cond-plain-2')).status).toBe(200);
  });

  it('conditional create and conditional reference', async () => {
    const bundle = transaction(
      entry('POST', 'Patient', { ...patient('Cond'), identifier: [{ system: 'urn:c', value: '1' }] }, 'urn:uuid:33333333-3333-4333-8333-333333333333', { ifNoneExist: 'identifier=urn:c|1' }),
      entry('POST', 'Condition', { resourceType: 'Condition', subject: { reference: 'urn:uuid:33333333-3333-4333-8333-333333333333' } }),
    );
    await call('POST', '', bundle);
    await call('POST', '', bundle);
    expect([await stored('/Patient?identifier=urn:c|1'), await stored('/Condition?subject:Patient.identifier=urn:c|1')]).toEqual([1, 2]);
    await call('POST', '', transaction(entry('POST', 'Condition', { resourceType: 'Condition', subject: { reference: 'Patient?identifier=urn:c|1' } })));
    expect(await stored('/Condition?subject:Patient.identifier=urn:c|1')).toBe(3);
  });

  it('a batch keeps what is good', async () => {
    const { body } = await call('POST', '', { ...transaction(entry('POST', 'Patient', patient('Batch')), entry('GET', 'Patient/nobody'), entry('PATCH', 'Patient/x')), type: 'batch' });
    expect((body as unknown as Bundle).entry?.map((one) => one.response?.status)).toEqual(['201 Created', '404', '400']);
    expect(await stored('/Patient?family=Batch')).toBe(1);
  });
});

describe('tokens', () => {
  it.each([['none', ''], ['garbage', 'Bearer abc'], ['another scheme', 'Basic abc'], ['no algorithm', 'Bearer eyJhbGciOiJub25lIn0.e30.']])('%s is refused with 401', async (_name, authorization) => {
    const response = await fetch(`${ehr.fhirBase}/Patient/pat-oxygen`, { headers: authorization ? { authorization } : {} });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });
  it('refuses an expired token', async () => {
    skewMs = 16 * 60_000;
    const answer = await call('GET', '/Patient/pat-oxygen');
    skewMs = 0;
    expect(answer).toMatchObject({ status: 401, body: { issue: [{ code: 'expired' }] } });
  });
  it('keeps each interaction to its letter', async () => {
    const { body } = await ehr.postToken({ grant_type: 'client_credentials', scope: 'system/Patient.rs' }, TEST_BACKEND);
    const headers = { authorization: `Bearer ${String(body['access_token'])}` };
    expect((await call('GET', '/Patient/pat-oxygen', undefined, headers)).status).toBe(200);
    expect((await call('GET', '/Patient?family=Okafor', undefined, headers)).status).toBe(200);
    expect((await call('GET', '/Condition?patient=pat-oxygen', undefined, headers)).status).toBe(403);
    expect((await call('POST', '/Patient', patient('No'), headers)).status).toBe(403);
    expect((await call('PUT', '/Patient/pat-oxygen', { resourceType: 'Patient', id: 'pat-oxygen' }, headers)).status).toBe(403);
    expect((await call('DELETE', '/Patient/pat-oxygen', undefined, headers)).status).toBe(403);
    expect((await call('POST', '', transaction(entry('DELETE', 'Patient/pat-oxygen')), headers)).status).toBe(403);
  });
  it('audits with ids only', async () => {
    await call('GET', '/Patient/pat-stress');
    await ehr.audit.flush();
    const rows = await ehr.store.db.withTables<{ 'audit.event': { who: string; action: string; resource: unknown } }>().selectFrom('audit.event').selectAll().where('action', '=', 'ehr-read').execute();
    const text = JSON.stringify(rows);
    expect(text).toContain('Patient/pat-stress');
    expect(text).not.toContain('Lindqvist');
  });
});

it('metadata needs no token and names the endpoints', async () => {
  const response = await fetch(`${ehr.fhirBase}/metadata`);
  expect(await response.json()).toMatchObject({ resourceType: 'CapabilityStatement', fhirVersion: '4.0.1', implementation: { url: ehr.fhirBase } });
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
});
