import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Bundle, OperationOutcome, Parameters, Questionnaire, QuestionnaireItem, Resource } from '@medplum/fhirtypes';
import express from 'express';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openValidator } from '#fhir/validation/validator.ts';
import { outdated } from '../questionnaires/compile-libraries.ts';
import { readFormLibrary } from '../questionnaires/form-library.ts';
import { questionnairePackageRouter } from './questionnaire-package-router.ts';

const FORMS: Record<string, string[]> = {
  'home-oxygen': ['resting-saturation', 'arterial-oxygen', 'test-date', 'chronic-condition'],
  'pap-device': ['ahi', 'osa-diagnosis', 'sleep-test-date', 'rental-months'],
  'power-mobility': ['mobility-limitation', 'face-to-face-date', 'home-assessment', 'cannot-use-lesser-device'],
  'nuclear-stress-test': ['indication', 'abnormal-resting-ecg', 'unable-to-exercise'],
  'cardiac-mri': ['prior-echo', 'echo-date', 'echo-inconclusive', 'clinical-question'],
  'lumbar-spine-mri': [],
  'every-element': ['boolean', 'decimal', 'integer', 'date', 'datetime', 'time', 'string', 'text', 'url', 'choice-one', 'open-choice', 'attachment', 'reference-resource', 'weight', 'bmi', 'age'],
  'botulinum-toxin': ['chronic-migraine', 'headache-days-per-month', 'preventives-tried', 'units'],
};
const OPERATION = '/payer/fhir/Questionnaire/$questionnaire-package';
const coverage = { resourceType: 'Coverage', id: 'c', status: 'active', beneficiary: { reference: 'Patient/p' }, payor: [{ display: 'x' }] };
const order = (code: string, system = 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets') => ({ resourceType: 'DeviceRequest', id: 'o', status: 'active', intent: 'order', subject: { reference: 'Patient/p' }, codeCodeableConcept: { coding: [{ system, code }] } });
const part = (name: string, resource: object) => ({ name, resource });
const validator = openValidator(['dtr-2.0.1']);
const errorsOf = (resource: Resource) => validator.validate(resource).issues.filter(({ severity }) => severity === 'error').map(({ path, message }) => `${path}: ${message}`);
let server: Server;
let base: string;

beforeAll(async () => {
  const app = express();
  app.use(questionnairePackageRouter({
    baseUrl: 'http://payer.test', policyFolder: new URL('../../policies/library', import.meta.url).pathname, log: pino({ level: 'silent' }), now: () => Date.UTC(2026, 10, 22),
    authorise: (req, res, next) => (req.headers.authorization === 'Bearer good' ? next() : void res.status(401).end()),
  }));
  server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

async function call(path: string, body?: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const reply = await fetch(`${base}${path}`, { headers: { authorization: 'Bearer good', 'content-type': 'application/fhir+json', ...headers }, ...(body === undefined ? {} : { method: 'POST', body: text }) });
  const said = await reply.text();
  return { status: reply.status, body: (said ? JSON.parse(said) : undefined) as unknown };
}
const parameters = (...parameter: object[]) => ({ resourceType: 'Parameters', parameter });
const packagesIn = (body: unknown) => ((body as Parameters).parameter ?? []).filter(({ name }) => name === 'PackageBundle').map(({ resource }) => resource as Bundle);
const flat = (items: readonly QuestionnaireItem[]): QuestionnaireItem[] => items.flatMap((item) => [item, ...flat(item.item ?? [])]);

describe('the forms', () => {
  it.each(Object.entries(FORMS))('%s: the agreed questions, a valid DTR 2.0.1 questionnaire', (id, linkIds) => {
    const form = readFormLibrary().forms.find(({ questionnaire }) => questionnaire.id === id);
    expect(flat(form?.questionnaire.item ?? []).map(({ linkId }) => linkId)).toEqual(expect.arrayContaining(linkIds));
    expect(form && errorsOf(form.questionnaire as Questionnaire)).toEqual([]);
  });
  it('the ELM is what the CQL compiles to', () => expect(outdated()).toEqual([]), 30_000);
});

describe('$questionnaire-package', () => {
  it.each<[string, object[], string[]]>([
    ['the order’s code decides', [part('coverage', coverage), part('order', order('E1390'))], ['home-oxygen']],
    ['codes as records really have them', [part('coverage', coverage), part('order', order(' E0424 ', 'https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets'))], ['home-oxygen']],
    ['a named form and the order: both', [part('coverage', coverage), part('order', order('E1390')), { name: 'questionnaire', valueCanonical: 'https://payer.openpriorauth.org/fhir/Questionnaire/pap-device|1.0.0' }], ['pap-device', 'home-oxygen']],
    ['two orders of one form: once', [part('coverage', coverage), part('order', order('E1390')), part('order', order('E0431'))], ['home-oxygen']],
    ['two forms', [part('coverage', coverage), part('order', order('E1390')), part('order', order('E0601'))], ['home-oxygen', 'pap-device']],
    ['nothing is asked for this code', [part('coverage', coverage), part('order', order('A0000'))], []],
    ['nothing changed since', [part('coverage', coverage), part('order', order('E1390')), { name: 'changedsince', valueInstant: '2026-11-20T00:00:00Z' }], []],
  ])('%s', async (_name, parts, ids) => {
    const { status, body } = await call(OPERATION, parameters(...parts));
    expect(status).toBe(200);
    expect(packagesIn(body).map((bundle) => bundle.entry?.[0]?.resource?.id)).toEqual(ids);
  });
  it('a package begins with its form and carries library, expanded value sets and a draft about coverage and order; all valid', async () => {
    const { body } = await call(OPERATION, parameters(part('coverage', coverage), part('order', order('E1390'))));
    const [bundle] = packagesIn(body);
    expect(bundle?.entry?.map(({ resource }) => resource?.resourceType)).toEqual(['Questionnaire', 'Library', 'ValueSet', 'ValueSet', 'ValueSet', 'QuestionnaireResponse']);
    expect(bundle?.entry?.every(({ resource }) => resource?.resourceType !== 'ValueSet' || (resource.expansion?.contains?.length ?? 0) > 0)).toBe(true);
    expect(errorsOf(body as Parameters)).toEqual([]);
    expect(bundle && errorsOf(bundle)).toEqual([]);
  });
  it('a form that is not here is a warning beside what is', async () => {
    const { status, body } = await call(OPERATION, parameters(part('coverage', coverage), { name: 'questionnaire', valueCanonical: 'http://unknown|2' }));
    expect(status).toBe(200);
    expect((body as Parameters).parameter?.[0]).toMatchObject({ name: 'operationOutcome', resource: { issue: [{ severity: 'warning', code: 'not-found' }] } });
  });
});

describe('input that cannot be served', () => {
  it.each<[string, unknown, number, string]>([
    ['no JSON', '{', 400, 'structure'], ['a list', [], 400, 'structure'], ['null', 'null', 400, 'structure'],
    ['another resource', { resourceType: 'Bundle' }, 400, 'structure'], ['parameter is no list', { resourceType: 'Parameters', parameter: 3 }, 400, 'structure'], ['parts that are null', { resourceType: 'Parameters', parameter: [null] }, 400, 'structure'],
    ['nothing', parameters(), 400, 'required'], ['no coverage', parameters(part('order', order('E1390'))), 400, 'required'],
    ['coverage is something else', parameters(part('coverage', { resourceType: 'Patient' })), 400, 'required'], ['only a coverage: dtr-1', parameters(part('coverage', coverage)), 400, 'invariant'],
    ['order of a wrong type', parameters(part('coverage', coverage), part('order', { resourceType: 'Patient' })), 400, 'value'], ['order empty', parameters(part('coverage', coverage), { name: 'order' }), 400, 'required'],
    ['questionnaire is a number', parameters(part('coverage', coverage), { name: 'questionnaire', valueCanonical: 3 }), 400, 'value'], ['changedsince is no instant', parameters(part('coverage', coverage), part('order', order('E1390')), { name: 'changedsince', valueInstant: 'yesterday' }), 400, 'value'],
    ['only a context that nobody knows', parameters(part('coverage', coverage), { name: 'context', valueString: 'a' }), 422, 'not-found'],
  ])('%s', async (_name, body, status, code) => {
    const reply = await call(OPERATION, typeof body === 'string' ? body : body);
    expect(reply.status).toBe(status);
    expect(reply.body).toMatchObject({ resourceType: 'OperationOutcome', issue: [expect.objectContaining({ code })] });
    expect((reply.body as OperationOutcome).issue?.[0]?.details?.text).toBeTruthy();
    expect(JSON.stringify(reply.body)).not.toMatch(/at .*\.ts|node_modules/);
  });
  it('another content type, a huge body, no token', async () => {
    expect((await call(OPERATION, 'x', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await call(OPERATION, JSON.stringify({ x: 'y'.repeat(2_200_000) }))).status).toBe(413);
    expect((await call(OPERATION, parameters(), { authorization: 'Bearer bad' })).status).toBe(401);
  });
});

describe('artifacts and error reports', () => {
  const url = 'https://payer.openpriorauth.org/fhir/Questionnaire/home-oxygen';
  it.each<[string, number, number | undefined]>([
    [`/payer/fhir/Questionnaire?url=${url}`, 200, 1], [`/payer/fhir/Questionnaire?url=${encodeURIComponent(`${url}|1.0.0`)}`, 200, 1], [`/payer/fhir/Questionnaire?url=${encodeURIComponent(`${url}|9`)}`, 200, 0],
    ['/payer/fhir/Questionnaire', 400, undefined], ['/payer/fhir/Questionnaire?url=a&url=b', 400, undefined], ['/payer/fhir/Questionnaire/home-oxygen', 200, undefined], ['/payer/fhir/Questionnaire/none', 404, undefined], ['/payer/fhir/Library/HomeOxygenPrepopulation', 200, undefined],
  ])('GET %s', async (path, status, total) => {
    const reply = await call(path);
    expect(reply.status).toBe(status);
    expect((reply.body as Bundle).total).toBe(total);
  });
  it.each<[object, number]>([
    [parameters({ name: 'questionnaire', valueCanonical: url }, { name: 'operationOutcome', resource: { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'exception', expression: ['test-date'] }] } }), 204],
    [parameters({ name: 'questionnaire', valueCanonical: url }), 400], [{ resourceType: 'Patient' }, 400],
  ])('$log-questionnaire-errors %#', async (body, status) => expect((await call('/payer/fhir/Questionnaire/$log-questionnaire-errors', body)).status).toBe(status));
});
