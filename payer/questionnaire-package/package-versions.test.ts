import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Bundle, OperationOutcome, Parameters, Questionnaire, QuestionnaireItem, QuestionnaireResponse, Resource } from '@medplum/fhirtypes';
import express from 'express';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openValidator } from '#fhir/validation/validator.ts';
import { writeFormFolder } from '#test-fixtures/form-folder.ts';
import { questionnairePackageRouter } from './questionnaire-package-router.ts';

const BASES = { '2.0.1': '/payer/fhir', '2.2.0': '/payer/fhir/dtr-2.2' } as const;
type Version = keyof typeof BASES;
const VERSIONS: readonly Version[] = ['2.0.1', '2.2.0'];
const FORM = 'https://payer.openpriorauth.org/fhir/Questionnaire';
const KNOWN_ASSERTION = 'assertion-1';
const logged: unknown[] = [];
const folder = writeFormFolder();
const validator = openValidator(['dtr-2.0.1']);
const errorsOf = (resource: Resource) => validator.validate(resource).issues.filter(({ severity }) => severity === 'error').map(({ path, message }) => `${path}: ${message}`);
let server: Server;
let origin: string;

beforeAll(async () => {
  const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const app = express();
  app.use(questionnairePackageRouter({
    baseUrl: 'http://payer.test', policyFolder: new URL('../../policies/library', import.meta.url).pathname, formFolder: folder.folder, log, now: () => Date.UTC(2026, 10, 24),
    authorise: (_req, _res, next) => next(),
    determinations: () => ({ keep: async () => undefined, questionnaireOf: async (id) => (id === KNOWN_ASSERTION ? `${FORM}/lumbar-spine-mri|1.0.0` : undefined) }),
  }));
  server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  folder.remove();
});

const coverage = { resourceType: 'Coverage', id: 'c', status: 'active', beneficiary: { reference: 'Patient/p' }, payor: [{ display: 'x' }] };
const oxygen = { resourceType: 'DeviceRequest', id: 'o', status: 'active', intent: 'order', subject: { reference: 'Patient/p' }, codeCodeableConcept: { coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'E1390' }] } };
const mri = { resourceType: 'ServiceRequest', id: 'm', status: 'active', intent: 'order', subject: { reference: 'Patient/p' }, code: { coding: [{ system: 'http://www.ama-assn.org/go/cpt', code: '72148' }] } };
const unasked = { ...mri, id: 'u', code: { coding: [{ system: 'http://www.ama-assn.org/go/cpt', code: '00000' }] } };
const docNeeded = { ...unasked, extension: [{ url: 'http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-coverage-information', extension: [{ url: 'doc-needed', valueCode: 'clinical' }] }] };
const asserted = { ...unasked, extension: [{ url: docNeeded.extension[0]?.url, extension: [{ url: 'coverage-assertion-id', valueString: 'of-the-order' }, { url: 'questionnaire', valueCanonical: `${FORM}/pap-device|1.0.0` }] }] };
const part = (name: string, resource: object) => ({ name, resource });
const named = (id: string, version = '1.0.0') => ({ name: 'questionnaire', valueCanonical: `${FORM}/${id}|${version}` });
const since = (instant: string) => ({ name: 'changedsince', valueInstant: instant });
const context = (valueString: string) => ({ name: 'context', valueString });
const cover = part('coverage', coverage);

async function ask(version: Version, ...parameter: object[]) {
  const reply = await fetch(`${origin}${BASES[version]}/Questionnaire/$questionnaire-package`, { method: 'POST', headers: { 'content-type': 'application/fhir+json' }, body: JSON.stringify({ resourceType: 'Parameters', parameter }) });
  const body = (await reply.json()) as Parameters;
  const parts = body.parameter ?? [];
  const bundles = parts.flatMap(({ resource }) => (resource?.resourceType === 'Bundle' ? [resource] : []));
  const outcome = parts.map(({ resource }) => resource).find((resource): resource is OperationOutcome => resource?.resourceType === 'OperationOutcome');
  return { status: reply.status, body, names: parts.map(({ name }) => name), bundles, forms: bundles.map((bundle) => idOf(bundle)), words: (outcome?.issue ?? []).map((issue) => `${issue.severity} ${issue.diagnostics}`) };
}
const idOf = (bundle: Bundle) => {
  const form = bundle.entry?.[0]?.resource as Questionnaire;
  return `${form.id}|${form.version}`;
};
const of = <T extends Resource['resourceType']>(bundle: Bundle | undefined, type: T) => (bundle?.entry ?? []).flatMap(({ resource }) => (resource?.resourceType === type ? [resource as Extract<Resource, { resourceType: T }>] : []));
const flat = (items: readonly QuestionnaireItem[]): QuestionnaireItem[] => items.flatMap((item) => [item, ...flat(item.item ?? [])]);

describe.each(VERSIONS)('$questionnaire-package, DTR %s', (version) => {
  it.each<[string, object[], string[], RegExp | undefined]>([
    ['the union of order, name and context, each form once', [cover, part('order', oxygen), named('home-oxygen'), named('pap-device'), context(KNOWN_ASSERTION)], ['home-oxygen|1.0.0', 'pap-device|1.0.0', 'lumbar-spine-mri|1.0.0'], undefined],
    ['a context of ours alone', [cover, context(KNOWN_ASSERTION)], ['lumbar-spine-mri|1.0.0'], undefined],
    ['a context that the order carries: the forms that it names there', [cover, part('order', asserted), context('of-the-order')], ['pap-device|1.0.0'], undefined],
    ['an unknown name is a warning beside what is', [cover, part('order', oxygen), named('none', '3')], ['home-oxygen|1.0.0'], /^warning .*none\|3 is not available/],
    ['a form past its time is never sent by the order', [cover, part('order', oxygen)], ['home-oxygen|1.0.0'], undefined],
    ['a form past its time, named: sent, and said', [cover, named('home-oxygen', '0.9.0')], ['home-oxygen|0.9.0'], /^warning .*expired.*2025-12-31/],
    ['a name without a version is the newest', [cover, { name: 'questionnaire', valueCanonical: `${FORM}/home-oxygen` }], ['home-oxygen|1.0.0'], undefined],
    ['what a form needs and is not here: a warning each', [cover, named('incomplete')], ['incomplete|1.0.0'], /NotHere\|1.0.0/],
    ['changed since: form, library and value sets are older', [cover, part('order', oxygen), since('2026-11-20T00:00:00Z')], [], undefined],
    ['changed since: the form is newer', [cover, part('order', oxygen), since('2026-10-20T00:00:00Z')], ['home-oxygen|1.0.0'], undefined],
    ['changed since, on the day of the change', [cover, part('order', mri), since('2026-11-22T09:00:00Z')], ['lumbar-spine-mri|1.0.0'], undefined],
    ['changed since, the day after', [cover, part('order', mri), since('2026-11-23T09:00:00Z')], [], undefined],
    ['nothing is asked for this order', [cover, part('order', unasked)], [], undefined],
    ['documentation is wanted and no form is here: instructions', [cover, part('order', docNeeded)], [], /Send the clinical note/],
    ['parts that are not known are passed over', [cover, part('order', oxygen), part('referenced', { resourceType: 'Patient', id: 'p' })], ['home-oxygen|1.0.0'], undefined],
  ])('%s', async (_name, parts, forms, words) => {
    const answer = await ask(version, ...parts);
    expect(answer.status).toBe(200);
    expect(answer.forms).toEqual(forms);
    expect(answer.words.join('\n')).toMatch(words ?? /^$/);
    expect(new Set(answer.names.filter((name) => name.toLowerCase() === 'packagebundle')).size).toBeLessThanOrEqual(1);
  });

  it('every form, named: Questionnaire first, every library with its cqf-library, only version-specific canonicals, valid', async () => {
    const answer = await ask(version, cover, part('order', mri), ...['home-oxygen', 'pap-device', 'power-mobility', 'nuclear-stress-test', 'cardiac-mri', 'botulinum-toxin', 'every-element', 'long-form', 'many-questions'].map((id) => named(id)));
    expect(answer.bundles).toHaveLength(10);
    for (const bundle of answer.bundles) {
      const [questionnaire] = of(bundle, 'Questionnaire');
      const libraries = (questionnaire?.extension ?? []).flatMap(({ url, valueCanonical }) => (url.endsWith('/cqf-library') && valueCanonical ? [valueCanonical] : []));
      expect(of(bundle, 'Library').map((library) => `${library.url}|${library.version}`)).toEqual(libraries);
      const canonicals = [...JSON.stringify(bundle).matchAll(/"(?:valueCanonical|answerValueSet)":"([^"#][^"]*)"/g)].map(([, canonical]) => canonical ?? '').filter((canonical) => canonical.startsWith(FORM.replace('/Questionnaire', '')));
      expect(canonicals.filter((canonical) => !canonical.includes('|'))).toEqual([]);
      // The tables hold 2.0.1: a draft of 2.2.0, without qr-context, cannot be valid to them.
      expect(errorsOf({ ...bundle, entry: bundle.entry?.filter(({ resource }) => version === '2.0.1' || resource?.resourceType !== 'QuestionnaireResponse') })).toEqual([]);
    }
    expect(version === '2.0.1' ? errorsOf(answer.body) : []).toEqual([]);
  });

  it.each<[string, object[], number, RegExp]>([
    ['a context that nobody knows', [cover, context('x')], 422, /Send the order/],
    ['two contexts', [cover, context('x'), context('y')], 400, /sent once/],
    ['two changedsince', [cover, part('order', oxygen), since('2026-10-20T00:00:00Z'), since('2026-10-21T00:00:00Z')], 400, /sent once/],
    ['no coverage', [part('order', oxygen)], 400, /coverage/],
    ['nothing but a coverage', [cover], 400, /dtr-1/],
  ])('refuses %s', async (_name, parts, status, words) => {
    const { status: got, body } = await ask(version, ...parts);
    expect(got).toBe(status);
    expect(body).toMatchObject({ resourceType: 'OperationOutcome' });
    expect(JSON.stringify(body)).toMatch(words);
  });
});

describe('what differs', () => {
  const immunization = { resourceType: 'ImmunizationRecommendation', id: 'i', patient: { reference: 'Patient/p' }, date: '2026-01-01', recommendation: [] };
  it.each<[string, object[], number, number]>([
    ['two coverages', [cover, cover, part('order', oxygen)], 200, 400],
    ['a coverage without id', [part('coverage', { ...coverage, id: undefined }), part('order', oxygen)], 200, 400],
    ['a coverage without beneficiary', [part('coverage', { ...coverage, beneficiary: undefined }), part('order', oxygen)], 200, 400],
    ['an order that 2.2.0 no longer takes', [cover, part('order', immunization)], 200, 400],
    ['an unknown context beside an order', [cover, part('order', oxygen), context('x')], 200, 422],
  ])('%s', async (_name, parts, in201, in220) => {
    expect((await ask('2.0.1', ...parts)).status).toBe(in201);
    expect((await ask('2.2.0', ...parts)).status).toBe(in220);
  });

  it('names of the parts', async () => {
    const parts = [cover, named('home-oxygen', '0.9.0')];
    expect((await ask('2.0.1', ...parts)).names).toEqual(['PackageBundle', 'operationOutcome']);
    expect((await ask('2.2.0', ...parts)).names).toEqual(['packagebundle', 'outcome']);
  });

  it('2.2.0: one draft in every bundle, with or without an order; nothing but the four kinds of resource', async () => {
    const answer = await ask('2.2.0', cover, named('every-element'), named('lumbar-spine-mri'));
    for (const bundle of answer.bundles) {
      const types = (bundle.entry ?? []).map(({ resource }) => resource?.resourceType ?? '');
      expect(types.filter((type) => type === 'Questionnaire' || type === 'QuestionnaireResponse')).toEqual(['Questionnaire', 'QuestionnaireResponse']);
      expect(types.every((type) => ['Questionnaire', 'QuestionnaireResponse', 'Library', 'ValueSet'].includes(type))).toBe(true);
      const draft = of(bundle, 'QuestionnaireResponse')[0] as QuestionnaireResponse;
      expect(draft.extension).toContainEqual({ url: 'http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/qr-coverage', valueReference: { reference: 'Coverage/c' } });
      expect(draft.extension?.filter(({ url }) => url.endsWith('/qr-context'))).toEqual([]);
    }
  });

  it('2.0.1: coverage and order are qr-context; the draft of a standard form is valid to its profile', async () => {
    const { bundles: [bundle] } = await ask('2.0.1', cover, part('order', oxygen));
    const draft = of(bundle, 'QuestionnaireResponse')[0] as QuestionnaireResponse;
    expect(draft.extension?.filter(({ url }) => url.endsWith('/qr-context')).map(({ valueReference }) => valueReference?.reference)).toEqual(['Coverage/c', 'DeviceRequest/o']);
    expect(draft.questionnaire).toBe(`${FORM}/home-oxygen|1.0.0`);
    expect(errorsOf(draft)).toEqual([]);
  });

  it('value sets: all expanded in 2.0.1; those of 40 codes or more left out in 2.2.0', async () => {
    const sets = async (version: Version) => of((await ask(version, cover, named('every-element'))).bundles[0], 'ValueSet');
    const [all, small] = [await sets('2.0.1'), await sets('2.2.0')];
    expect(all.map(({ id, expansion }) => [id, (expansion?.contains ?? []).length > 0, expansion?.timestamp])).toEqual([['equipment', true, '2026-11-24T00:00:00.000Z'], ['units-of-time', true, '2026-11-24T00:00:00.000Z']]);
    expect(all[0]?.expansion?.contains?.length).toBeGreaterThan(600);
    expect(small.map(({ id }) => id)).toEqual(['units-of-time']);
  });

  it('where an adaptive form is asked on, and where terms are looked up', async () => {
    const extensions = async (version: Version, id: string, end: string) => (of((await ask(version, cover, named(id))).bundles[0], 'Questionnaire')[0]?.extension ?? []).filter(({ url }) => url.endsWith(end));
    expect(await extensions('2.0.1', 'lumbar-spine-mri', 'questionnaireAdaptive')).toMatchObject([{ valueBoolean: true }]);
    expect(await extensions('2.2.0', 'lumbar-spine-mri', 'questionnaireAdaptive')).toEqual([{ url: expect.any(String), valueUrl: 'http://payer.test/payer/fhir/dtr-2.2' }]);
    expect(await extensions('2.2.0', 'every-element', 'preferredTerminologyServer')).toMatchObject([{ valueUrl: 'http://payer.test/payer/fhir/dtr-2.2' }]);
    expect(await extensions('2.0.1', 'every-element', 'preferredTerminologyServer')).toMatchObject([{ valueUrl: 'http://payer.test/payer/fhir' }]);
  });

  it.each<[Version, string]>([['2.0.1', 'http://hl7.org/fhir/us/ecr/StructureDefinition/us-ph-alternative-expression-extension'], ['2.2.0', 'http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/alternativeExpression']])('%s: CQL that stands in a form has its ELM beside it', async (version, url) => {
    const [form] = of((await ask(version, cover, named('every-element'))).bundles[0], 'Questionnaire');
    const expression = flat(form?.item ?? []).find(({ linkId }) => linkId === 'age')?.extension?.find(({ valueExpression }) => valueExpression)?.valueExpression;
    const [alternative] = expression?.extension ?? [];
    expect(alternative).toMatchObject({ url, valueExpression: { language: 'application/elm+json' } });
    expect(JSON.parse(alternative?.valueExpression?.expression ?? '')).toMatchObject({ library: { statements: { def: expect.arrayContaining([expect.objectContaining({ name: 'Inline Expression' })]) } } });
  });
});

describe('what the public kit looks at', () => {
  it.each(['home-oxygen', 'lumbar-spine-mri', 'every-element'])('%s: CQL and ELM in each library, unique names, expressions text/cql', async (id) => {
    const { bundles: [bundle] } = await ask('2.0.1', cover, part('order', oxygen), named(id));
    const found = id === 'home-oxygen' ? bundle : (await ask('2.0.1', cover, named(id))).bundles[0];
    const libraries = of(found, 'Library');
    expect(libraries.length).toBeGreaterThan(0);
    expect(new Set(libraries.map(({ name }) => name)).size).toBe(libraries.length);
    for (const { content } of libraries) expect(content?.map(({ contentType }) => contentType)).toEqual(['text/cql', 'application/elm+json']);
    const [form] = of(found, 'Questionnaire');
    expect(form?.extension?.some(({ url }) => url.endsWith('launchContext'))).toBe(true);
    const languages = flat(form?.item ?? []).flatMap(({ extension }) => (extension ?? []).flatMap(({ valueExpression }) => valueExpression?.language ?? []));
    expect(id === 'home-oxygen' ? languages.filter((language) => language !== 'text/cql') : []).toEqual([]);
  });

  it('every must-support extension of the standard form occurs in every-element', async () => {
    const [form] = of((await ask('2.0.1', cover, named('every-element'))).bundles[0], 'Questionnaire');
    const text = JSON.stringify(form);
    const S = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-';
    const H = 'http://hl7.org/fhir/StructureDefinition/';
    const wanted = [
      ...['preferredTerminologyServer', 'performerType', 'entryMode', 'launchContext', 'itemPopulationContext', 'candidateExpression', 'lookupQuestionnaire', 'initialExpression', 'calculatedExpression', 'enableWhenExpression', 'contextExpression'].map((name) => S + name),
      ...['questionnaire-signatureRequired', 'cqf-library', 'variable', 'questionnaire-hidden', 'questionnaire-itemControl', 'questionnaire-supportLink', 'mimeType', 'questionnaire-unitOption', 'questionnaire-unitValueSet', 'questionnaire-referenceResource', 'questionnaire-referenceProfile', 'rendering-xhtml', 'questionnaire-optionExclusive'].map((name) => H + name),
    ];
    expect(wanted.filter((url) => !text.includes(`"${url}"`))).toEqual([]);
    const types = new Set(flat(form?.item ?? []).map(({ type }) => type));
    expect([...types].sort()).toEqual(['attachment', 'boolean', 'choice', 'date', 'dateTime', 'decimal', 'display', 'group', 'integer', 'open-choice', 'quantity', 'reference', 'string', 'text', 'time', 'url']);
    for (const element of ['prefix', 'enableWhen', 'enableBehavior', 'required', 'repeats', 'readOnly', 'maxLength', 'answerValueSet', 'answerOption', 'initial'] as const) expect(flat(form?.item ?? []).some((item) => item[element] !== undefined)).toBe(true);
  });
});

describe('$log-questionnaire-errors', () => {
  const form = { name: 'questionnaire', valueCanonical: `${FORM}/home-oxygen|1.0.0` };
  const outcome = (issue: object) => ({ name: 'operationOutcome', resource: { resourceType: 'OperationOutcome', issue: [issue] } });
  const one = outcome({ severity: 'error', code: 'exception', details: { coding: [{ code: 'MSG_BAD_SYNTAX' }], text: 'Grace Okafor' }, diagnostics: 'Grace Okafor', expression: ['test-date'] });
  const report = (version: Version, ...parameter: object[]) => fetch(`${origin}${BASES[version]}/Questionnaire/$log-questionnaire-errors`, { method: 'POST', headers: { 'content-type': 'application/fhir+json' }, body: JSON.stringify({ resourceType: 'Parameters', parameter }) });

  it.each<[string, object[], number, number]>([
    ['one outcome', [form, one], 204, 204],
    ['two outcomes', [form, one, one], 400, 204],
    ['upper case, as the OperationDefinition spells it', [{ ...form, name: 'Questionnaire' }, { ...one, name: 'OperationOutcome' }], 204, 204],
    ['no outcome', [form], 400, 400],
    ['no questionnaire', [one], 400, 400],
    ['two questionnaires', [form, form, one], 400, 400],
    ['an outcome without an issue', [form, { name: 'operationOutcome', resource: { resourceType: 'OperationOutcome' } }], 400, 400],
    ['another resource', [form, { name: 'operationOutcome', resource: { resourceType: 'Patient' } }], 400, 400],
  ])('%s', async (_name, parts, in201, in220) => {
    expect((await report('2.0.1', ...parts)).status).toBe(in201);
    expect((await report('2.2.0', ...parts)).status).toBe(in220);
  });

  it('keeps codes and places, never words', async () => {
    logged.length = 0;
    await report('2.0.1', form, one);
    expect(logged).toMatchObject([{ questionnaire: `${FORM}/home-oxygen|1.0.0`, issues: [{ severity: 'error', code: 'exception', details: ['MSG_BAD_SYNTAX'], expression: ['test-date'] }] }]);
    expect(JSON.stringify(logged)).not.toContain('Okafor');
  });
});
