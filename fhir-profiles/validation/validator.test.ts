import { describe, expect, it } from 'vitest';

import { CRD_URLS } from '../crd/canonical-urls.ts';
import { writeCoverageInformation } from '../crd/coverage-information.ts';
import { writeInformationOrigin } from '../dtr/information-origin.ts';
import { openValidator, type IgId } from './validator.ts';

const crd = openValidator(['crd-2.0.1']);
const dtr = openValidator(['dtr-2.0.1']);

function findings(report: ReturnType<typeof crd.validate>): string[] {
  return report.issues.map(({ severity, code, path }) => `${severity} ${code} ${path}`);
}

describe('what is no FHIR resource', () => {
  it.each([null, undefined, 'text', 7, [], {}, { resourceType: 3 }, { resourceType: 'Wish' }, { resourceType: 'Resource' }, { resourceType: 'HumanName' }])(
    'comes back as an error: %j',
    (value) => {
      const report = crd.validate(value);
      expect(report.valid).toBe(false);
      expect(report.issues).toEqual([expect.objectContaining({ severity: 'error', code: 'not-a-resource' })]);
    },
  );

  it.each([
    [[], 'a list'],
    [null, 'null'],
    ['x', 'a string'],
    [{ resourceType: 3 }, 'a resourceType that is no text'],
    [{ summary: 'x', indicator: 'info' }, 'an answer or card of CDS Hooks'],
    [{ cards: [] }, 'an answer or card of CDS Hooks'],
    [{ name: 'x' }, 'an object without it'],
  ])('%j: found %s', (value, found) => expect(crd.validate(value).issues[0]?.message).toMatch(new RegExp(`found ${found}$`)));

  it('nested too deeply is an error, not a crash', () => {
    let extension: object = { url: 'https://example.org/own', valueString: 'x' };
    for (let depth = 0; depth < 20_000; depth += 1) extension = { url: 'https://example.org/own', extension: [extension] };
    expect(crd.validate({ resourceType: 'Patient', extension: [extension] }).valid).toBe(false);
  });

  it('a profile that no opened guide has is an error', () => {
    expect(findings(crd.validate({ resourceType: 'Basic', code: {} }, { profile: 'http://example.org/none' }))).toEqual(['error profile-unknown Basic']);
  });

  it('an unknown guide is refused', () => {
    expect(() => openValidator(['pas-9' as IgId])).toThrow(RangeError);
    expect(() => openValidator([])).toThrow(RangeError);
  });
});

describe('R4 core, without a profile', () => {
  const patient = { resourceType: 'Patient', name: [{ family: 'Okafor' }] };

  it.each([
    ['a companion without value', { _birthDate: { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }] } }, []],
    ['an extension nobody knows', { extension: [{ url: 'https://example.org/own', valueString: 'x' }] }, ['information extension-unknown Patient.extension[0]']],
    ['parts of an extension nobody knows', { extension: [{ url: 'https://example.org/own', extension: [{ url: 'part', valueString: 'x' }] }] }, ['information extension-unknown Patient.extension[0]']],
    ['a code of a core extension that is wrong', { _birthDate: { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'lost' }] } }, ['error binding-required Patient.birthDate.extension[0].value']],
    ['a contained resource with an error', { contained: [{ resourceType: 'Organization', id: 'o', name: 3 }], managingOrganization: { reference: '#o' } }, ['error wrong-json-type Patient.contained[0].name']],
    ['a contained resource of the wrong type', { contained: [{ resourceType: 'Patient', id: 'o' }], managingOrganization: { reference: '#o' } }, ['error reference-target Patient.managingOrganization']],
    ['a companion beside an object', { maritalStatus: { text: 'x' }, _maritalStatus: { id: 'x' } }, ['error unknown-element Patient._maritalStatus']],
    ['a companion that is null', { birthDate: '1970-01-01', _birthDate: null }, ['error empty Patient.birthDate']],
    ['a companion that must be a list', { name: [{ given: ['A'], _given: { id: 'x' } }] }, ['error array-expected Patient.name[0].given']],
    ['a companion of an object', { _maritalStatus: { id: 'x' } }, ['error unknown-element Patient._maritalStatus']],
    ['a profile nobody has', { meta: { profile: ['http://example.org/none'] } }, ['information profile-unknown Patient']],
    ['a contact without anything', { contact: [{ relationship: [{ text: 'mother' }] }] }, ['error invariant Patient.contact[0]']],
  ])('%s', (_name, more, expected) => {
    expect(findings(crd.validate({ ...patient, ...more }))).toEqual(expected);
  });

  it('a resource may be nothing but its type, as Parameters without parameter is', () => {
    expect(findings(crd.validate({ resourceType: 'Parameters' }))).toEqual([]);
  });

  it('what could not be decided says so', () => {
    const { valid, issues } = crd.validate({ ...patient, meta: { profile: ['http://example.org/none'] } });
    expect(valid).toBe(true);
    expect(issues).toEqual([expect.objectContaining({ notVerified: true })]);
  });
});

describe('code systems and extensible lists (R4)', () => {
  const document = (system: string): unknown => ({ resourceType: 'DocumentReference', status: 'current', content: [{ attachment: { title: 'x' }, format: { system, code: 'urn:ihe:iti:xds:2017:mimeTypeSufficient' } }] });
  const member = (system: string, code: string): unknown => ({ resourceType: 'Patient', identifier: [{ system: 'https://payer.example', value: '1', type: { coding: [{ system, code }] } }] });
  const V2_0203 = 'http://terminology.hl7.org/CodeSystem/v2-0203';

  it.each([
    ['IHE’s code system that is named like a value set', document('http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem'), []],
    ['a value set as code system', document('http://hl7.org/fhir/ValueSet/formatcodes'), ['error code-system DocumentReference.content[0].format.system']],
    ['another code of the system that the list picks from', member(V2_0203, 'MB'), ['information binding-extensible Patient.identifier[0].type']],
    ['a code that its system lacks', member(V2_0203, 'MBR'), ['warning binding-extensible Patient.identifier[0].type', 'warning code-unknown Patient.identifier[0].type.coding[0]']],
    ['a code of another system', member('http://terminology.hl7.org/CodeSystem/v2-0001', 'M'), ['warning binding-extensible Patient.identifier[0].type']],
    ['a code of a system nobody has', member('https://payer.example/types', 'MB'), ['warning binding-extensible Patient.identifier[0].type']],
  ])('%s', (_name, resource, expected) => {
    expect(findings(crd.validate(resource))).toEqual(expected);
  });
});

describe('slices told apart by a value inside an inner slice (core bp)', () => {
  const component = (code: string, system = 'http://loinc.org'): object => ({ code: { coding: [{ system: 'https://ehr.example', code: 'own' }, { system, code }] }, valueQuantity: { value: 120, unit: 'mmHg', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' } });
  const pressure = (...parts: object[]): unknown => ({
    resourceType: 'Observation',
    meta: { profile: ['http://hl7.org/fhir/StructureDefinition/bp'] },
    status: 'final',
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }],
    code: { coding: [{ system: 'http://loinc.org', code: '85354-9' }] },
    subject: { reference: 'Patient/1' },
    effectiveDateTime: '2026-11-22',
    component: parts,
  });
  const inGrams = { ...component('8480-6'), valueQuantity: { value: 120, unit: 'g', system: 'http://unitsofmeasure.org', code: 'g' } };

  it.each([
    ['both parts', [component('8480-6'), component('8462-4')], []],
    ['one part twice', [component('8480-6'), component('8480-6')], ['error slice-max Observation.component', 'error slice-min Observation.component']],
    ['the code of another system', [component('8480-6'), component('8462-4', 'http://snomed.info/sct')], ['error slice-min Observation.component']],
    ['what the slice says of its value', [inGrams, component('8462-4')], ['error fixed-value Observation.component[0].value.code']],
  ])('%s', (_name, parts, expected) => {
    const found = findings(openValidator(['us-core-3.1.1']).validate(pressure(...parts)));
    expect(found.filter((finding) => finding.startsWith('error'))).toEqual(expected);
  });
});

describe('a choice of which the profile only slices the extensions (DTR 2.0.1 answerOption.value[x])', () => {
  const form = (option: object): unknown => ({
    resourceType: 'Questionnaire',
    meta: { profile: ['http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/dtr-std-questionnaire'] },
    item: [{ linkId: '1', type: 'choice', answerOption: [option] }],
  });
  const at = 'Questionnaire.item[0].answerOption[0].value';

  it.each([
    ['a Coding', { valueCoding: { system: 'http://loinc.org', code: 'LA33-6', display: 'Yes' } }, []],
    ['text', { valueString: 'Yes' }, []],
    ['a Coding with the extension', { valueCoding: { code: 'y', extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/rendering-xhtml', valueString: 'x' }] } }, []],
    ['an element that Coding lacks', { valueCoding: { code: 'y', label: 'Yes' } }, [`error unknown-element ${at}.label`]],
    ['an element of another type of the choice', { valueCoding: { code: 'y', reference: 'Patient/1' } }, [`error unknown-element ${at}.reference`]],
    ['a wrong value inside', { valueCoding: { code: 7 } }, [`error wrong-json-type ${at}.code`]],
  ])('%s', (_name, option, expected) => {
    expect(findings(dtr.validate(form(option))).filter((finding) => finding.includes('answerOption'))).toEqual(expected);
  });
});

describe('versions of profiles', () => {
  const url = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient';
  const patient = (version: string): unknown => ({ resourceType: 'Patient', meta: { profile: [`${url}${version}`] }, identifier: [{ system: 'https://ehr.example', value: '1' }], name: [{ family: 'Okafor' }], gender: 'female' });
  const usCore = openValidator(['us-core-3.1.1', 'us-core-7.0.0']);

  it.each([
    ['none: the guide named first', '', 'us-core-3.1.1', []],
    ['one of them', '|7.0.0', 'us-core-7.0.0', []],
    ['one that nobody has: held against another, and said so', '|9.9.9', 'us-core-3.1.1', ['information profile-unknown Patient']],
  ])('%s', (_name, version, guide, expected) => {
    const report = usCore.validate(patient(version));
    expect(report.guide).toBe(guide);
    expect(findings(report)).toEqual(expected);
  });

  it('asked for by name, it must be there', () => {
    expect(findings(usCore.validate(patient(''), { profile: `${url}|9.9.9` }))).toEqual(['error profile-unknown Patient']);
  });
});

describe('several guides', () => {
  const response = { resourceType: 'QuestionnaireResponse', id: 'r', status: 'completed', meta: { profile: ['http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/dtr-questionnaireresponse'] } };
  const both = openValidator(['crd-2.0.1', 'dtr-2.0.1']);

  it.each<[string, unknown, string]>([
    ['a Bundle', { resourceType: 'Bundle', type: 'collection', entry: [{ resource: response }] }, 'Bundle.entry[0].resource'],
    ['Parameters', { resourceType: 'Parameters', parameter: [{ name: 'x', resource: response }] }, 'Parameters.parameter[0].resource'],
    ['a Bundle in Parameters', { resourceType: 'Parameters', parameter: [{ name: 'x', resource: { resourceType: 'Bundle', type: 'collection', entry: [{ resource: response }] } }] }, 'Parameters.parameter[0].resource.entry[0].resource'],
    ['a resource that contains one', { resourceType: 'Basic', code: { text: 'x' }, contained: [response], subject: { reference: '#r' } }, 'Basic.contained[0]'],
  ])('%s without profile is read by the guide that the resources inside name', (_name, resource, path) => {
    const { guide, issues } = both.validate(resource);
    expect(guide).toBe('dtr-2.0.1');
    expect(issues).toContainEqual(expect.objectContaining({ code: 'cardinality-min', path: `${path}.questionnaire` }));
  });
});

describe('coverage information on an order (CRD 2.0.1)', () => {
  const order = (extension: unknown[]): unknown => ({
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    subject: { reference: 'Patient/1' },
    extension,
  });
  const written = writeCoverageInformation({
    coverage: 'Coverage/1',
    covered: 'covered',
    paNeeded: 'auth-needed',
    docNeeded: 'clinical',
    docPurpose: ['withpa'],
    details: [{ code: { coding: [{ system: 'https://openpriorauth.org/CodeSystem/coverage-detail', code: 'policy-revision' }] }, value: 'home-oxygen|2' }],
    questionnaires: ['https://payer.openpriorauth.org/fhir/Questionnaire/home-oxygen|1.0.0'],
    date: '2026-11-22',
    assertionId: 'a1',
  });

  it('what the writer writes is valid', () => {
    const { valid, issues } = crd.validate(order([written]));
    expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(valid).toBe(true);
  });

  it.each([
    ['a code outside its list', { url: 'covered', valueCode: 'maybe' }, 'binding-required'],
    ['a part of the wrong type', { url: 'covered', valueString: 'covered' }, 'type-not-allowed'],
    ['a part that does not exist', { url: 'cover', valueCode: 'covered' }, 'extension-part-unknown'],
  ])('%s', (_name, part, code) => {
    const parts = written.extension?.filter(({ url }) => url !== 'covered') ?? [];
    const { issues } = crd.validate(order([{ url: CRD_URLS.coverageInformation, extension: [...parts, part] }]));
    expect(issues).toContainEqual(expect.objectContaining({ severity: 'error', code }));
  });

  it('rule q1: a questionnaire asks for doc-needed', () => {
    const parts = written.extension?.filter(({ url }) => url !== 'doc-needed') ?? [];
    const { issues } = crd.validate(order([{ url: CRD_URLS.coverageInformation, extension: parts }]));
    expect(issues).toContainEqual(expect.objectContaining({ code: 'invariant', path: 'ServiceRequest.extension[0]' }));
  });
});

describe('information-origin (DTR 2.0.1)', () => {
  const response = (extension: unknown[]): unknown => ({
    resourceType: 'QuestionnaireResponse',
    status: 'in-progress',
    item: [{ linkId: '1', answer: [{ valueBoolean: true, extension }] }],
  });

  it.each([{ source: 'auto' } as const, { source: 'manual', practitioner: 'Practitioner/1' } as const])('what the writer writes is valid: %j', (origin) => {
    expect(findings(dtr.validate(response([writeInformationOrigin(origin)])))).toEqual([]);
  });

  it('dtrx-1: a typed answer names its author', () => {
    const { issues } = dtr.validate(response([{ url: writeInformationOrigin({ source: 'auto' }).url, extension: [{ url: 'source', valueCode: 'manual' }] }]));
    expect(issues).toContainEqual(expect.objectContaining({ severity: 'error', code: 'invariant' }));
  });
});
