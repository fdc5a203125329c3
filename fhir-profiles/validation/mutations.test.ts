import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { PAS_EXTENSIONS } from '../pas/canonical-urls.ts';
import type { JsonObject } from './json-values.ts';
import { openValidator, type IgId, type IssueCode } from './validator.ts';

const VERSIONS = ['2.0.1', '2.2.1'] as const;
type Version = (typeof VERSIONS)[number];
type Fixture = 'request' | 'response';

const validators = { '2.0.1': openValidator(['pas-2.0.1']), '2.2.1': openValidator(['pas-2.2.1']) };
const X12_306 = 'https://codesystem.x12.org/005010/306';

function fixture(name: Fixture, version: Version): JsonObject {
  return JSON.parse(readFileSync(new URL(`./fixtures/${name}-${version}.json`, import.meta.url), 'utf8')) as JsonObject;
}

const REMOVE = Symbol('remove');

function at(root: unknown, steps: readonly string[]): unknown {
  return steps.reduce<unknown>((current, step) => (current as JsonObject)[step], root);
}

/** Sets, or removes, what stands at `path` ("entry.0.resource.status"; "+" appends to an array). */
function change(root: unknown, path: string, value: unknown): void {
  const steps = path.split('.');
  const last = steps.pop() ?? '';
  const holder = at(root, steps);
  if (Array.isArray(holder)) {
    if (last === '+') holder.push(value);
    else if (value === REMOVE) holder.splice(Number(last), 1);
    else holder[Number(last)] = value;
  } else if (value === REMOVE) Reflect.deleteProperty(holder as JsonObject, last);
  else (holder as JsonObject)[last] = value;
}

interface Mutation {
  readonly name: string;
  readonly on?: Fixture;
  /** Default both. */
  readonly only?: Version;
  readonly changes: readonly (readonly [path: string, value: unknown])[];
  readonly code: IssueCode;
  /** Path below the Bundle. */
  readonly at: string;
}

const claim = 'entry.0.resource';
const item = `${claim}.item.0`;
const order = 'entry.5.resource';
const extensionOf = (url: string, value: JsonObject): JsonObject => ({ url, ...value });

const MUTATIONS: readonly Mutation[] = [
  // Required elements
  { name: 'bundle without timestamp', changes: [['timestamp', REMOVE]], code: 'cardinality-min', at: 'timestamp' },
  { name: 'bundle without identifier', changes: [['identifier', REMOVE]], code: 'cardinality-min', at: 'identifier' },
  { name: 'bundle of another type', changes: [['type', 'searchset']], code: 'pattern', at: 'type' },
  { name: 'claim without status', changes: [[`${claim}.status`, REMOVE]], code: 'cardinality-min', at: 'entry[0].resource.status' },
  { name: 'claim without insurer', changes: [[`${claim}.insurer`, REMOVE]], code: 'cardinality-min', at: 'entry[0].resource.insurer' },
  { name: 'claim without insurance', changes: [[`${claim}.insurance`, REMOVE]], code: 'cardinality-min', at: 'entry[0].resource.insurance' },
  { name: 'item without category', changes: [[`${item}.category`, REMOVE]], code: 'cardinality-min', at: 'entry[0].resource.item[0].category' },
  { name: 'item without productOrService', changes: [[`${item}.productOrService`, REMOVE]], code: 'cardinality-min', at: 'entry[0].resource.item[0].productOrService' },
  { name: 'patient without name', changes: [['entry.1.resource.name', REMOVE]], code: 'cardinality-min', at: 'entry[1].resource.name' },
  { name: 'patient without identifier', changes: [['entry.1.resource.identifier', REMOVE]], code: 'cardinality-min', at: 'entry[1].resource.identifier' },
  { name: 'organization without active', changes: [['entry.2.resource.active', REMOVE]], code: 'cardinality-min', at: 'entry[2].resource.active' },
  { name: 'entry without fullUrl', changes: [['entry.1.fullUrl', REMOVE]], code: 'cardinality-min', at: 'entry[1].fullUrl' },
  { name: 'role without practitioner', changes: [['entry.6.resource.practitioner', REMOVE]], code: 'cardinality-min', at: 'entry[6].resource.practitioner' },
  { name: 'item without request type', only: '2.2.1', changes: [[`${item}.extension.1`, REMOVE]], code: 'slice-min', at: 'entry[0].resource.item[0].extension' },
  { name: 'item without location', only: '2.2.1', changes: [[`${item}.locationCodeableConcept`, REMOVE]], code: 'cardinality-min', at: 'entry[0].resource.item[0].location' },
  { name: 'coverage without relationship', only: '2.2.1', changes: [['entry.4.resource.relationship', REMOVE]], code: 'cardinality-min', at: 'entry[4].resource.relationship' },
  { name: 'coverage without member id', only: '2.2.1', changes: [['entry.4.resource.identifier.0.type.coding.0.code', 'XX']], code: 'slice-min', at: 'entry[4].resource.identifier' },
  // JSON shape and types
  { name: 'text where a list belongs', changes: [['entry.1.resource.name', { family: 'Doe' }]], code: 'array-expected', at: 'entry[1].resource.name' },
  { name: 'list where one value belongs', changes: [[`${claim}.status`, ['active']]], code: 'array-not-allowed', at: 'entry[0].resource.status' },
  { name: 'empty list', changes: [[`${claim}.note`, []], [`${claim}.procedure`, []]], code: 'empty', at: 'entry[0].resource.procedure' },
  { name: 'empty object', changes: [[`${claim}.payee`, {}]], code: 'empty', at: 'entry[0].resource.payee' },
  { name: 'null', changes: [[`${claim}.created`, null]], code: 'empty', at: 'entry[0].resource.created' },
  { name: 'number as text', changes: [[`${item}.sequence`, '1']], code: 'wrong-json-type', at: 'entry[0].resource.item[0].sequence' },
  { name: 'object as text', changes: [[`${item}.category`, '42']], code: 'wrong-json-type', at: 'entry[0].resource.item[0].category' },
  { name: 'true as text', changes: [[`${claim}.insurance.0.focal`, 'true']], code: 'wrong-json-type', at: 'entry[0].resource.insurance[0].focal' },
  { name: 'zero as positive integer', changes: [[`${item}.sequence`, 0]], code: 'primitive-format', at: 'entry[0].resource.item[0].sequence' },
  { name: 'a day the calendar lacks', changes: [['entry.1.resource.birthDate', '1970-02-30']], code: 'primitive-format', at: 'entry[1].resource.birthDate' },
  { name: 'a thirteenth month', changes: [[`${item}.servicedDate`, '2026-13-01']], code: 'primitive-format', at: 'entry[0].resource.item[0].serviced' },
  { name: 'a time without zone', changes: [['timestamp', '2026-11-22T10:05:00']], code: 'primitive-format', at: 'timestamp' },
  { name: 'blank text', changes: [['entry.1.resource.name.0.family', ' ']], code: 'primitive-format', at: 'entry[1].resource.name[0].family' },
  { name: 'a URI with a blank', changes: [['entry.1.resource.identifier.0.system', 'http://payer example']], code: 'primitive-format', at: 'entry[1].resource.identifier[0].system' },
  { name: 'an id with an underscore', changes: [['entry.1.resource.id', 'pat_1']], code: 'primitive-format', at: 'entry[1].resource.id' },
  { name: 'unknown element', changes: [[`${claim}.urgency`, 'high']], code: 'unknown-element', at: 'entry[0].resource.urgency' },
  { name: 'misspelt element inside a type', changes: [['entry.1.resource.name.0.familly', 'Doe']], code: 'unknown-element', at: 'entry[1].resource.name[0].familly' },
  { name: 'unknown element of an extension', changes: [[`${claim}.extension.0.text`, 'x']], code: 'unknown-element', at: 'entry[0].resource.extension[0].text' },
  { name: 'two values of one choice', changes: [[`${item}.servicedPeriod`, { start: '2026-12-01' }]], code: 'choice-repeated', at: 'entry[0].resource.item[0].serviced' },
  { name: 'a type the choice does not have', changes: [[`${item}.servicedDateTime`, '2026-12-01'], [`${item}.servicedDate`, REMOVE]], code: 'type-not-allowed', at: 'entry[0].resource.item[0].serviced' },
  { name: 'a type that only the profile forbids', changes: [[`${claim}.diagnosis.0.diagnosisReference`, { reference: 'Condition/1' }], [`${claim}.diagnosis.0.diagnosisCodeableConcept`, REMOVE]], code: 'type-not-allowed', at: 'entry[0].resource.diagnosis[0].diagnosis' },
  { name: 'unknown resource type', changes: [['entry.8.resource', { resourceType: 'Wish' }]], code: 'not-a-resource', at: 'entry[8].resource' },
  // Fixed values, patterns, codes
  { name: 'claim that is cancelled', changes: [[`${claim}.status`, 'cancelled']], code: 'pattern', at: 'entry[0].resource.status' },
  { name: 'claim that is no preauthorization', changes: [[`${claim}.use`, 'claim']], code: 'pattern', at: 'entry[0].resource.use' },
  { name: 'order that is a plan', changes: [[`${order}.intent`, 'plan']], code: 'fixed-value', at: 'entry[5].resource.intent' },
  { name: 'gender outside its list', changes: [['entry.1.resource.gender', 'f']], code: 'binding-required', at: 'entry[1].resource.gender' },
  { name: 'status outside its list', changes: [['entry.8.resource.status', 'done']], code: 'binding-required', at: 'entry[8].resource.status' },
  { name: 'diagnosis in SNOMED', changes: [[`${claim}.diagnosis.0.diagnosisCodeableConcept.coding.0.system`, 'http://snomed.info/sct']], code: 'binding-required', at: 'entry[0].resource.diagnosis[0].diagnosis' },
  { name: 'service without a code', changes: [[`${item}.productOrService`, { text: 'visit' }]], code: 'binding-required', at: 'entry[0].resource.item[0].productOrService' },
  { name: 'service from an unlisted system', changes: [[`${item}.productOrService.coding.0.system`, 'urn:oid:2.16.840.1.113883.6.285']], code: 'binding-required', at: 'entry[0].resource.item[0].productOrService' },
  { name: 'claim type outside the list', only: '2.2.1', changes: [[`${claim}.type.coding.0.code`, 'pharmacy']], code: 'binding-required', at: 'entry[0].resource.type' },
  { name: 'outcome that 2.2.1 dropped', on: 'response', only: '2.2.1', changes: [[`${claim}.outcome`, 'queued']], code: 'binding-required', at: 'entry[0].resource.outcome' },
  { name: 'outcome outside its list', on: 'response', changes: [[`${claim}.outcome`, 'approved']], code: 'binding-required', at: 'entry[0].resource.outcome' },
  { name: 'value set as code system', changes: [[`${item}.category.coding.0.system`, 'https://valueset.x12.org/x217/005010/request/2000F/UM/1/03/00/1365']], code: 'code-system', at: 'entry[0].resource.item[0].category.coding[0].system' },
  { name: 'X12 code system without https', on: 'response', changes: [[`${item}.adjudication.0.extension.0.extension.1.valueCodeableConcept.coding.0.system`, 'http://codesystem.x12.org/005010/306']], code: 'code-system', at: 'entry[0].resource.item[0].adjudication[0].extension[0].extension[1].value.coding[0].system' },
  // Slices and extensions
  { name: 'care team member without scope', changes: [[`${claim}.careTeam.0.extension`, REMOVE]], code: 'cardinality-min', at: 'entry[0].resource.careTeam[0].extension' },
  { name: 'supporting information with a time', changes: [[`${claim}.supportingInfo.0.timingDate`, '2026-12-01']], code: 'cardinality-max', at: 'entry[0].resource.supportingInfo[0].timing' },
  { name: 'two patient events', changes: [
    [`${claim}.supportingInfo.+`, { sequence: 8, category: { coding: [{ system: 'http://hl7.org/fhir/us/davinci-pas/CodeSystem/PASTempCodes', code: 'patientEvent' }] }, timingDate: '2026-12-01' }],
    [`${claim}.supportingInfo.+`, { sequence: 9, category: { coding: [{ system: 'http://hl7.org/fhir/us/davinci-pas/CodeSystem/PASTempCodes', code: 'patientEvent' }] }, timingDate: '2026-12-02' }],
  ], code: 'slice-max', at: 'entry[0].resource.supportingInfo' },
  { name: 'extension with the wrong value type', changes: [[`${item}.extension.0`, extensionOf(PAS_EXTENSIONS.itemTraceNumber, { valueString: 'T-1' })]], code: 'type-not-allowed', at: 'entry[0].resource.item[0].extension[0].value' },
  { name: 'extension without value', changes: [[`${item}.extension.0`, { url: PAS_EXTENSIONS.itemTraceNumber }]], code: 'extension-value', at: 'entry[0].resource.item[0].extension[0]' },
  { name: 'extension without url', changes: [[`${item}.extension.0.url`, REMOVE]], code: 'cardinality-min', at: 'entry[0].resource.item[0].extension[0].url' },
  { name: 'extension twice', changes: [[`${item}.extension.+`, extensionOf(PAS_EXTENSIONS.requestedService, { valueReference: { reference: 'urn:uuid:10000000-0000-4000-8000-000000000006' } })]], code: 'slice-max', at: 'entry[0].resource.item[0].extension' },
  { name: 'extension in the wrong place', changes: [['entry.1.resource.extension', [extensionOf(PAS_EXTENSIONS.levelOfServiceCode, { valueCodeableConcept: { coding: [{ system: 'https://codesystem.x12.org/005010/1338', code: 'U' }] } })]]], code: 'extension-context', at: 'entry[1].resource.extension[0]' },
  { name: 'short url of the review action code', on: 'response', changes: [[`${item}.adjudication.0.extension.0.extension.1.url`, 'reviewActionCode']], code: 'extension-part-unknown', at: 'entry[0].resource.item[0].adjudication[0].extension[0].extension[1]' },
  { name: 'review action code as a plain code', on: 'response', changes: [[`${item}.adjudication.0.extension.0.extension.1`, extensionOf(PAS_EXTENSIONS.reviewActionCode, { valueCode: 'A1' })]], code: 'type-not-allowed', at: 'entry[0].resource.item[0].adjudication[0].extension[0].extension[1].value' },
  { name: 'two review action codes', on: 'response', changes: [[`${item}.adjudication.0.extension.0.extension.+`, extensionOf(PAS_EXTENSIONS.reviewActionCode, { valueCodeableConcept: { coding: [{ system: X12_306, code: 'A3' }] } })]], code: 'slice-max', at: 'entry[0].resource.item[0].adjudication[0].extension[0].extension' },
  { name: 'item without adjudication', on: 'response', changes: [[`${item}.adjudication`, REMOVE]], code: 'cardinality-min', at: 'entry[0].resource.item[0].adjudication' },
  { name: 'unknown modifier extension', changes: [[`${item}.modifierExtension`, [{ url: 'http://example.org/never', valueBoolean: true }]]], code: 'modifier-extension-unknown', at: 'entry[0].resource.item[0].modifierExtension[0]' },
  { name: 'entry with a search part', changes: [['entry.1.search', { mode: 'match' }]], code: 'cardinality-max', at: 'entry[1].search' },
  // References and bundle rules
  { name: 'patient that is an organization', changes: [[`${claim}.patient.reference`, 'urn:uuid:10000000-0000-4000-8000-000000000003']], code: 'reference-target', at: 'entry[0].resource.patient' },
  { name: 'care team of a bare practitioner', changes: [[`${claim}.careTeam.0.provider.reference`, 'urn:uuid:10000000-0000-4000-8000-000000000008']], code: 'reference-target', at: 'entry[0].resource.careTeam[0].provider' },
  { name: 'coverage by type of a relative reference', changes: [[`${claim}.insurance.0.coverage.reference`, 'Patient/1']], code: 'reference-target', at: 'entry[0].resource.insurance[0].coverage' },
  { name: 'insurer that is no PAS organization', changes: [['entry.2.resource.meta', REMOVE], ['entry.2.resource.name', REMOVE]], code: 'reference-target-profile', at: 'entry[0].resource.insurer' },
  { name: 'contained resource that is missing', changes: [[`${claim}.patient.reference`, '#p']], code: 'invariant', at: 'entry[0].resource.patient' },
  { name: 'contained resource that nothing uses', changes: [[`${order}.contained`, [{ resourceType: 'Basic', id: 'b', code: { text: 'x' } }]]], code: 'invariant', at: 'entry[5].resource' },
  { name: 'claim not first', changes: [['entry.0', { fullUrl: 'urn:uuid:10000000-0000-4000-8000-00000000000a', resource: { resourceType: 'Basic', code: { text: 'x' } } }], ['entry.+', 'CLAIM']], code: 'bundle-first-entry', at: 'entry[0]' },
  { name: 'no claim at all', changes: [['entry.0', REMOVE]], code: 'slice-min', at: 'entry' },
  { name: 'dangling urn', changes: [[`${claim}.patient.reference`, 'urn:uuid:99999999-0000-4000-8000-000000000009']], code: 'bundle-dangling-reference', at: 'entry[0].resource.patient' },
  { name: 'relative reference from a urn entry', changes: [['entry.4.resource.beneficiary.reference', 'Patient/1']], code: 'bundle-dangling-reference', at: 'entry[4].resource.beneficiary' },
  { name: 'an entry left out', changes: [['entry.7', REMOVE]], code: 'bundle-dangling-reference', at: 'entry[6].resource.practitioner' },
  { name: 'one fullUrl twice', changes: [['entry.3.fullUrl', 'urn:uuid:10000000-0000-4000-8000-000000000003']], code: 'bundle-duplicate', at: 'entry[3]' },
  { name: 'fullUrl and id that differ', changes: [['entry.1.fullUrl', 'https://ehr.example.org/fhir/Patient/1'], ['entry.1.resource.id', '2']], code: 'bundle-full-url', at: 'entry[1].fullUrl' },
  { name: 'item that names a missing diagnosis', changes: [[`${item}.diagnosisSequence`, [7]]], code: 'bundle-sequence', at: 'entry[0].resource.item[0].diagnosisSequence' },
  { name: 'a sequence number twice', changes: [[`${claim}.diagnosis.+`, { sequence: 1, diagnosisCodeableConcept: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'G89.4' }] } }]], code: 'bundle-sequence', at: 'entry[0].resource.diagnosis[1].sequence' },
  { name: 'answer without its claim response first', on: 'response', changes: [['entry.0', REMOVE]], code: 'slice-min', at: 'entry' },
  // Invariants
  { name: 'a date without day', only: '2.2.1', changes: [[`${item}.servicedDate`, '2026-12']], code: 'invariant', at: 'entry[0].resource.item[0].serviced' },
  { name: 'a birth date without day', changes: [['entry.1.resource.birthDate', '1970-01']], code: 'invariant', at: 'entry[1].resource.birthDate' },
  { name: 'quantity code without system', changes: [[`${item}.quantity.code`, 'VS']], code: 'invariant', at: 'entry[0].resource.item[0].quantity' },
  { name: 'period that ends before it starts', changes: [[`${claim}.billablePeriod`, { start: '2026-12-02', end: '2026-12-01' }]], code: 'invariant', at: 'entry[0].resource.billablePeriod' },
  { name: 'NPI with letters', changes: [['entry.7.resource.identifier.0.value', 'ABC'], ['entry.7.resource.identifier.0.system', 'http://hl7.org/fhir/sid/us-npi']], only: '2.2.1', code: 'invariant', at: 'entry[7].resource.identifier[0]' },
  { name: 'spouse without subscriber', only: '2.2.1', changes: [['entry.4.resource.relationship.coding', [{ system: 'http://terminology.hl7.org/CodeSystem/subscriber-relationship', code: 'spouse' }]], ['entry.4.resource.subscriber', REMOVE]], code: 'invariant', at: 'entry[4].resource' },
];

for (const version of VERSIONS) {
  describe(`PAS ${version}`, () => {
    const validator = validators[version];

    it.each(['request', 'response'] as const)('accepts the %s fixture', (name) => {
      expect(validator.validate(fixture(name, version)).issues.filter(({ severity }) => severity === 'error')).toEqual([]);
    });

    it.each(MUTATIONS.filter(({ only }) => only === undefined || only === version))('catches $name', ({ on = 'request', changes, code, at: place }) => {
      const bundle = fixture(on, version);
      const first = at(bundle, ['entry', '0']);
      for (const [path, value] of changes) change(bundle, path, value === 'CLAIM' ? first : value);
      const { valid, issues } = validator.validate(bundle);
      const errors = issues.filter(({ severity }) => severity === 'error');
      expect(errors).toContainEqual(expect.objectContaining({ code, path: `Bundle.${place}` }));
      expect(valid).toBe(false);
    });
  });
}

describe('between the versions', () => {
  it('a 2.0.1 request held against 2.2.1 names what is missing', () => {
    const bundle = fixture('request', '2.0.1');
    change(bundle, `${item}.locationCodeableConcept`, REMOVE);
    change(bundle, 'entry.4.resource.relationship', REMOVE);
    const paths = validators['2.2.1'].validate(bundle).issues.filter(({ severity }) => severity === 'error').map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['Bundle.entry[0].resource.item[0].location', 'Bundle.entry[4].resource.relationship']));
  });

  it('opens both and lets the version in the canonical decide', () => {
    const both = openValidator(['pas-2.0.1', 'pas-2.2.1'] satisfies IgId[]);
    const bundle = fixture('request', '2.0.1');
    change(bundle, 'entry.4.resource.relationship', REMOVE);
    const profile = String(at(bundle, ['meta', 'profile', '0']));
    expect(both.validate(bundle, { profile }).valid).toBe(true);
    expect(both.validate(bundle, { profile: `${profile}|2.0.1` }).valid).toBe(true);
    expect(both.validate(bundle, { profile: `${profile}|2.2.1` }).valid).toBe(false);
  });
});
