import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readCoverageInformation } from '#fhir/crd/coverage-information.ts';
import { openValidator } from '#fhir/validation/validator.ts';
import { emissionFaults } from '#prior-auth/coverage-requirement/emission-rules.ts';
import { readRequirement } from '#prior-auth/coverage-requirement/read-requirement.ts';
import { type HookReply, runCdsHooks, type RunningCdsHooks } from '../../test-fixtures/running-cds-hooks.ts';
import { type CrdVersion, type Hook, HOOKS } from '../hook-call.ts';

let service: RunningCdsHooks;
beforeAll(async () => {
  service = await runCdsHooks();
});
afterAll(() => service.stop());
beforeEach(() => {
  service.holds([]);
  service.asked.length = 0;
});

const VALIDATORS = { '2.0': openValidator(['crd-2.0.1']), '2.2': openValidator(['crd-2.2.0-preview']) };
/**
 * What no resource can satisfy in the preview of 2.2, the guide's own examples included: the payload's slice asks for an escaped URL and fixes the plain
 * one; the participants' slices go by the profile of resources elsewhere. There the answer adds no fault.
 */
const CANNOT_CONFORM: { readonly [V in CrdVersion]: ReadonlySet<string> } = { '2.0': new Set(), '2.2': new Set(['communicationrequest', 'appointment-no-order']) };
const errorsOf = (version: CrdVersion, profile: string, resource: unknown) => VALIDATORS[version].validate(resource as Resource, { profile: PROFILE + profile }).issues.filter(({ severity }) => severity === 'error');
const PROFILE = 'http://hl7.org/fhir/us/davinci-crd/StructureDefinition/profile-';

const hcpcs = (code: string) => ({ coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code }] });
const cpt = (code: string) => ({ coding: [{ system: 'http://www.ama-assn.org/go/cpt', code }] });
const subject = { reference: 'Patient/p1' };
const requester = { reference: 'Practitioner/u1' };
const authored = { status: 'draft', authoredOn: '2026-11-22', requester, subject };
const patient = { resourceType: 'Patient', id: 'p1', identifier: [{ type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] }, system: 'https://ehr.example/mrn', value: '1' }], name: [{ family: 'Testa' }], gender: 'female', birthDate: '1950-01-01', address: [{ state: 'WA' }] };
const coverage = { resourceType: 'Coverage', id: 'c1', status: 'active', subscriberId: 'M1', beneficiary: subject, relationship: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/subscriber-relationship', code: 'self' }] }, payor: [{ display: 'Centers for Medicare and Medicaid Services' }] };
const bundle = (...resources: readonly object[]) => ({ resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ resource })) });

const device = { resourceType: 'DeviceRequest', id: 'd1', intent: 'order', ...authored, codeCodeableConcept: hcpcs('E1390') };
const procedure = { resourceType: 'ServiceRequest', id: 's1', intent: 'order', ...authored, code: cpt('75561') };
const ecg = { ...procedure, id: 's2', code: cpt('93000') };
const drug = { resourceType: 'MedicationRequest', id: 'm1', intent: 'order', ...authored, medicationCodeableConcept: hcpcs('J0585') };
const diet = { resourceType: 'NutritionOrder', id: 'n1', status: 'draft', intent: 'order', patient: subject, dateTime: '2026-11-22', orderer: requester, oralDiet: { type: [{ coding: [{ system: 'http://snomed.info/sct', code: '15108003' }] }] } };
const glasses = { resourceType: 'VisionPrescription', id: 'v1', status: 'draft', created: '2026-11-22', dateWritten: '2026-11-22', patient: subject, prescriber: requester, lensSpecification: [{ product: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/ex-visionprescriptionproduct', code: 'lens' }] }, eye: 'right', sphere: -2 }] };
const message = { resourceType: 'CommunicationRequest', id: 'k1', ...authored, basedOn: [{ display: 'x' }], payload: [{ extension: ['[x]', '%5Bx%5D'].map((brackets) => ({ url: `http://hl7.org/fhir/5.0/StructureDefinition/extension-CommunicationRequest.payload.content${brackets}`, valueCodeableConcept: cpt('93000') })), contentString: 'records' }] };
const appointment = { resourceType: 'Appointment', id: 'a1', status: 'proposed', serviceType: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/service-type', code: '124' }] }], start: '2026-12-01T09:00:00Z', end: '2026-12-01T10:00:00Z', requestedPeriod: [{ start: '2026-12-01', end: '2026-12-02' }], participant: [{ actor: subject, status: 'accepted' }, { type: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'PPRF' }] }], actor: requester, status: 'accepted' }] };
const encounter = { resourceType: 'Encounter', id: 'e1', status: 'in-progress', identifier: [{ system: 'https://ehr.example/visits', value: '1' }], class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' }, type: [cpt('75561')], subject, location: [{ location: { reference: 'Location/l1' } }] };

interface Focus extends Readonly<Record<string, unknown>> {
  readonly resourceType: string;
  readonly id: string;
}

const CONTEXTS: { readonly [H in Hook]: (...focus: readonly Focus[]) => object } = {
  'order-sign': (...focus) => ({ userId: 'Practitioner/u1', patientId: 'p1', draftOrders: bundle(...focus) }),
  'order-select': (...focus) => ({ userId: 'Practitioner/u1', patientId: 'p1', draftOrders: bundle(...focus), selections: focus.map((each) => `${each.resourceType}/${each.id}`) }),
  'order-dispatch': (...focus) => ({ patientId: 'p1', performer: 'Organization/o1', dispatchedOrders: focus.map((each) => `${each.resourceType}/${each.id}`) }),
  'appointment-book': (...focus) => ({ userId: 'Practitioner/u1', patientId: 'p1', appointments: bundle(...focus) }),
  'encounter-start': () => ({ userId: 'Practitioner/u1', patientId: 'p1', encounterId: 'e1' }),
  'encounter-discharge': () => ({ userId: 'Practitioner/u1', patientId: 'p1', encounterId: 'e1' }),
};
const FOCUS: { readonly [H in Hook]: Focus } = { 'order-sign': device, 'order-select': device, 'order-dispatch': device, 'appointment-book': appointment, 'encounter-start': encounter, 'encounter-discharge': encounter };

interface Asking {
  readonly version?: CrdVersion;
  readonly prefetch?: object;
  readonly context?: object;
  readonly configuration?: object;
}
function ask(hook: Hook, focus: readonly Focus[], { version = '2.0', prefetch = {}, context = {}, configuration }: Asking = {}): Promise<HookReply> {
  return service.post(`${hook}-crd`, {
    hook, hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea', fhirServer: service.ehrBase, fhirAuthorization: { access_token: 't', token_type: 'Bearer', expires_in: 30, scope: 'patient/*.rs', subject: 'x' },
    context: { ...CONTEXTS[hook](...focus), ...context },
    prefetch: { patient, coverage: bundle(coverage), conditions: null, observations: null, procedures: null, reports: null, documents: null, medicationHistory: null, ...Object.fromEntries(focus.map((each, i) => [`focus${i}`, each])), ...prefetch },
    extension: { 'davinci-crd.requestedVersion': version, ...(configuration ? { 'davinci-crd.configuration': configuration } : {}) },
  });
}
const requirements = (reply: HookReply) => reply.systemActions.flatMap(({ resource }) => readRequirement(resource as Parameters<typeof readRequirement>[0]));
const information = (reply: HookReply) => reply.systemActions.flatMap(({ resource }) => readCoverageInformation(resource as Parameters<typeof readCoverageInformation>[0]));
const answered = (reply: HookReply) => reply.systemActions.map(({ resource }) => `${resource.resourceType}/${resource.id}`);

describe.each(['2.0', '2.2'] as const)('CRD %s: every type of order, appointment and encounter', (version) => {
  const appointmentProfile = version === '2.0' ? 'appointment' : 'appointment-no-order';
  it.each<[Hook, Focus, string, string | undefined]>([
    ['order-sign', device, 'devicerequest', 'auth-needed'],
    ['order-sign', procedure, 'servicerequest', 'auth-needed'],
    ['order-sign', ecg, 'servicerequest', 'no-auth'],
    ['order-sign', drug, 'medicationrequest', 'auth-needed'],
    ['order-sign', diet, 'nutritionorder', 'no-auth'],
    ['order-sign', glasses, 'visionprescription', 'no-auth'],
    ['order-sign', message, 'communicationrequest', 'no-auth'],
    ['order-select', device, 'devicerequest', 'auth-needed'],
    ['order-select', drug, 'medicationrequest', 'auth-needed'],
    ['order-dispatch', device, 'devicerequest', 'auth-needed'],
    ['order-dispatch', glasses, 'visionprescription', 'no-auth'],
    ['order-dispatch', message, 'communicationrequest', 'no-auth'],
    ['appointment-book', appointment, appointmentProfile, 'no-auth'],
    ['encounter-start', encounter, 'encounter', 'auth-needed'],
    ['encounter-discharge', encounter, 'encounter', 'auth-needed'],
  ])('%s %s', async (hook, focus, profile, paNeeded) => {
    const reply = await ask(hook, [focus], { version });
    expect([reply.status, answered(reply)]).toEqual([200, [`${focus.resourceType}/${focus.id}`]]);
    expect(requirements(reply)).toMatchObject([{ coverage: 'Coverage/c1', paNeeded }]);
    expect(emissionFaults(requirements(reply))).toEqual([]);
    const [action] = reply.systemActions;
    expect(action).toMatchObject({ type: 'update', description: expect.stringContaining(focus.id) });
    const { extension: _added, ...rest } = action?.resource ?? { resourceType: '' };
    expect(rest).toEqual(focus);
    expect(errorsOf(version, profile, action?.resource)).toEqual(CANNOT_CONFORM[version].has(profile) ? errorsOf(version, profile, focus) : []);
  });
});

/** CRD, hook categories. */
describe('primary and secondary hooks', () => {
  it.each(['order-select', 'encounter-start', 'encounter-discharge'] as const)('%s never asks for documents', async (hook) => {
    expect(information(await ask(hook, [{ ...FOCUS[hook] }]))).toMatchObject([{ paNeeded: 'auth-needed', docNeeded: [], docPurpose: [], questionnaires: [] }]);
  });
  it.each<[string, Hook, readonly Focus[]]>([
    ['order-select of what needs nothing', 'order-select', [ecg]],
    ['an encounter without a code that a policy names', 'encounter-start', [{ ...encounter, type: [{ text: 'visit' }] }]],
  ])('%s says nothing', async (_name, hook, focus) => {
    expect(await ask(hook, focus)).toMatchObject({ status: 200, systemActions: [] });
  });
  it('order-select answers what is selected, not all drafts', async () => {
    expect(answered(await ask('order-select', [device, procedure], { context: { selections: ['ServiceRequest/s1'] } }))).toEqual(['ServiceRequest/s1']);
    expect(answered(await ask('order-select', [device], { context: { selections: [] } }))).toEqual([]);
  });
  it('several orders in a call are each answered, each under an id of its own', async () => {
    const reply = await ask('order-sign', [device, ecg, diet, message]);
    expect(answered(reply)).toEqual(['DeviceRequest/d1', 'ServiceRequest/s2', 'NutritionOrder/n1', 'CommunicationRequest/k1']);
    expect(new Set(requirements(reply).map(({ assertionId }) => assertionId)).size).toBe(4);
  });
  it.each(HOOKS)('%s: coverage-info false leaves out every action', async (hook) => {
    expect(await ask(hook, [FOCUS[hook]], { configuration: { 'coverage-info': false } })).toMatchObject({ status: 200, systemActions: [] });
  });
  it.each(HOOKS)('%s: max-cards 0 leaves out every card', async (hook) => {
    expect(await ask(hook, [FOCUS[hook]], { configuration: { 'max-cards': 0 } })).toMatchObject({ status: 200, cards: [] });
  });
  it.each(HOOKS)('%s: unknown configuration, context and elements break nothing', async (hook) => {
    const odd = { context: { odd: 1, 'fulfillment-tasks': [{}], task: 'Task/1' }, configuration: { 'alt-drug': true, 'max-cards': 'x', 'coverage-info': 'no' } };
    const [plain, with_] = [await ask(hook, [FOCUS[hook]]), await ask(hook, [FOCUS[hook]], odd)];
    expect([with_.status, answered(with_)]).toEqual([200, answered(plain)]);
  });
});

describe('order-dispatch', () => {
  it.each<[string, object]>([
    ['1.1', {}],
    ['1.0', { dispatchedOrders: undefined, order: 'DeviceRequest/d1', task: { resourceType: 'Task' } }],
    ['both', { order: 'DeviceRequest/d1' }],
  ])('%s context is read in either version', async (_name, context) => {
    for (const version of ['2.0', '2.2'] as const) expect(answered(await ask('order-dispatch', [device], { version, context }))).toEqual(['DeviceRequest/d1']);
  });
  it('reads the orders that are not in the prefetch; answers those that can be had', async () => {
    service.holds([procedure]);
    expect(answered(await ask('order-dispatch', [], { context: { dispatchedOrders: ['ServiceRequest/s1', 'ServiceRequest/gone'] } }))).toEqual(['ServiceRequest/s1']);
    expect(service.asked.sort()).toEqual(['ServiceRequest/gone', 'ServiceRequest/s1']);
  });
  it('412 when none can be had, or it is another patient’s', async () => {
    expect((await ask('order-dispatch', [], { context: { dispatchedOrders: ['ServiceRequest/s1'] } })).status).toBe(412);
    expect((await ask('order-dispatch', [{ ...device, subject: { reference: 'Patient/p2' } }])).status).toBe(412);
  });
});

describe('the coverage that an order names', () => {
  const named = { ...procedure, insurance: [{ reference: 'Coverage/c9' }] };
  const other = { ...coverage, id: 'c9', order: 2 };
  it.each<[Hook, readonly Focus[], object]>([
    ['order-dispatch', [], { dispatchedOrders: ['ServiceRequest/s1'] }],
    ['appointment-book', [{ ...appointment, basedOn: [{ reference: 'ServiceRequest/s1' }] }], {}],
  ])('%s: is read when the order itself had to be read', async (hook, focus, context) => {
    for (const version of ['2.0', '2.2'] as const) {
      service.holds([named, other]);
      expect(requirements(await ask(hook, focus, { version, context }))).toMatchObject([{ coverage: 'Coverage/c9', paNeeded: 'auth-needed' }]);
      expect(service.asked.splice(0).sort()).toEqual(['Coverage/c9', 'ServiceRequest/s1']);
    }
  });
  it('is read when the search for coverages fails; an order that names none is not answered under it', async () => {
    service.holds((query) => ({ status: query === 'Coverage/c9' ? 200 : 500, body: query === 'Coverage/c9' ? other : {} }));
    const without = { ...ecg, id: 's3' };
    expect(requirements(await ask('order-sign', [named, without], { prefetch: { coverage: undefined } }))).toMatchObject([{ coverage: 'Coverage/c9', paNeeded: 'auth-needed' }]);
    expect((await ask('order-sign', [without], { prefetch: { coverage: undefined } })).status).toBe(412);
  });
  it('that it contains itself is no coverage on record, and the answer says so', async () => {
    const contained = { ...procedure, contained: [{ ...coverage, id: 'cov' }], insurance: [{ reference: '#cov' }] };
    expect(requirements(await ask('order-sign', [contained]))).toMatchObject([{ coverage: 'Coverage/c1', reasons: [expect.anything(), expect.stringMatching(/^The coverage that the order names/)] }]);
  });
  it('nothing is asked twice for it', async () => {
    service.holds([named, coverage, other]);
    expect(requirements(await ask('order-dispatch', [], { context: { dispatchedOrders: ['ServiceRequest/s1'] }, prefetch: { coverage: undefined, patient: undefined } }))).toMatchObject([{ coverage: 'Coverage/c9' }]);
    expect(new Set(service.asked).size).toBe(service.asked.length);
  });
});

/** CRD 2.2: coverage-information of an appointment that was ordered goes on the order. */
describe('an appointment based on an order', () => {
  const based = { ...appointment, basedOn: [{ reference: 'ServiceRequest/s1' }] };
  it.each<[CrdVersion, string]>([['2.0', 'Appointment/a1'], ['2.2', 'ServiceRequest/s1']])('CRD %s: the answer is on %s', async (version, on) => {
    service.holds([procedure]);
    const reply = await ask('appointment-book', [based], { version });
    expect(answered(reply)).toEqual([on]);
    expect(requirements(reply)).toMatchObject([{ paNeeded: 'auth-needed', policy: { policyId: 'cardiac-mri' } }]);
  });
  const unknown = [{ covered: 'conditional', paNeeded: 'conditional', infoNeeded: ['OTH'], reasons: [expect.stringMatching(/based on could not be read/)] }];
  it.each(['2.0', '2.2'] as const)('CRD %s, an order that cannot be had: open, on the appointment', async (version) => {
    const reply = await ask('appointment-book', [based], { version });
    expect([answered(reply), requirements(reply)]).toMatchObject([['Appointment/a1'], unknown]);
    const ofAnother: Focus = { ...procedure, subject: { reference: 'Patient/p2' } };
    service.holds([ofAnother]);
    expect(requirements(await ask('appointment-book', [based], { version }))).toMatchObject(unknown);
    expect(requirements(await ask('appointment-book', [{ ...appointment, basedOn: [{ display: 'an order on paper' }] }], { version }))).toMatchObject(unknown);
  });
  it.each<[CrdVersion, Readonly<Record<string, string>>, Readonly<Record<string, string>>]>([
    ['2.0', { 'Appointment/a1': 'auth-needed' }, { 'Appointment/a1': 'conditional' }],
    ['2.2', { 'ServiceRequest/s1': 'auth-needed', 'Appointment/a1': 'auth-needed' }, { 'ServiceRequest/s2': 'no-auth', 'Appointment/a1': 'conditional' }],
  ])('CRD %s, one of two orders cannot be had: what is known to be needed is needed, the rest is open', async (version, withStrict, withLoose) => {
    service.holds([procedure, ecg]);
    for (const [order, expected] of [['s1', withStrict], ['s2', withLoose]] as const) {
      const reply = await ask('appointment-book', [{ ...appointment, basedOn: [{ reference: `ServiceRequest/${order}` }, { reference: 'ServiceRequest/gone' }] }], { version });
      expect(Object.fromEntries(answered(reply).map((on, i) => [on, requirements(reply)[i]?.paNeeded]))).toEqual(expected);
    }
  });
  it.each(['2.0', '2.2'] as const)('CRD %s, an order that the appointment contains: its code is read', async (version) => {
    const reply = await ask('appointment-book', [{ ...appointment, contained: [{ ...procedure, id: 'in' }], basedOn: [{ reference: '#in' }] }], { version });
    expect([answered(reply), requirements(reply)]).toMatchObject([['Appointment/a1'], [{ paNeeded: 'auth-needed' }]]);
  });
  it.each<[CrdVersion, string]>([['2.0', 'Appointment/a1'], ['2.2', 'ServiceRequest/s1']])('CRD %s, an order named by the urn of its entry: on %s', async (version, on) => {
    const urn = 'urn:uuid:8a6f2c1e-0000-4000-8000-000000000001';
    const reply = await ask('appointment-book', [{ ...appointment, basedOn: [{ reference: urn }] }], { version, prefetch: { serviceRequests: { ...bundle(procedure), entry: [{ fullUrl: urn, resource: procedure }] } } });
    expect([answered(reply), requirements(reply), service.asked]).toMatchObject([[on], [{ paNeeded: 'auth-needed' }], []]);
  });
  it('based on a device request: found by the alternate reference', async () => {
    const alternate = { ...appointment, basedOn: [{ extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/alternate-reference', valueReference: { reference: 'DeviceRequest/d1' } }] }] };
    expect(answered(await ask('appointment-book', [alternate], { version: '2.2', prefetch: { deviceRequests: bundle(device) } }))).toEqual(['DeviceRequest/d1']);
  });
  it('two appointments of one order: one answer', async () => {
    expect(answered(await ask('appointment-book', [based, { ...based, id: 'a2' }], { version: '2.2', prefetch: { serviceRequests: bundle(procedure) } }))).toEqual(['ServiceRequest/s1']);
  });
});

describe('a drug or device named by reference', () => {
  const byReference = { resourceType: 'MedicationRequest', id: 'm2', intent: 'order', ...authored, medicationReference: { reference: 'Medication/x' } };
  const medication = { resourceType: 'Medication', id: 'x', code: hcpcs('J0585') };
  it.each<[string, object, readonly Focus[]]>([
    ['is found in the prefetch, under any key', { anything: bundle(medication) }, []],
    ['is read', {}, [medication]],
  ])('%s', async (_name, prefetch, held) => {
    service.holds(held);
    expect(requirements(await ask('order-sign', [byReference], { prefetch }))).toMatchObject([{ paNeeded: 'auth-needed' }]);
  });
  it('is found by the urn of its entry, beside the order and in the prefetch', async () => {
    const urn = 'urn:uuid:8a6f2c1e-0000-4000-8000-000000000002';
    const named = { ...byReference, medicationReference: { reference: urn } };
    const entry = { fullUrl: urn, resource: medication };
    expect(requirements(await ask('order-sign', [named], { context: { draftOrders: { ...bundle(), entry: [{ resource: named }, entry] } } }))).toMatchObject([{ paNeeded: 'auth-needed' }]);
    expect(requirements(await ask('order-sign', [named], { prefetch: { anything: { ...bundle(), entry: [entry] } } }))).toMatchObject([{ paNeeded: 'auth-needed' }]);
    expect(service.asked).toEqual([]);
  });
  it('that cannot be had: conditional, with what is needed', async () => {
    expect(requirements(await ask('order-sign', [byReference]))).toMatchObject([{ covered: 'conditional', infoNeeded: ['OTH'], reasons: [expect.any(String)] }]);
  });
});

describe('what each hook does without data', () => {
  const nothing = { patient: undefined, coverage: undefined, focus0: undefined };
  it.each<[Hook, number]>([['order-sign', 412], ['order-dispatch', 412], ['appointment-book', 412], ['order-select', 200], ['encounter-start', 200], ['encounter-discharge', 200]])('%s: %i', async (hook, status) => {
    for (const holds of [() => ({ status: 403, body: {} }), () => 'hang' as const]) {
      service.holds(holds);
      const reply = await ask(hook, [FOCUS[hook]], { prefetch: nothing });
      expect([reply.status, reply.systemActions]).toEqual([status, []]);
    }
  });
  it.each(HOOKS)('%s: what is missing is read at the same time', async (hook) => {
    service.holds([patient, coverage, device, encounter], 20);
    const reply = await ask(hook, [FOCUS[hook]], { prefetch: nothing });
    expect([reply.status, reply.systemActions.length]).toEqual([200, 1]);
    expect(service.mostAtOnce()).toBe(service.asked.length);
  });
  it('order-sign: the chart is read at once, and an EHR that is late costs the chart, not the answer', async () => {
    const chart = { conditions: undefined, observations: undefined };
    service.holds([], 20);
    expect(requirements(await ask('order-sign', [device], { prefetch: chart }))).toMatchObject([{ paNeeded: 'auth-needed' }]);
    expect([service.asked.length, service.mostAtOnce()]).toEqual([2, 2]);
    service.holds(() => 'hang');
    expect(requirements(await ask('order-sign', [device], { prefetch: chart }))).toMatchObject([{ paNeeded: 'auth-needed' }]);
  });
  it('order-sign: an order that names its coverage is answered beside one that does not', async () => {
    service.holds(() => ({ status: 403, body: {} }));
    const reply = await ask('order-sign', [device, { ...device, id: 'd2', insurance: [{ reference: 'Coverage/c1' }] }], { prefetch: { coverage: undefined } });
    expect(answered(reply)).toEqual(['DeviceRequest/d2']);
    expect(requirements(reply)).toMatchObject([{ covered: 'conditional', infoNeeded: ['OTH'] }]);
  });
});

describe('coverage', () => {
  it.each<[string, readonly object[], CrdVersion, object]>([
    ['ended', [{ ...coverage, period: { end: '2026-10-31' } }], '2.0', { covered: 'conditional', paNeeded: 'conditional', infoNeeded: ['OTH'] }],
    ['ended', [{ ...coverage, period: { end: '2026-10-31' } }], '2.2', { covered: 'not-covered', infoNeeded: [], reasons: [{ coding: [{ code: 'no-active-coverage' }], text: expect.any(String) }] }],
    ['cancelled', [{ ...coverage, status: 'cancelled' }], '2.2', { covered: 'not-covered' }],
    ['ends this year', [{ ...coverage, period: { start: '2026', end: '2026' } }], '2.0', { covered: 'covered', paNeeded: 'auth-needed' }],
    ['of a payer not held here', [{ ...coverage, payor: [{ display: 'Elsewhere' }] }], '2.2', { covered: 'conditional', infoNeeded: ['OTH'] }],
    ['whose payer cannot be read', [{ ...coverage, payor: [{ reference: 'Organization/gone' }] }], '2.0', { covered: 'conditional', infoNeeded: ['OTH'] }],
    ['whose payer cannot be read', [{ ...coverage, payor: [{ reference: 'Organization/gone' }] }], '2.2', { covered: 'indeterminate', paNeeded: 'indeterminate', infoNeeded: [], reasons: [{ coding: [{ code: 'technical' }], text: expect.any(String) }] }],
    ['two, the primary', [{ ...coverage, id: 'c2', order: 2 }, { ...coverage, order: 1 }], '2.0', { coverage: 'Coverage/c1' }],
  ])('%s %j CRD %s', async (_name, coverages, version, expected) => {
    const reply = await ask('order-sign', [device], { version, prefetch: { coverage: bundle(...coverages) } });
    expect(reply.status).toBe(200);
    expect(information(reply)).toMatchObject([expected]);
    expect(errorsOf(version, 'devicerequest', reply.systemActions[0]?.resource)).toEqual([]);
  });
  it.each<[string, readonly object[]]>([
    ['the patient pays', [{ ...coverage, payor: [subject] }]],
    ['none', []],
    ['of another patient', [{ ...coverage, beneficiary: { reference: 'Patient/p2' } }]],
  ])('%s: 422 in CRD 2.0.1 and 400 in 2.2', async (_name, coverages) => {
    for (const [version, status] of [['2.0', 422], ['2.2', 400]] as const) {
      const reply = await ask('order-sign', [device], { version, prefetch: { coverage: bundle(...coverages) } });
      expect([reply.status, reply.text.startsWith('{"resourceType":"OperationOutcome"')]).toEqual([status, true]);
    }
  });
});

describe('bad calls of each hook', () => {
  it.each<[string, Hook, object]>([
    ['no patient', 'order-select', { patientId: undefined }],
    ['no selections', 'order-select', { selections: undefined }],
    ['no drafts', 'order-select', { draftOrders: undefined }],
    ['drafts without an order', 'order-sign', { draftOrders: bundle({ resourceType: 'Observation', id: 'o' }) }],
    ['an empty Bundle', 'order-sign', { draftOrders: bundle() }],
    ['no order', 'order-dispatch', { dispatchedOrders: undefined }],
    ['an order of a wrong type', 'order-dispatch', { dispatchedOrders: ['Claim/1'] }],
    ['no performer', 'order-dispatch', { performer: undefined }],
    ['no appointments', 'appointment-book', { appointments: undefined }],
    ['appointments that are orders', 'appointment-book', { appointments: bundle(device) }],
    ['an appointment without id', 'appointment-book', { appointments: bundle({ resourceType: 'Appointment' }) }],
    ['no user', 'appointment-book', { userId: undefined }],
    ['no encounter', 'encounter-start', { encounterId: undefined }],
    ['an encounter that is a path', 'encounter-start', { encounterId: '../x' }],
    ['no user', 'encounter-discharge', { userId: undefined }],
    ['a user that is a patient', 'encounter-discharge', { userId: 'Patient/p1' }],
  ])('%s of %s is 422 in CRD 2.0.1 and 400 in 2.2', async (_name, hook, context) => {
    for (const [version, status] of [['2.0', 422], ['2.2', 400]] as const) {
      const reply = await ask(hook, [FOCUS[hook]], { version, context });
      expect([reply.status, reply.text.startsWith('{"resourceType":"OperationOutcome"')]).toEqual([status, true]);
    }
  });
  it.each(HOOKS)('%s does not answer another hook', async (hook) => {
    const other = hook === 'order-sign' ? 'order-select' : 'order-sign';
    expect((await service.post(`${hook}-crd`, { hook: other, hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea', context: {} })).status).toBe(422);
  });
});

it('the checker has kept nothing back in all of this', async () => {
  expect(await service.keptBack()).toEqual([]);
});
