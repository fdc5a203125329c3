import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Bundle, DeviceRequest, Expression, Extension, Library, Observation, Patient, Practitioner, Questionnaire, QuestionnaireItem, Resource, ValueSet } from '@medplum/fhirtypes';
import express from 'express';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openValidator } from '#fhir/validation/validator.ts';
import type { ReadProgress } from '#prior-auth/panel-api.ts';
import { withComputedElements } from '#prior-auth/questionnaire/computed-elements.ts';
import { draftResponse } from '#prior-auth/questionnaire/draft-response.ts';
import { openForm } from '#prior-auth/questionnaire/open-form.ts';
import { prepopulate } from '#prior-auth/questionnaire/prepopulate.ts';
import { openStore, type Store } from '#store/database.ts';
import { openEhr } from '../ehr/ehr-client.ts';
import { evaluateFhirPath } from '../panel-api/evaluate-fhirpath.ts';
import type { QuestionnairePackage } from './package.ts';
import { createQuestionnaireService, type QuestionnaireService } from './questionnaire-service.ts';

const NOW = Date.UTC(2026, 10, 22, 12);
const H = 'http://hl7.org/fhir/StructureDefinition/';
const S = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-';
const subject = { reference: 'Patient/p1' };
const patient: Patient = { resourceType: 'Patient', id: 'p1', name: [{ family: 'Okafor', given: ['Margaret'] }], birthDate: '1951-04-02', gender: 'female' };
const practitioner: Practitioner = { resourceType: 'Practitioner', id: 'd1', name: [{ family: 'Reyes' }] };
const order: DeviceRequest = { resourceType: 'DeviceRequest', id: 'o1', status: 'active', intent: 'order', subject, codeCodeableConcept: { coding: [{ system: 'x', code: 'E1390' }] } };
const LOINC = 'http://loinc.org';
const observation = (id: string, code: string, value: number, on = '2026-11-01'): Observation => ({
  resourceType: 'Observation', id, status: 'final', subject, code: { coding: [{ system: LOINC, code, display: `Test ${code}` }] }, effectiveDateTime: on, valueQuantity: { value, unit: '%', code: '%', system: 'http://unitsofmeasure.org' },
});
const medication = (id: string, text: string, authoredOn = '2026-10-01'): Resource => ({ resourceType: 'MedicationRequest', id, status: 'active', intent: 'order', subject, authoredOn, medicationCodeableConcept: { text } });
const RECORD: Resource[] = [
  observation('o2', '59408-5', 86), observation('o3', '8302-2', 160), medication('m1', 'topiramate 100 mg'), medication('m2', 'propranolol 80 mg'),
  { resourceType: 'Condition', id: 'c1', subject, code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'J44.9', display: 'COPD' }] } },
  { resourceType: 'DocumentReference', id: 'note', status: 'current', subject, content: [{ attachment: { contentType: 'text/plain', data: 'aGk=', title: 'note' } }] },
];

interface TestEhr { readonly base: string; readonly asked: string[]; close(): void }
interface Behaviour { readonly failing?: readonly string[]; readonly slow?: readonly string[]; readonly refusesNarrow?: boolean; readonly pageSize?: number; readonly record?: readonly Resource[] }

async function startEhr({ failing = [], slow = [], refusesNarrow = false, pageSize = 1_000, record = RECORD }: Behaviour = {}): Promise<TestEhr> {
  const asked: string[] = [];
  const app = express();
  app.get('/fhir/:type/:id', (req, res) => {
    asked.push(req.url);
    const found = [...record, practitioner].find(({ resourceType, id }) => resourceType === req.params.type && id === req.params.id);
    if (found) res.json(found);
    else res.status(404).end();
  });
  app.get('/fhir/:type', (req, res) => {
    asked.push(req.url);
    const { type } = req.params;
    if (failing.includes(type)) return void res.status(500).end();
    if (slow.includes(type)) return void setTimeout(() => res.status(503).end(), 5_000).unref();
    const { searchParams } = new URL(req.url, 'http://x');
    if (refusesNarrow && [...searchParams.keys()].some((name) => !['patient', '_count', 'page'].includes(name))) return void res.status(400).end();
    const codes = searchParams.getAll('code').flatMap((value) => value.split(','));
    const found = record.filter((one) => one.resourceType === type && searchParams.get('patient') === 'p1' && (codes.length === 0 || codes.some((code) => JSON.stringify(one).includes(`"code":"${code.split('|').at(-1)}"`))));
    const page = Number(searchParams.get('page') ?? 0);
    const rest = found.slice(page * pageSize, (page + 1) * pageSize);
    searchParams.set('page', String(page + 1));
    const bundle: Bundle = { resourceType: 'Bundle', type: 'searchset', entry: rest.map((resource) => ({ resource })), ...(found.length > (page + 1) * pageSize ? { link: [{ relation: 'next', url: `${base}/${type}?${searchParams}` }] } : {}) };
    return void res.json(bundle);
  });
  const server: Server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`;
  return { base, asked, close: () => { server.closeAllConnections(); server.close(); } };
}

let store: Store;
let questionnaires: QuestionnaireService;
beforeAll(async () => {
  store = await openStore({ dataDir: 'memory' });
  questionnaires = await createQuestionnaireService({ store, log: pino({ level: 'silent' }), now: () => NOW, limits: { size: 1, timeLimitMs: 800, readLimitMs: 400 } });
  await questionnaires.warmUp();
}, 60_000);
afterAll(async () => {
  await questionnaires.stop();
  await store.close();
});

const valued = (url: string, language: string, expression: string, more: object = {}): Extension => ({ url, valueExpression: { language: language as Expression['language'], expression, ...more } });
const fhirPath = (expression: string, name?: string) => ({ language: 'text/fhirpath', expression, ...(name ? { name } : {}) }) as Expression;
const variable = (name: string, expression: string, language = 'text/fhirpath'): Extension => valued(`${H}variable`, language, expression, { name });
const query = (name: string, expression: string) => variable(name, expression, 'application/x-fhir-query');
const initial = (expression: string, language = 'text/fhirpath', more: object = {}): Extension => valued(`${S}initialExpression`, language, expression, more);
const question = (linkId: string, type: QuestionnaireItem['type'], ...extension: Extension[]): QuestionnaireItem => ({ linkId, type, text: `Question ${linkId}`, ...(extension.length > 0 ? { extension } : {}) });

const b64 = (text: string) => Buffer.from(text).toString('base64');
const library = (name: string, body: string, more: Partial<Library> = {}): Library => ({
  resourceType: 'Library', status: 'active', type: { text: 'logic' }, url: `http://payer/Library/${name}`, name, ...more,
  content: [{ contentType: 'text/cql', data: b64(`library ${name} version '1' using FHIR version '4.0.1' ${body}`) }],
});

interface Given extends Behaviour { readonly root?: Extension[]; readonly libraries?: Library[]; readonly valueSets?: ValueSet[] }
async function fill(items: QuestionnaireItem[], { root = [], libraries = [], valueSets = [], ...behaviour }: Given = {}) {
  const questionnaire: Questionnaire = { resourceType: 'Questionnaire', url: 'http://payer/q', version: '1', status: 'active', title: 'Form', ...(root.length > 0 ? { extension: root } : {}), item: items };
  const pack: QuestionnairePackage = { canonical: 'http://payer/q|1', questionnaire, libraries, valueSets };
  const ehr = await startEhr(behaviour);
  const steps: ReadProgress[] = [];
  const author = { reference: 'Practitioner/d1' };
  const draft = draftResponse({ questionnaire, patient: 'Patient/p1', coverage: 'Coverage/c1', order: 'DeviceRequest/o1', purposes: ['withpa'], author, authored: '2026-11-22T12:00:00Z' });
  const population = await questionnaires.populate({ package: pack, launch: { patient, order, practitioner }, ehr: openEhr(ehr.base, async () => 'token'), response: draft, onProgress: (progress) => steps.push(progress) });
  ehr.close();
  const filled = withComputedElements(questionnaire, population.elements);
  const merge = (from: typeof draft, populated?: typeof draft) => prepopulate({ questionnaire: filled, draft: from, populated, values: population.values, rows: population.rows, variables: population.variables, author, today: '2026-11-22', valueSets, evaluate: evaluateFhirPath });
  const merged = merge(draft);
  const form = (response = merged.response) => openForm({ questionnaire: filled, response, author, today: '2026-11-22', valueSets, evaluate: evaluateFhirPath, variables: population.variables });
  const answers = Object.fromEntries(form().items().filter(({ type }) => type !== 'group').map(({ path, answers: given }) => [path, given.map(({ value }) => Object.values(value)[0] as unknown)]));
  return { population, merged, merge, form, answers, asked: ehr.asked, steps };
}

describe('names: launch context, variables, their order and reach (§8)', () => {
  it.each<[string, QuestionnaireItem[], Extension[], Record<string, unknown[]>]>([
    ['launch context', [question('a', 'date', initial('%patient.birthDate')), question('b', 'string', initial('%user.name.family')), question('c', 'string', initial('%order.code.coding.code'))], [], { a: ['1951-04-02'], b: ['Reyes'], c: ['E1390'] }],
    ['launch context under the form’s own name', [question('a', 'string', initial('%member.gender'))],
      [{ url: `${S}launchContext`, extension: [{ url: 'name', valueCoding: { code: 'member' } }, { url: 'type', valueCode: 'Patient' }] }], { a: ['female'] }],
    ['variables in any order', [question('a', 'integer', initial('%twice + 1'))], [variable('twice', '%once * 2'), variable('once', '20')], { a: [41] }],
    ['a child’s name goes before the form’s', [{ ...question('g', 'group', variable('n', '2')), item: [question('a', 'integer', initial('%n'))] }, question('b', 'integer', initial('%n'))], [variable('n', '1')], { 'g/a': [2], b: [1] }],
    ['an item’s own variable', [question('a', 'integer', variable('n', '%base + 1'), initial('%n'))], [variable('base', '4')], { a: [5] }],
    ['%resource and %questionnaire', [question('a', 'string', initial('%resource.status')), question('b', 'string', initial('%questionnaire.title')), question('c', 'string', initial('%qitem.linkId'))], [], { a: ['in-progress'], b: ['Form'], c: ['c'] }],
    ['SDC functions', [question('a', 'decimal', initial('(1 | 2 | 6).sum()')), question('b', 'decimal', initial('(1 | 2 | 6).avg()')), question('c', 'integer', initial('(1 | 2 | 6).max()')), question('d', 'integer', initial('(4 | 2).min()'))], [], { a: [9], b: [3], c: [6], d: [2] }],
  ])('%s', async (_name, items, root, expected) => {
    const { answers, population } = await fill(items, { root });
    expect(population.failures).toEqual([]);
    expect(answers).toEqual(expected);
  });
  it('one name twice in one element is an error of the form; the first counts', async () => {
    const { answers, population } = await fill([question('a', 'integer', variable('n', '1'), variable('n', '2'), initial('%n'))]);
    expect(answers).toEqual({ a: [1] });
    expect(population.failures).toEqual([{ linkId: 'a', expression: '%n', kind: 'name-repeated' }]);
  });
  it('variables that need each other fail, and the rest of the form stands', async () => {
    const { answers, population } = await fill([question('a', 'integer', initial('%x')), question('b', 'integer', initial('3'))], { root: [variable('x', '%y'), variable('y', '%x'), query('q', 'Condition?code={{%r.entry.count()}}'), query('r', 'Condition?code={{%q.entry.count()}}')] });
    expect(answers).toEqual({ a: [], b: [3] });
    expect(population.failures.map(({ expression, kind }) => [expression, kind])).toEqual(expect.arrayContaining([['%q', 'circular'], ['%r', 'circular'], ['a', 'runtime']]));
  });
});

describe('queries (application/x-fhir-query)', () => {
  const root = [query('Obs', 'Observation?patient={{%patient.id}}&code=http://loinc.org|59408-5'), query('Cond', 'Condition?patient={{%patient.id}}')];
  it('give Bundles to later expressions, and what was found is the source', async () => {
    const { answers, merged, asked } = await fill([question('a', 'quantity', initial('%Obs.entry.resource.value')), question('b', 'boolean', initial('%Cond.entry.exists()')), question('c', 'reference', initial('%Obs.entry.resource'))], { root });
    expect(answers).toEqual({ a: [expect.objectContaining({ value: 86 })], b: [true], c: [{ reference: 'Observation/o2' }] });
    expect(merged.sources['c']?.[0]?.reference).toBe('Observation/o2');
    expect(asked).toHaveLength(2);
  });
  it('may use the result of another query', async () => {
    const { answers } = await fill([question('a', 'string', initial('%Again.entry.resource.id'))], { root: [query('Again', 'Observation?code={{%Obs.entry.resource.code.coding.system}}|{{%Obs.entry.resource.code.coding.code}}'), root[0] as Extension] });
    expect(answers).toEqual({ a: ['o2'] });
  });
  it.each<[string, string, string[]]>([
    ['another patient', 'Observation?patient=other&subject=Patient/other&patient.name=x&_include=*', ['/fhir/Observation?patient=p1&_count=250']],
    ['two limits of one date', 'Observation?date=ge2020-01-01&date=le2030-01-01', ['/fhir/Observation?patient=p1&_count=250&date=ge2020-01-01&date=le2030-01-01']],
    ['staff by id', 'Practitioner/{{%user.id}}', ['/fhir/Practitioner/d1']],
    ['all patients', 'Patient?name=a', []], ['another server', 'https://elsewhere/Condition', []], ['out of the folder', '../secrets', []], ['a patient by id', 'Condition/c9', []], ['no type', '', []],
  ])('stay with the launched patient: %s', async (_name, text, expected) => {
    const { asked } = await fill([question('a', 'string', initial('%q.entry.resource.id.first()'))], { root: [query('q', text)] });
    expect(asked).toEqual(expected);
  });
});

describe('rows (itemPopulationContext)', () => {
  const rows = (...children: QuestionnaireItem[]): QuestionnaireItem => ({ ...question('meds', 'group', valued(`${S}itemPopulationContext`, 'text/fhirpath', '%Meds.entry.resource', { name: 'med' })), repeats: true, item: children });
  const root = [query('Meds', 'MedicationRequest?patient={{%patient.id}}')];
  const name = question('name', 'string', initial('%med.medication.text'));
  it('one instance for each entry, and the entry is the source of its answers', async () => {
    const { answers, merged } = await fill([rows(name, { ...question('more', 'group'), item: [question('day', 'date', variable('when', '%med.authoredOn'), initial('%when'))] })], { root });
    expect(answers).toEqual({ 'meds[0]/name': ['topiramate 100 mg'], 'meds[0]/more/day': ['2026-10-01'], 'meds[1]/name': ['propranolol 80 mg'], 'meds[1]/more/day': ['2026-10-01'] });
    expect(merged.sources['meds[1]/name']).toEqual([expect.objectContaining({ reference: 'MedicationRequest/m2' })]);
  });
  it('by a query itself', async () => {
    const group = { ...question('meds', 'group', valued(`${S}itemPopulationContext`, 'application/x-fhir-query', 'MedicationRequest?patient={{%patient.id}}', { name: 'med' })), repeats: true, item: [name] };
    expect((await fill([group])).answers).toEqual({ 'meds[0]/name': ['topiramate 100 mg'], 'meds[1]/name': ['propranolol 80 mg'] });
  });
  it('rows in rows', async () => {
    const inner = { ...question('codes', 'group', valued(`${S}itemPopulationContext`, 'text/fhirpath', '%med.medication.text.split(\' \')', { name: 'word' })), repeats: true, item: [question('word', 'string', initial('%word'))] };
    const { answers } = await fill([rows(inner)], { root });
    expect(answers['meds[1]/codes[2]/word']).toEqual(['mg']);
    expect(Object.keys(answers)).toHaveLength(6);
  });
  it('none: one empty instance, no failure', async () => {
    const { answers, population } = await fill([rows(name)], { root, record: [] });
    expect(answers).toEqual({ 'meds[0]/name': [] });
    expect(population.failures).toEqual([]);
  });
  it('a row that a person took away, or worked on, is left as it is at the next reading', async () => {
    const { merged, merge, form } = await fill([rows(name)], { root });
    const without = form();
    without.removeGroup('meds[0]');
    expect(merge(without.response(), merged.response).response.item).toHaveLength(1);
    const changed = form();
    changed.setAnswer('meds[0]/name', 0, { valueString: 'other' });
    changed.clear('meds[1]/name');
    const again = merge(changed.response(), merged.response);
    expect(again.response.item?.map(({ item }) => item?.[0]?.answer?.[0]?.valueString)).toEqual(['other', undefined]);
    expect(again.outcomes.map(({ kind }) => kind)).toEqual(['kept-rows', 'kept-rows']);
    expect(merge(merged.response, merged.response).response).toEqual(merged.response);
  });
});

describe('what is offered, never answered: candidateExpression and contextExpression', () => {
  it('codes, references and words', async () => {
    const root = [query('Meds', 'MedicationRequest?patient={{%patient.id}}')];
    const { population, answers } = await fill([
      question('code', 'open-choice', valued(`${S}candidateExpression`, 'text/fhirpath', '%patient.gender')),
      question('ref', 'reference', valued(`${S}candidateExpression`, 'application/x-fhir-query', 'Condition?patient={{%patient.id}}')),
      question('dx', 'choice', valued(`${S}candidateExpression`, 'application/x-fhir-query', 'Condition?patient={{%patient.id}}')),
      question('text', 'text', { url: `${S}contextExpression`, extension: [{ url: 'label', valueString: 'Medicines' }, { url: 'expression', valueExpression: fhirPath('%Meds.entry.resource') }] }),
      question('old', 'text', { url: `${S}contextExpression`, valueExpression: { ...fhirPath('%patient.birthDate'), description: 'Born' } }),
    ], { root });
    expect(answers).toEqual({ code: [], ref: [], dx: [], text: [], old: [] });
    const source = expect.objectContaining({ reference: 'Condition/c1' });
    expect(population.offers).toEqual({
      code: { candidates: [{ value: { valueString: 'female' }, label: 'female' }], context: [] },
      ref: { candidates: [{ value: { valueReference: { reference: 'Condition/c1', display: 'COPD' } }, label: 'COPD', source }], context: [] },
      dx: { candidates: [{ value: { valueCoding: expect.objectContaining({ code: 'J44.9' }) }, label: 'COPD', source }], context: [] },
      text: { candidates: [], context: [{ label: 'Medicines', entries: [{ text: expect.stringContaining('topiramate'), source: expect.anything() }, { text: expect.stringContaining('propranolol'), source: expect.anything() }] }] },
      old: { candidates: [], context: [{ label: 'Born', entries: [{ text: '1951-04-02' }] }] },
    });
  });
});

describe('computed elements (cqf-expression)', () => {
  it('text, required, repeats, readOnly and the value set', async () => {
    const computed = (expression: string) => ({ extension: [valued(`${H}cqf-expression`, 'text/fhirpath', expression)] });
    const item = { ...question('a', 'string'), _text: computed(`'For ' + %patient.name.given.first()`), required: false, _required: computed('%patient.gender = \'female\''), _repeats: computed('true'), _readOnly: computed('1'), _answerValueSet: computed(`'http://vs'`) } as QuestionnaireItem;
    const { population, form } = await fill([item]);
    expect(population.elements).toEqual({ a: { text: 'For Margaret', required: true, repeats: true, answerValueSet: 'http://vs' } });
    expect(form().items()[0]).toMatchObject({ label: 'For Margaret', required: true, repeats: true });
  });
});

describe('result types and origins', () => {
  it.each<[QuestionnaireItem['type'], string, unknown]>([
    ['boolean', '{}', undefined], ['boolean', 'false', false], ['date', '%patient.birthDate', '1951-04-02'], ['reference', '%patient', { reference: 'Patient/p1' }], ['integer', `'seven'`, undefined],
    ['attachment', '%Docs.entry.resource', { contentType: 'text/plain', data: 'aGk=', title: 'note' }], ['quantity', '%Obs.entry.resource.where(id = \'o2\').value', expect.objectContaining({ value: 86, code: '%' })],
  ])('%s from %s', async (type, expression, expected) => {
    const { answers, population } = await fill([question('a', type, initial(expression))], { root: [query('Docs', 'DocumentReference'), query('Obs', 'Observation')] });
    expect(answers['a']).toEqual(expected === undefined ? [] : [expected]);
    expect(population.failures).toEqual([]);
  });
  it('every answer has its origin, in groups and rows too; the response is valid to DTR 2.0.1', async () => {
    const group = { ...question('meds', 'group', valued(`${S}itemPopulationContext`, 'application/x-fhir-query', 'MedicationRequest', { name: 'med' })), repeats: true, item: [question('name', 'string', initial('%med.medication.text'))] };
    const { merged, form } = await fill([group, question('a', 'date', initial('%patient.birthDate')), question('sum', 'integer', valued(`${S}calculatedExpression`, 'text/fhirpath', '%resource.item.where(linkId = \'meds\').count()'))]);
    expect(form().items().flatMap(({ answers }) => answers.map(({ origin }) => origin))).toEqual(['auto', 'auto', 'auto', 'auto']);
    const { issues } = openValidator(['dtr-2.0.1']).validate({ ...merged.response });
    expect(issues.filter(({ severity }) => severity === 'error').map(({ path, message }) => `${path}: ${message}`)).toEqual([]);
  });
});

describe('CQL (§7)', () => {
  const vs: ValueSet = { resourceType: 'ValueSet', url: 'http://payer/vs', status: 'active', expansion: { timestamp: '2026-01-01', contains: [{ system: LOINC, code: '59408-5' }] } };
  const main = library('Main', `valueset "Saturation": 'http://payer/vs' parameter device_request FHIR.DeviceRequest parameter "the order" FHIR.DeviceRequest parameter service_request FHIR.ServiceRequest
    context Patient
    define Lowest: Min([Observation: "Saturation"] O return (O.value as FHIR.Quantity).value.value)
    define "Of the order": device_request.id.value
    define "Of the type": "the order".id.value
    define "No service": service_request is null
    define Nothing: null as Boolean
    define Bad: singleton from ({1, 2})
    define Endless: Count(from (expand { Interval[1, 3000] }) a, (expand { Interval[1, 3000] }) b, (expand { Interval[1, 3000] }) c return 1)
    define Meds: [MedicationRequest]
    define Entries: Count([Procedure])`);
  const cql = (linkId: string, type: QuestionnaireItem['type'], text: string, language = 'text/cql', more: object = {}) => question(linkId, type, initial(text, language, more));

  it.each<[string, string, string, QuestionnaireItem['type'], unknown]>([
    ['library and define', '"Main".Lowest', 'text/cql-identifier', 'decimal', 86], ['define alone', 'Lowest', 'text/cql', 'decimal', 86], ['with spaces, quoted', '"Main"."Of the order"', 'text/cql-expression', 'string', 'o1'],
    ['with spaces, unquoted', '"Main".Of the order', 'text/cql', 'string', 'o1'], ['a parameter by its type', '"Main"."Of the type"', 'text/cql', 'string', 'o1'], ['no order of that type: null', '"Main"."No service"', 'text/cql', 'boolean', true],
    ['nothing found is unanswered, not false', '"Main".Nothing', 'text/cql', 'boolean', undefined],
    ['written into the form', '"Main".Lowest + 1', 'text/cql', 'decimal', 87], ['written into the form, without a library', '2 * 21', 'text/cql', 'integer', 42],
  ])('%s', async (_name, text, language, type, expected) => {
    const { answers, population } = await fill([cql('a', type, text, language)], { libraries: [main], valueSets: [vs] });
    expect(population.failures).toEqual([]);
    expect(answers['a']).toEqual(expected === undefined ? [] : [expected]);
    expect(population.cqlMode).toBe('compiled-strict');
  }, 20_000);

  const literal = { type: 'Literal', valueType: '{urn:hl7-org:elm-types:r1}Integer', value: '7' };
  it.each<[string, string, object]>([
    ['2.0.1, a whole library', 'http://hl7.org/fhir/us/ecr/StructureDefinition/us-ph-alternative-expression-extension', { library: { identifier: { id: 'Main' }, usings: { def: [{ localIdentifier: 'FHIR', version: '4.0.1' }] }, statements: { def: [{ name: 'R', context: 'Patient', expression: literal }] } } }],
    ['2.2.0, one expression', 'http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/alternativeExpression', literal],
  ])('ELM sent beside it goes first: %s', async (_name, url, elm) => {
    const extension = [{ url, valueExpression: { language: 'application/elm+json', expression: JSON.stringify(elm) } }];
    const { answers, population } = await fill([cql('a', 'integer', 'this is no CQL at all', 'text/cql', { extension })]);
    expect(answers).toEqual({ a: [7] });
    expect(population.cqlMode).toBe('shipped-elm');
  });

  it('an error, a runaway and a missing library each cost their own question', async () => {
    const { answers, population } = await fill([
      cql('bad', 'integer', '"Main".Bad'), cql('endless', 'integer', '"Main".Endless'), cql('missing', 'integer', '"Elsewhere".X'), cql('nonsense', 'integer', '[Observation where ('), cql('good', 'decimal', '"Main".Lowest'),
      question('path', 'string', initial('%patient.gender')), question('loop', 'boolean', initial(`'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a+)+$')`)), question('after', 'integer', initial('5')), question('language', 'string', initial('x', 'text/other')),
    ], { libraries: [main], valueSets: [vs] });
    expect(answers).toMatchObject({ bad: [], endless: [], missing: [], nonsense: [], good: [86], path: ['female'], loop: [], after: [5] });
    expect(Object.fromEntries(population.failures.map(({ linkId, kind }) => [linkId, kind]))).toEqual({ bad: 'runtime', endless: 'time-limit', missing: 'library-missing', nonsense: 'syntax', loop: 'time-limit', language: 'language-unknown' });
    expect(JSON.stringify(population.failures)).not.toMatch(/Okafor|1951|86/);
    expect(population.warnings).toHaveLength(6);
  }, 30_000);

  it('a library that is no CQL is named; the others run', async () => {
    const { answers, population } = await fill([cql('a', 'integer', '"Broken".X'), cql('b', 'decimal', '"Main".Lowest')], { libraries: [library('Broken', 'context Patient define X: [Observation where'), main], valueSets: [vs] });
    expect(answers).toEqual({ a: [], b: [86] });
    expect(population.failures).toEqual(expect.arrayContaining([{ expression: 'Broken', kind: 'syntax' }, expect.objectContaining({ linkId: 'a', kind: 'syntax' })]));
  }, 20_000);

  it('rows, candidates and variables of the form may be CQL', async () => {
    const group = { ...question('meds', 'group', valued(`${S}itemPopulationContext`, 'text/cql', '"Main".Meds', { name: 'med' })), repeats: true, item: [question('name', 'string', initial('%med.medication.text'))] };
    const { answers, population } = await fill([group, question('n', 'decimal', initial('%low - 1')), question('c', 'reference', valued(`${S}candidateExpression`, 'text/cql', '"Main".Meds'))], { root: [variable('low', '"Main".Lowest', 'text/cql')], libraries: [main], valueSets: [vs] });
    expect(answers).toMatchObject({ 'meds[1]/name': ['propranolol 80 mg'], n: [85] });
    expect(population.offers['c']?.candidates).toHaveLength(2);
  });

  describe('reading', () => {
    const everything = [cql('a', 'decimal', '"Main".Lowest'), cql('b', 'integer', '"Main".Entries')];
    it('only what the defines reach, narrowed by code', async () => {
      const { asked } = await fill([cql('a', 'decimal', '"Main".Lowest')], { libraries: [main], valueSets: [vs] });
      expect(asked).toEqual(['/fhir/Observation?patient=p1&_count=250&code=http%3A%2F%2Floinc.org%7C59408-5']);
    });
    it('what Library.dataRequirement adds, and by date where the payer limits all of a type', async () => {
      const limited = { ...main, dataRequirement: [
        { type: 'Observation', dateFilter: [{ path: 'effective', valueDuration: { value: 90, unit: 'days', code: 'd', system: 'http://unitsofmeasure.org' } }] }, { type: 'Immunization' }, { type: 'DeviceRequestValueSet' },
      ] } as Library;
      const { asked } = await fill([cql('a', 'decimal', '"Main".Lowest')], { libraries: [limited], valueSets: [vs] });
      expect(asked.toSorted()).toEqual(['/fhir/Immunization?patient=p1&_count=250', '/fhir/Observation?patient=p1&_count=250&code=http%3A%2F%2Floinc.org%7C59408-5&date=ge2026-08-23']);
    });
    it('an EHR that refuses a narrow search is asked for all of the type', async () => {
      const { asked, answers } = await fill([cql('a', 'decimal', '"Main".Lowest')], { libraries: [main], valueSets: [vs], refusesNarrow: true });
      expect(answers).toEqual({ a: [86] });
      expect(asked).toHaveLength(2);
    });
    it('to the last page', async () => {
      const record = Array.from({ length: 23 }, (_, index): Resource => ({ resourceType: 'Procedure', id: `p${index}`, status: 'completed', subject }));
      expect((await fill(everything, { libraries: [main], valueSets: [vs], pageSize: 5, record })).answers['b']).toEqual([23]);
    });
    it.each<[string, Behaviour, string]>([
      ['failing', { failing: ['Procedure'] }, 'Procedure: the record could not be read.'],
      ['slow', { slow: ['Procedure'] }, 'Procedure: the record did not answer in time.'],
    ])('one %s type leaves the others, and says so in plain words', async (_name, behaviour, warning) => {
      const { answers, population } = await fill(everything, { libraries: [main], valueSets: [vs], ...behaviour });
      expect(answers['a']).toEqual([86]);
      expect(population.warnings).toEqual([warning]);
    });
    it('tells how far it is', async () => {
      const { steps } = await fill(everything, { libraries: [main], valueSets: [vs] });
      expect(steps.filter(({ step }) => step === 'reading').at(-1)).toEqual({ step: 'reading', done: 2, total: 2 });
      expect(steps.at(-1)?.step).toBe('calculating');
    });
  });
});
