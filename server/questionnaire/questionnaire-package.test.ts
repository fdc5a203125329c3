import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Coverage, DeviceRequest, Patient, Resource } from '@medplum/fhirtypes';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { openValidator } from '#fhir/validation/validator.ts';
import { openStore } from '#store/database.ts';
import { parseDefineReference } from './cql/define-reference.ts';
import { findValueSet } from './package-faults.ts';
import { buildPackageRequest, fetchPackages } from './questionnaire-package.ts';
import { readPackageAnswer } from './read-package.ts';
import { createQuestionnaireService } from './questionnaire-service.ts';

const coverage: Coverage = { resourceType: 'Coverage', id: 'c', status: 'active', beneficiary: { reference: 'Patient/p' }, payor: [{ display: 'x' }], subscriberId: '1', relationship: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/subscriber-relationship', code: 'self' }] }, period: { start: '2020-01-01' } };
const order: DeviceRequest = { resourceType: 'DeviceRequest', id: 'o', status: 'active', intent: 'order', subject: { reference: 'Patient/p' }, codeCodeableConcept: { coding: [{ system: 'x', code: 'E1390' }] } };
const patient: Patient = { resourceType: 'Patient', id: 'p' };
const questionnaire = { resourceType: 'Questionnaire', url: 'http://q', version: '1', status: 'active', item: [{ linkId: 'one', type: 'string' }] };
const bundle = { resourceType: 'Bundle', type: 'collection', entry: [{ resource: questionnaire }] };
const outcome = { resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'not-found', details: { text: 'one is missing' } }] };
const parameters = (...parameter: object[]) => ({ resourceType: 'Parameters', parameter });

const request = { coverage, order, referenced: [patient], questionnaires: ['http://q|1'], context: 'a-1', changedSince: '2026-11-22T10:00:00Z' };

describe('the request', () => {
  it.each([
    ['2.0.1', ['coverage', 'order', 'referenced', 'questionnaire', 'context', 'changedsince']],
    ['2.2', ['coverage', 'order', 'questionnaire', 'context', 'changedsince']],
  ] as const)('holds what DTR %s names, in its parts', (version, names) => {
    expect(buildPackageRequest(request, version).parameter?.map(({ name }) => name)).toEqual(names);
  });
  it('goes to the payer’s own address of the operation', async () => {
    const asked: string[] = [];
    await fetchPackages({ payerId: 'p', base: 'http://payer/fhir', dtr: { version: '2.0.1', operations: { questionnairePackage: '$questionnaire-package' } }, fetch: async (url) => (asked.push(url), new Response('')) }, request);
    expect(asked).toEqual(['http://payer/fhir/$questionnaire-package']);
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
    ['Parameters, PACKAGEBUNDLE', parameters({ name: 'PACKAGEBUNDLE', resource: bundle }), 'packages', []],
    ['two forms in one Bundle', { ...bundle, entry: [...bundle.entry, { resource: { ...questionnaire, url: 'http://r' } }] }, 'packages', ['The payer sent several forms in one package. Each is shown as a form of its own.']],
    ['two packages', parameters({ name: 'return', resource: bundle }, { name: 'return', resource: { ...bundle, entry: [{ resource: { ...questionnaire, url: 'http://r' } }] } }), 'packages', []],
    ['an OperationOutcome inside of the Bundle', { ...bundle, entry: [...bundle.entry, { resource: outcome }] }, 'packages', ['one is missing']],
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
    await expect(fetchPackages({ payerId: 'p', base, dtr: { version: '2.0.1' }, fetch }, request)).rejects.toMatchObject({ code, retryable });
    server.close();
  });
  it('nobody there', async () => {
    await expect(fetchPackages({ payerId: 'p', base: 'http://127.0.0.1:1', dtr: { version: '2.0.1' }, fetch }, request)).rejects.toMatchObject({ code: 'PAYER_UNAVAILABLE', retryable: true });
  });
});

describe('how payers name a define', () => {
  it.each<[string, unknown]>([
    ['"Lib".Def', { library: 'Lib', define: 'Def' }], ['"Lib"."Def with spaces"', { library: 'Lib', define: 'Def with spaces' }], ['"Lib".Def with spaces', { library: 'Lib', define: 'Def with spaces' }],
    ['Lib.Def', { library: 'Lib', define: 'Def' }], ['Def', { define: 'Def' }], ['"Def x"', { define: 'Def x' }], [' "Lib" . Def ', { library: 'Lib', define: 'Def' }],
    ['1 + 1', undefined], ['', undefined], ['First([Condition])', undefined], ['"a" & "b"', undefined],
  ])('%s', (text, expected) => expect(parseDefineReference(text)).toEqual(expected));
});

const CASES = new URL('../../../shared/cases/dtr/', import.meta.url);
const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, CASES), 'utf8'));
if (!existsSync(CASES)) console.log('left out: packages of ../shared/cases/dtr (not there)');
describe.skipIf(!existsSync(CASES))('packages made by others (../shared/cases/dtr; left out when it is not there)', () => {
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

describe('what a package holds', () => {
  const item = (linkId: string, more: object = {}) => ({ linkId, type: 'string', text: linkId, ...more });
  const sub = (canonical: string) => item('place', { type: 'display', extension: [{ url: 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-subQuestionnaire', valueCanonical: canonical }] });
  const main = (...items: object[]) => ({ ...questionnaire, title: 'Main', item: items });
  const other = { resourceType: 'Questionnaire', id: 'Other', url: 'http://other', version: '2', status: 'active', item: [item('inner')] };
  const packages = (...resources: object[]) => {
    const answer = readPackageAnswer({ resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ resource })) });
    return answer.kind === 'packages' ? answer.packages : [];
  };
  const linkIds = (one: ReturnType<typeof packages>[number] | undefined) => one?.questionnaire.item?.map(({ linkId }) => linkId);

  it.each([['http://other|2'], ['http://other'], ['Questionnaire/Other']])('a sub-questionnaire named %s stands where it is named', (canonical) => {
    const found = packages(main(item('a'), sub(canonical), item('z')), other);
    expect(found.map(({ canonical: one }) => one)).toEqual(['http://q|1']);
    expect(linkIds(found[0])).toEqual(['a', 'inner', 'z']);
  });
  it('one that nobody names is a form of its own', () => expect(packages(main(item('a')), other).map(({ canonical }) => canonical)).toEqual(['http://q|1', 'http://other|2']));
  it('one that takes in itself ends', () => expect(linkIds(packages(main(item('a'), sub('http://q|1')))[0])).toEqual(['a', 'place']));
  it('two versions of a value set: the one that is named', () => {
    const set = (version: string) => ({ resourceType: 'ValueSet', url: 'http://set', version, status: 'active', expansion: { timestamp: '2026-01-01', contains: [{ code: version }] } });
    const [one] = packages(main(item('a', { type: 'choice', answerValueSet: 'http://set|2' })), set('1'), set('2'));
    expect(one?.faults).toBeUndefined();
    expect(one && findValueSet('http://set|2', one.questionnaire, one.valueSets)?.version).toBe('2');
  });
  it.each([
    ['adaptive by boolean', { valueBoolean: true }, {}],
    ['adaptive by url', { valueUrl: 'https://payer/fhir' }, { base: 'https://payer/fhir' }],
    ['not adaptive', { valueBoolean: false }, undefined],
  ])('%s', (_name, value, adaptive) => {
    expect(packages({ ...main(), extension: [{ url: 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-questionnaireAdaptive', ...value }] })[0]?.adaptive).toEqual(adaptive);
  });
  it('a rule that is not there is said to staff and to the payer', () => {
    const cql = item('a', { extension: [{ url: 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-initialExpression', valueExpression: { language: 'text/cql', expression: '"Rules".A' } }] });
    const [one] = packages({ ...main(cql), extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/cqf-library', valueCanonical: 'http://payer/Library/Rules|1' }] });
    expect(one).toMatchObject({ faults: [{ kind: 'library-missing', place: 'http://payer/Library/Rules|1' }], warnings: [expect.stringContaining('Rules')] });
  });
});
