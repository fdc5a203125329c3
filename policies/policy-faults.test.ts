import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DRAFT_TYPES } from '#prior-auth/coverage-requirement/policy-response.ts';
import { checkLibrary } from './check-library.ts';
import { draftFaults } from './draft-faults.ts';
import { loadPolicies, readPolicyFile } from './load-policies.ts';

const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

/** A folder with one policy of the library, changed. */
function changed(policy: string, from: string | RegExp, to: string): { readonly folder: string; readonly file: string; readonly text: string } {
  const folder = mkdtempSync(join(tmpdir(), 'policies-'));
  folders.push(folder);
  const before = readFileSync(join(import.meta.dirname, 'library', `${policy}.json`), 'utf8');
  const text = before.replace(from, () => to);
  expect(text).not.toBe(before);
  const file = join(folder, `${policy}.json`);
  writeFileSync(file, text);
  return { folder, file, text };
}
function messageOf(load: () => unknown): string {
  try {
    load();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

const COMPRESSION = '"record": "%evidence.exists()"';
const record = (text: string) => ['vein-ablation', COMPRESSION, `"record": "${text}"`] as const;
const CPT = '"http://www.ama-assn.org/go/cpt"';
const SERVICES = '"codes": ["L3761", "L3916"], "from": "2027-04-26"';
const CALCIUM = /"documentation": null/;
const CHANGE = /"set": \{ "parameter".*\} \}\] \}/;
const ECHO = '"resourceType": "ServiceRequest",';

/** What is wrong; the policy and the change that makes it so; what is said; what stands on the line that is named. */
const FAULTS: readonly (readonly [string, string, string | RegExp, string, string, string])[] = [
  ['a criterion that is no FHIRPath', ...record('%evidence.first( >= 3'), 'revisions.0.criteria.2.record: criterion compression: record is no FHIRPath: column 17: extraneous input \'>=\'', '%evidence.first( >= 3'],
  ['a function that is none', ...record('%evidence.existz()'), 'record calls existz(), and FHIRPath has no such function', 'existz'],
  ['a function that is none, where an empty record does not lead', ...record('%evidence.where(code.where(coding.existz()).exists()).exists()'), 'record calls existz()', 'existz'],
  ['a function that asks a server', ...record('%evidence.subject.resolve().exists()'), 'record calls resolve(), which would ask a server', 'resolve'],
  ['a variable that is none', ...record('%evidnce.exists()'), 'record names %evidnce, which is not there; there is %evidence and %today', 'evidnce'],
  ['a variable where there is none', 'home-oxygen', /"submission": "[^"]*"/, '"submission": "%evidence.exists()"', 'submission names %evidence, which is not there; there are no variables here', '%evidence.exists()'],
  ['a type that is none', ...record('%evidence.value.ofType(Quantty).exists()'), 'record cannot be evaluated, even on no evidence: "Quantty" cannot be resolved', 'Quantty'],
  ['a number where it is met or not', ...record('%evidence.count()'), 'record gives 0 on no evidence, and must give true, false or nothing: compare it', 'count()'],
  ['a resource where it is met or not', ...record('%evidence.first()'), 'record gives a Procedure on one empty Procedure', 'first()'],
  ['a condition of a response that names no variable', 'pap-device', /"order": "parameter[^"]*"/, '"order": "authoredOn < %tody"', 'revisions.0.responses.0.when.order: names %tody, which is not there; there is %today', '%tody'],
  ['the name of a code system', 'vein-ablation', `"system": ${CPT}`, '"system": "CPT"', 'revisions.0.services.0.system: "CPT" is no address of a code system: write http://www.ama-assn.org/go/cpt', '"CPT"'],
  ['a mistyped code system', 'vein-ablation', `"system": ${CPT}`, '"system": "http://www.ama-assn.org/go/cptt"', '"http://www.ama-assn.org/go/cptt" is no code system that orders are looked up by. They are: CPT http://www.ama-assn.org/go/cpt, HCPCS http', 'cptt'],
  ['a range of codes', 'upper-limb-orthosis', SERVICES, SERVICES.replace('"L3761"', '"L3761-L3766"'), 'services.2.codes.0: "L3761-L3766" is no HCPCS code (a letter and four digits): name each code of a range', 'L3766'],
  ['a day that is not in the calendar', 'upper-limb-orthosis', '2027-04-26', '2027-02-30', 'services.2.from: must be a date YYYY-MM-DD that is in the calendar', '2027-02-30'],
  ['a revision from a day that is not in the calendar', 'vein-ablation', '2020-07-01', '2021-02-29', 'revisions.0.effectiveFrom: must be a date', '2021-02-29'],
  ['a state that is none', 'upper-limb-orthosis', '"NY"', '"ZZ"', 'services.0.states.0: must be a state or territory of the United States', 'ZZ'],
  ['an authorization that would need a number', 'vein-ablation', '"auth-needed"', '"satisfied"', 'revisions.0.authorization: must be no-auth, auth-needed, performpa, conditional', 'satisfied'],
  ['documents for an authorization of what is not covered', 'coronary-calcium-score', /"authorization": "no-auth",\s*"documentation": null,([\s\S]*)"decision": null/, '"authorization": "auth-needed",\n"documentation": "clinical",\n"reason": "r", "questionnaires": [], "criteria": [], "decision": { "route": "automatic", "denial": "d" }', 'revisions.0.documentation: revision 2020.1 would give an answer that CRD does not allow (withpa only where', '"documentation"'],
  ['documents for an authorization that is not needed', 'coronary-calcium-score', CALCIUM, '"documentation": "clinical",\n"documentationPurpose": "withpa"', 'revisions.0.documentationPurpose: revision 2020.1 would give an answer', 'withpa'],
  ['a changed element that is none', 'pap-device', CHANGE, '"set": { "quantty": { "value": 3 } }', 'alternatives.0.change.set.quantty: is no element of what may be changed (ServiceRequest, DeviceRequest,', 'quantty'],
  ['a changed element of no order type that has the others', 'pap-device', CHANGE, '"set": { "priority": "fast" }', 'change.set.priority: fast is not in http://hl7.org/fhir/ValueSet/request-priority', 'fast'],
  ['a computed element that is none', 'pap-device', CHANGE, '"compute": { "priorty": "\'stat\'" }', 'change.compute.priorty: is no element of what may be changed', 'priorty'],
  ['an element of an order that is none', 'cardiac-mri', ECHO, `${ECHO} "elements": {\n"foo": 1 },`, 'orders.0.order.elements.foo: is no element of ServiceRequest', '"foo"'],
  ['a code of an order that FHIR does not allow', 'cardiac-mri', ECHO, `${ECHO} "elements": {\n"priority": "fast" },`, 'orders.0.order.elements.priority: fast is not in', '"fast"'],
  ['a value inside an element that FHIR does not allow', 'cardiac-mri', ECHO, `${ECHO} "elements": {\n"quantityQuantity": { "value":\n"3" } },`, 'orders.0.order.elements.quantityQuantity.value: ', '"3"'],
  ['an order in a code system by name', 'cardiac-mri', `"system": ${CPT}, "code": "93306"`, '"system": "CPT", "code": "93306"', 'orders.0.order.code.system: "CPT" is no address of a code system', '"CPT"'],
  ['an element that is given twice', 'vein-ablation', '"covered": "covered",', '"covered": "covered",\n"covered": "not-covered",', 'revisions.0.covered: is given twice, first in line 21: remove one', 'not-covered'],
  ['evidence of nothing', 'vein-ablation', '"codes": [], "words": ["reflux time", "reflux duration"]', '"codes": []', 'criteria.1.evidence.0.codes: names no code and no word', '"codes": []'],
  ['an address that is none', 'vein-ablation', '"url": "https://doi.org/10.1016/j.jvsv.2022.09.004"', '"url": "doi 10.1016"', 'alsoBasedOn.0.url: must be an address (https://…)', 'doi 10.1016'],
  ['a response of no type', 'cardiac-mri', '"type": "instructions"', '"type": "advice"', 'responses.1.type: must be external-reference, instructions, propose-alternate, additional-orders,', 'advice'],
  ['a summary that is too long', 'cardiac-mri', 'comes before {{service}}', `comes before ${'x'.repeat(120)}`, 'responses.0.summary: must have at most 120 characters', 'xxxx'],
];

describe('a policy that cannot work is refused, with file, line and element', () => {
  it.each(FAULTS)('%s', (_name, policy, from, to, said, onLine) => {
    const { folder, file, text } = changed(policy, from, to);
    const message = messageOf(() => readPolicyFile(file));
    const lines = message.split('\n');
    expect(lines).toHaveLength(1);
    expect(message).toContain(said);
    const line = Number(/\.json:(\d+): /.exec(message)?.[1]);
    expect(text.split('\n')[line - 1]).toContain(onLine);
    // The start and check say the same.
    expect(messageOf(() => loadPolicies(folder))).toBe(message);
    expect(checkLibrary([file], { payerIds: new Set() })).toEqual([{ severity: 'error', file, line, message: message.slice(`${file}:${line}: `.length) }]);
  });
  it('what is no JSON is said in one line', () => {
    const { file } = changed('vein-ablation', '"revisions": [', '"revisions": [,\n');
    expect(messageOf(() => readPolicyFile(file))).toMatch(/^\S+vein-ablation\.json:6: not JSON: [^\n]* is not valid JSON$/);
    expect(checkLibrary([file], { payerIds: new Set() })).toEqual([expect.objectContaining({ line: 6 })]);
  });
  it('a byte order mark is no fault', () => {
    const { file } = changed('vein-ablation', /^/, '\uFEFF');
    expect(readPolicyFile(file).id).toBe('vein-ablation');
  });
});

describe('what a response drafts', () => {
  const asked: Readonly<Record<string, object>> = { NutritionOrder: { oralDiet: { type: [{ text: 'x' }] } }, VisionPrescription: { lensSpecification: [{ product: { text: 'x' }, eye: 'left' }] }, CommunicationRequest: { payload: [{ contentString: 'x' }] } };
  const shared = { id: 'a', when: { criteria: 'always' }, summary: 's' } as const;
  it.each(DRAFT_TYPES)('is no fault where a %s has the element, and one where it has not', (resourceType) => {
    const drafted = (elements: Record<string, unknown>) => draftFaults({ ...shared, type: 'additional-orders', orders: [{ label: 'l', order: { resourceType, elements } }] });
    expect(drafted({ ...asked[resourceType], language: 'en' })).toEqual([]);
    expect(drafted({ ...asked[resourceType], language: 'en', eyeglasses: true })).toEqual([{ path: ['orders', 0, 'order', 'elements', 'eyeglasses'], message: expect.stringContaining(`is no element of ${resourceType}`) as unknown }]);
  });
  it('may change an element that one type of order has, also by its type, but not elements of two', () => {
    const change = (set: Record<string, unknown>) => draftFaults({ ...shared, type: 'propose-alternate', alternatives: [{ label: 'l', change: { set } }] }).map(({ path }) => path.join('.'));
    expect(change({ quantityQuantity: { value: 3 } })).toEqual([]);
    expect(change({ parameter: [{ code: { text: 'x' }, valueQuantity: { value: 3 } }] })).toEqual([]);
    expect(change({ quantityQuantity: { value: 3 }, parameter: [{ code: { text: 'x' } }] })).toEqual(['alternatives.0.change.set.parameter']);
    expect(change({ quantityQuantity: { value: '3' } })).toEqual(['alternatives.0.change.set.quantityQuantity.value']);
  });
});

describe('what holds without a policy', () => {
  const withDefault = (text: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'policies-'));
    folders.push(folder);
    const file = join(folder, 'default.json');
    writeFileSync(file, text);
    return () => loadPolicies(undefined, file);
  };
  it.each([
    ['may not be conditional', '{ "covered": "conditional",\n"authorization": "no-auth" }', /default\.json:1: covered: would give an answer that CRD does not allow \(info-needed/],
    ['may need no authorization that has a number', '{ "covered": "covered",\n"authorization": "satisfied" }', /default\.json:2: authorization: must be no-auth/],
    ['changes elements that are there', '{ "covered": "covered", "authorization": "no-auth", "everyOrder": [{ "id": "a", "type": "update-coverage", "when": { "criteria": "always" }, "summary": "s", "label": "l", "change":\n{ "set": { "subscriberID": "x" } } }] }', /default\.json:2: everyOrder\.0\.change\.set\.subscriberID: is no element of Coverage/],
  ])('%s', (_name, text, message) => expect(withDefault(text)).toThrow(message));
});
