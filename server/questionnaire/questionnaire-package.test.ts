import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Coverage, DeviceRequest, Patient, Resource } from '@medplum/fhirtypes';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { openValidator } from '#fhir/validation/validator.ts';
import { openStore } from '#store/database.ts';
import { parseDefineReference } from './cql/define-reference.ts';
import { patientQuery } from './populate-fhirpath.ts';
import { buildPackageRequest, readPackageAnswer, sendPackageRequest } from './questionnaire-package.ts';
import { createQuestionnaireService } from './questionnaire-service.ts';

const coverage: Coverage = { resourceType: 'Coverage', id: 'c', status: 'active', beneficiary: { reference: 'Patient/p' }, payor: [{ display: 'x' }], subscriberId: '1', relationship: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/subscriber-relationship', code: 'self' }] }, period: { start: '2020-01-01' } };
const order: DeviceRequest = { resourceType: 'DeviceRequest', id: 'o', status: 'active', intent: 'order', subject: { reference: 'Patient/p' }, codeCodeableConcept: { coding: [{ system: 'x', code: 'E1390' }] } };
const patient: Patient = { resourceType: 'Patient', id: 'p' };
const questionnaire = { resourceType: 'Questionnaire', url: 'http://q', version: '1', status: 'active' };
const bundle = { resourceType: 'Bundle', type: 'collection', entry: [{ resource: questionnaire }] };
const outcome = { resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'not-found', details: { text: 'one is missing' } }] };
const parameters = (...parameter: object[]) => ({ resourceType: 'Parameters', parameter });

describe('the request', () => {
  it('holds what DTR 2.0.1 names, in its parts', () => {
    const request = buildPackageRequest({ coverage, order, referenced: [patient], questionnaires: ['http://q|1'], context: 'a-1', changedSince: '2026-11-22T10:00:00Z' });
    expect(request.parameter?.map(({ name }) => name)).toEqual(['coverage', 'order', 'referenced', 'questionnaire', 'context', 'changedsince']);
  });
});

describe('answers that payers really send', () => {
  it.each<[string, unknown, string, string[]]>([
    ['a bare Bundle', bundle, 'packages', []],
    ['Parameters, PackageBundle', parameters({ name: 'PackageBundle', resource: bundle }), 'packages', []],
    ['Parameters, return', parameters({ name: 'return', resource: bundle }), 'packages', []],
    ['Parameters, packagebundle and outcome', parameters({ name: 'packagebundle', resource: bundle }, { name: 'outcome', resource: outcome }), 'packages', ['one is missing']],
    ['Parameters, nested parts', parameters({ name: 'return', part: [{ name: 'x', resource: bundle }] }), 'packages', []],
    ['a bare Questionnaire', questionnaire, 'packages', []],
    ['empty Parameters', parameters(), 'nothing-to-fill', []],
    ['Parameters without the element', { resourceType: 'Parameters' }, 'nothing-to-fill', []],
    ['only an OperationOutcome', outcome, 'nothing-to-fill', ['one is missing']],
    ['a Bundle without a Questionnaire', { resourceType: 'Bundle', type: 'collection' }, 'nothing-to-fill', ['The payer sent something that is not a form; it was left out.']],
    ['entries that are no resources', { ...bundle, entry: [{}, { resource: 3 }, { resource: questionnaire }] }, 'packages', []],
  ])('%s', (_name, answer, kind, warnings) => expect(readPackageAnswer(answer)).toMatchObject({ kind, warnings }));
  it.each([null, 3, 'text', [], {}, { parameter: [] }])('%j is unreadable', (answer) => {
    expect(() => readPackageAnswer(answer)).toThrow(expect.objectContaining({ code: 'PAYER_ANSWER_UNREADABLE' }));
  });
  it('the same form twice is one', () => {
    const read = readPackageAnswer(parameters({ name: 'a', resource: bundle }, { name: 'b', resource: bundle }));
    expect(read.kind === 'packages' && read.packages.map(({ canonical }) => canonical)).toEqual(['http://q|1']);
  });
});

describe('what can go wrong at the payer', () => {
  it.each<[number, string, string, boolean]>([
    [500, '', 'PAYER_UNAVAILABLE', true], [429, '', 'PAYER_UNAVAILABLE', true], [401, '', 'PAYER_REFUSED', false],
    [422, JSON.stringify(outcome), 'PAYER_REFUSED', false], [200, '<html>', 'PAYER_ANSWER_UNREADABLE', false],
  ])('HTTP %i %s', async (status, body, code, retryable) => {
    const server = createServer((_req, res) => res.writeHead(status).end(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(sendPackageRequest(base, fetch, { resourceType: 'Parameters' })).rejects.toMatchObject({ code, retryable });
    server.close();
  });
  it('nobody there', async () => {
    await expect(sendPackageRequest('http://127.0.0.1:1', fetch, { resourceType: 'Parameters' })).rejects.toMatchObject({ code: 'PAYER_UNAVAILABLE', retryable: true });
  });
});

describe('how payers name a define', () => {
  it.each<[string, unknown]>([
    ['"Lib".Def', { library: 'Lib', define: 'Def' }], ['"Lib"."Def with spaces"', { library: 'Lib', define: 'Def with spaces' }], ['"Lib".Def with spaces', { library: 'Lib', define: 'Def with spaces' }],
    ['Lib.Def', { library: 'Lib', define: 'Def' }], ['Def', { define: 'Def' }], ['"Def x"', { define: 'Def x' }], [' "Lib" . Def ', { library: 'Lib', define: 'Def' }],
    ['1 + 1', undefined], ['', undefined], ['First([Condition])', undefined], ['"a" & "b"', undefined],
  ])('%s', (text, expected) => expect(parseDefineReference(text)).toEqual(expected));
});

describe('a payer’s query stays with the launched patient', () => {
  it.each<[string, unknown]>([
    ['Condition?patient=other', { type: 'Condition', parameters: { patient: 'p' } }],
    ['Observation?subject=Patient/other&code=x|1', { type: 'Observation', parameters: { code: 'x|1', patient: 'p' } }],
    ['Condition?patient.name=a&patient:Patient=b&_include=*', { type: 'Condition', parameters: { patient: 'p' } }],
    ['Patient?name=a', undefined], ['https://elsewhere/Condition', undefined], ['../secrets', undefined], ['', undefined],
  ])('%s', (query, expected) => expect(patientQuery(query, 'p')).toEqual(expected));
});

const CASES = new URL('../../../shared/cases/dtr/', import.meta.url);
const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, CASES), 'utf8'));
if (!existsSync(CASES)) console.log('left out: packages of ../shared/cases/dtr (not there)');
describe.skipIf(!existsSync(CASES))('packages made by others (../shared/cases/dtr; left out when it is not there)', () => {
  it.each<[string, number, number]>([
    ['questionnaire_package_output_params_conformant.json', 2, 0], ['questionnaire_package_output_params_non_conformant.json', 0, 9], ['questionnaire_package_output_params_ri.json', 7, 9],
  ])('%s', (name, libraries, valueSets) => {
    const answer = readPackageAnswer(read(name));
    if (answer.kind !== 'packages') throw new Error('no package');
    expect(answer.packages).toHaveLength(1);
    expect(answer.packages[0]).toMatchObject({ libraries: { length: libraries }, valueSets: { length: valueSets } });
  });

  it('the reference payer’s libraries run on an empty chart: no expression fails, names are matched by their content', async () => {
    const store = await openStore({ dataDir: 'memory' });
    const service = await createQuestionnaireService({ store, log: pino({ level: 'silent' }), now: () => Date.now() });
    const answer = readPackageAnswer(read('questionnaire_package_output_params_ri.json'));
    if (answer.kind !== 'packages' || !answer.packages[0]) throw new Error('no package');
    const population = await service.populate({
      package: answer.packages[0],
      launch: { patient: { resourceType: 'Patient', id: 'p', name: [{ use: 'official', family: 'Okafor', given: ['Grace'] }], birthDate: '1951-04-02', gender: 'female' }, order, coverage },
      ehr: { search: async (): Promise<Resource[]> => [], follow: async () => undefined },
    });
    expect(population.cqlMode).toBe('shipped-elm');
    expect(population.failures.filter(({ kind }) => kind === 'runtime' || kind === 'time-limit')).toEqual([]);
    expect(population.values['PBD.1']?.values).toEqual(['Okafor']);
    expect(population.values['PBD.4']?.values).toEqual(['1951-04-02']);
    await service.stop();
    await store.close();
  }, 30_000);
});

describe('our request', () => {
  it('is valid to the 2.0.1 input profile', () => {
    const report = openValidator(['dtr-2.0.1']).validate(buildPackageRequest({ coverage, order, referenced: [], questionnaires: ['http://q|1'] }));
    expect(report.issues.filter(({ severity, path }) => severity === 'error' && !path.includes('resource')).map(({ path, message }) => `${path} ${message}`)).toEqual([]);
  });
});
