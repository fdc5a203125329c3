import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Coverage, DeviceRequest } from '@medplum/fhirtypes';
import express from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDtrPayer, type DtrPayer, refusal } from '#test-fixtures/dtr-payer.ts';
import { pathUnder } from '../payer-access.ts';
import { type AskedCoverage, askPackages } from './ask-packages.ts';
import { createOptionSearch } from './expand-value-set.ts';
import { askNextQuestion } from './next-question.ts';
import type { QuestionnairePackage } from './package.ts';
import type { PayerAccess } from './payer-operation.ts';
import { writeErrorReport } from './report-errors.ts';

const coverage = (id: string): Coverage => ({ resourceType: 'Coverage', id, status: 'active', beneficiary: { reference: 'Patient/p' }, payor: [{ display: id }] });
const order: DeviceRequest = { resourceType: 'DeviceRequest', id: 'o', status: 'active', intent: 'order', subject: { reference: 'Patient/p' }, codeCodeableConcept: { text: 'x' } };
const form = (url: string, more: object = {}) => ({ resourceType: 'Questionnaire', url, version: '1', title: url, status: 'active', item: [{ linkId: 'a', type: 'string' }], ...more });
const packageOf = (...questionnaires: object[]) => ({ body: { resourceType: 'Parameters', parameter: questionnaires.map((resource) => ({ name: 'return', resource: { resourceType: 'Bundle', type: 'collection', entry: [{ resource }] } })) } });

let http: Server;
let origin: string;
const payers: Record<string, DtrPayer> = {};
beforeAll(async () => {
  const app = express();
  for (const id of ['one', 'two', 'terms']) {
    const payer = createDtrPayer(() => `${origin}/${id}`);
    payers[id] = payer;
    app.use(`/${id}`, id === 'terms' ? [(request: express.Request, _response: express.Response, next: () => void) => { seen.push(request.get('authorization')); request.headers.authorization = 'Bearer payer-token'; next(); }, payer.router] : payer.router);
  }
  http = createServer(app);
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterAll(() => http.close());
const seen: (string | undefined)[] = [];

function payer(id: string): DtrPayer {
  const found = payers[id];
  if (!found) throw new Error(id);
  found.calls.length = 0;
  return found;
}
const access = (id: string, dtr: Partial<PayerAccess['dtr']> = {}): PayerAccess => ({ payerId: id, base: `${origin}/${id}`, dtr: { version: '2.0.1', ...dtr }, fetch: (url, init) => fetch(url, { ...init, headers: { ...(init.headers as Record<string, string>), authorization: 'Bearer payer-token' } }) });
const asked = (id: string, more: Partial<AskedCoverage> = {}): AskedCoverage => ({ access: access(id), payerName: `Payer ${id}`, coverage: coverage(id), questionnaires: [], assertionId: `assertion-${id}`, ...more });
const about = { order, referenced: [], today: '2026-11-22' };
const parts = (one: DtrPayer, call = 0) => (one.calls[call]?.body.parameter ?? []).map(({ name, ...value }) => `${name} ${Object.values(value).find((each) => typeof each === 'string') ?? ''}`.trim());

describe('the forms of an order', () => {
  it('come from every coverage’s payer, each form once, with what the payer is to be told apart by', async () => {
    const [one, two] = [payer('one'), payer('two')];
    one.answers.package = () => packageOf(form('http://a'), form('http://shared'));
    two.answers.package = () => packageOf(form('http://shared'), form('http://b'));
    const found = await askPackages([asked('one'), asked('two')], about);
    expect(found.packages.map(({ canonical, payerId, coverage: of }) => [canonical, payerId, of])).toEqual([['http://a|1', undefined, 'Coverage/one'], ['http://shared|1', undefined, 'Coverage/one'], ['http://b|1', 'two', 'Coverage/two']]);
    expect([parts(one), parts(two)]).toEqual([['coverage', 'order', 'context assertion-one'], ['coverage', 'order', 'context assertion-two']]);
  });
  it('another payer’s failure is a warning, the case’s own is not', async () => {
    payer('one').answers.package = () => packageOf(form('http://a'));
    payer('two').answers.package = () => refusal(422, 'Send the sleep study by fax.');
    const found = await askPackages([asked('one'), asked('two')], about);
    expect(found.warnings).toEqual([expect.stringContaining('Send the sleep study by fax.')]);
    await expect(askPackages([asked('two')], about)).rejects.toMatchObject({ code: 'PAYER_REFUSED', message: expect.stringContaining('Send the sleep study by fax.') });
  });
  it('a context that the payer does not know is left out, and its words are shown when it still refuses', async () => {
    const one = payer('one');
    one.answers.package = (body) => (body.parameter?.some(({ name }) => name === 'context') ? refusal(422, 'This context is not known here.') : packageOf(form('http://a')));
    expect((await askPackages([asked('one')], about)).packages).toHaveLength(1);
    one.answers.package = (body) => refusal(422, body.parameter?.some(({ name }) => name === 'context') ? 'first words' : 'second words');
    await expect(askPackages([asked('one')], about)).rejects.toMatchObject({ message: expect.stringContaining('first words') });
  });
  it('changedsince goes along when a form is resumed; nothing changed is no fault', async () => {
    const one = payer('one');
    one.answers.package = () => ({ body: { resourceType: 'Parameters' } });
    const found = await askPackages([asked('one')], { ...about, changedSince: '2026-11-20T10:00:00Z' });
    expect(found).toMatchObject({ packages: [], nothing: true, warnings: [] });
    expect(parts(one)).toContain('changedsince 2026-11-20T10:00:00Z');
  });
  it('an expired form is asked for anew without naming it', async () => {
    const one = payer('one');
    one.answers.package = (body) => (body.parameter?.some(({ name }) => name === 'questionnaire') ? packageOf(form('http://old', { effectivePeriod: { end: '2026-11-21' } })) : packageOf(form('http://new')));
    const found = await askPackages([asked('one', { questionnaires: ['http://old|1'] })], { ...about, changedSince: '2026-11-20T10:00:00Z' });
    expect(found.packages.map(({ canonical }) => canonical)).toEqual(['http://new|1']);
    expect(found.warnings).toEqual([expect.stringContaining('has expired')]);
    expect(parts(one, 1)).toEqual(['coverage', 'order', 'context assertion-one']);
  });
  it('one that comes expired without being named is the payer’s fault', async () => {
    payer('one').answers.package = () => packageOf(form('http://old', { effectivePeriod: { end: '2026-11' } }), form('http://late', { effectivePeriod: { end: '2026-10' } }));
    const found = await askPackages([asked('one')], about);
    expect(found.packages.map(({ canonical }) => canonical)).toEqual(['http://old|1']);
    expect(found.faults).toEqual([{ payerId: 'one', canonical: 'http://late|1', faults: [{ kind: 'expired', place: 'http://late|1' }] }]);
  });
  it.each([['https://elsewhere.example/fhir', {}], ['ORIGIN/one/../two', {}], ['ORIGIN/one', { base: 'ORIGIN/one' }], ['ORIGIN/one/adaptive', { base: 'ORIGIN/one/adaptive' }]])('an adaptive form at %s', async (address, expected) => {
    const here = (text: string) => text.replace('ORIGIN', origin);
    payer('one').answers.package = () => packageOf(form('http://a', { extension: [{ url: 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-questionnaireAdaptive', valueUrl: here(address) }] }));
    const [found] = (await askPackages([asked('one')], about)).packages;
    expect(found?.adaptive).toEqual(JSON.parse(here(JSON.stringify(expected))));
    expect(found?.warnings?.length ?? 0).toBe('base' in expected ? 0 : 1);
  });
});

describe('next questions', () => {
  const response = { resourceType: 'QuestionnaireResponse', status: 'in-progress', questionnaire: '#f', contained: [{ resourceType: 'Questionnaire', id: 'f', status: 'active' }], subject: { reference: 'Patient/next' } } as const;
  it.each([[400], [422]])('a payer’s %i with words is for the person who answers', async (status) => {
    const one = payer('one');
    one.answers.next = () => { throw new Error('not asked'); };
    expect(await askNextQuestion({ ...access('one'), fetch: async () => new Response(JSON.stringify(refusal(status, 'no', "item.where(linkId='3.1')").body), { status }) }, undefined, { ...response, contained: [...response.contained] })).toEqual({ kind: 'problems', problems: [{ message: 'no', linkId: '3.1' }] });
  });
  it.each<[string, () => Response, string]>([
    ['403', () => new Response('', { status: 403 }), 'PAYER_REFUSED'], ['400 without words', () => new Response('{}', { status: 400 }), 'PAYER_REFUSED'],
    ['503', () => new Response('', { status: 503 }), 'PAYER_UNAVAILABLE'], ['no response in it', () => new Response('{"resourceType":"Parameters"}'), 'PAYER_ANSWER_UNREADABLE'], ['a web page', () => new Response('<html>'), 'PAYER_ANSWER_UNREADABLE'],
  ])('%s', async (_what, answer, code) => {
    await expect(askNextQuestion({ ...access('one'), fetch: async () => answer() }, undefined, { ...response, contained: [...response.contained] })).rejects.toMatchObject({ code });
  });
});

describe('answers to choose from', () => {
  const expansion = (...words: string[]) => ({ resourceType: 'ValueSet', status: 'active', expansion: { timestamp: '2026-11-22', contains: words.map((display) => ({ code: display, display })) } });
  const formWith = (more: Partial<QuestionnairePackage> = {}, extension: object[] = []): QuestionnairePackage => ({
    canonical: 'http://a|1', libraries: [], valueSets: [], questionnaire: JSON.parse(JSON.stringify(form('http://a', { extension, item: [{ linkId: 'a', type: 'choice', answerValueSet: 'http://set' }] }))), ...more,
  });
  const preferred = (url: string) => ({ url: 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-preferredTerminologyServer', valueUrl: url });

  it('are found in the package without asking anybody', async () => {
    const one = payer('one');
    const valueSets = [JSON.parse(JSON.stringify({ ...expansion('red apple', 'green pear'), url: 'http://set' }))];
    expect(await createOptionSearch(Date.now).search(access('one'), formWith({ valueSets }), 'a', 'APP')).toEqual({ options: [{ code: 'red apple', display: 'red apple' }], more: false });
    expect(one.calls).toEqual([]);
  });
  it('come from a registered terminology server, without our token; from the payer when that has none', async () => {
    const [one, terms] = [payer('one'), payer('terms')];
    seen.length = 0;
    terms.answers.expand = () => ({ body: expansion('from the terminology server') });
    const registered = access('one', { terminologyServers: [`${origin}/terms/`] });
    const search = createOptionSearch(Date.now);
    expect((await search.search(registered, formWith({}, [preferred(`${origin}/terms`)]), 'a', 'terminology')).options).toHaveLength(1);
    expect(one.calls).toEqual([]);
    expect(seen).toEqual([undefined]);
    terms.answers.expand = () => refusal(404, 'unknown');
    one.answers.expand = () => ({ body: expansion('from the payer') });
    expect((await search.search(registered, formWith({}, [preferred(`${origin}/terms`)]), 'a', 'payer')).options).toHaveLength(1);
  });
  it('a server that is not registered is never asked', async () => {
    const [one, terms] = [payer('one'), payer('terms')];
    one.answers.expand = () => ({ body: expansion('from the payer') });
    for (const url of [`${origin}/terms`, 'http://169.254.169.254/latest', 'file:///etc/passwd', `${origin}/one/../terms`]) {
      await createOptionSearch(Date.now).search(access('one', { terminologyServers: ['https://tx.example'] }), formWith({}, [preferred(url)]), 'a', url);
    }
    expect(terms.calls).toEqual([]);
    expect(one.calls).toHaveLength(4);
  });
  it('an unknown question has none', async () => expect(await createOptionSearch(Date.now).search(access('one'), formWith(), 'z', '')).toEqual({ options: [], more: false }));
  it('no server answers: said, not hidden', async () => {
    payer('one').answers.expand = () => refusal(500, 'no');
    await expect(createOptionSearch(Date.now).search(access('one'), formWith(), 'a', 'x')).rejects.toMatchObject({ code: 'PAYER_UNAVAILABLE', retryable: true });
  });
});

describe('addresses under the payer’s own', () => {
  it.each<[string, string | undefined]>([
    ['https://payer/fhir/Questionnaire/$next-question', 'Questionnaire/$next-question'], ['https://payer/fhir/a/../b', 'b'],
    ['https://payer/fhir/../admin', undefined], ['https://payer/fhirx/a', undefined], ['https://payer.evil/fhir/a', undefined], ['https://payer@evil/fhir/a', undefined], ['https://payer/fhir/%2e%2e/admin', undefined],
    ['http://payer/fhir/a', undefined], ['a', undefined],
  ])('%s', (url, path) => expect(pathUnder('https://payer/fhir', url)).toBe(path));
});

it('a report of errors names what failed and nothing else', () => {
  const report = writeErrorReport('http://q|1', [{ kind: 'syntax', place: 'Lib|Def', linkId: "it's", locator: '3:1' }, { kind: 'something new' }], '2026-11-22T10:00:00.000+00:00', 'https://us');
  expect(report).toMatchObject({ parameter: [{ name: 'questionnaire', valueCanonical: 'http://q|1' }, { name: 'operationOutcome', resource: { issue: [
    { severity: 'error', code: 'invalid', details: { coding: [{ code: 'MSG_BAD_SYNTAX' }] }, expression: ["Questionnaire.descendants().where(linkId='it\\'s')", 'Lib|Def', '3:1'] }, { code: 'processing' },
  ] } }] });
});
