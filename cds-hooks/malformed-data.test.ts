import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCdsHooks, type RunningCdsHooks } from '../test-fixtures/running-cds-hooks.ts';

const subject = { reference: 'Patient/p1' };
const concept = { coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'E1390' }], text: 'x' };
const common = { id: 'f1', status: 'draft', intent: 'order', subject, authoredOn: '2026-11-22', requester: { reference: 'Practitioner/u1' } };
const FOCUS = {
  DeviceRequest: { resourceType: 'DeviceRequest', ...common, insurance: [{ reference: 'Coverage/c1' }], reasonCode: [concept], reasonReference: [{ reference: 'Condition/1' }], extension: [{ url: 'x', valueString: 'y' }], codeCodeableConcept: concept, parameter: [{ valueQuantity: { value: 1 } }], occurrenceTiming: { repeat: { boundsDuration: { value: 1 } } } },
  ServiceRequest: { resourceType: 'ServiceRequest', ...common, code: concept, orderDetail: [concept], quantityQuantity: { value: 1 } },
  MedicationRequest: { resourceType: 'MedicationRequest', ...common, medicationReference: { reference: '#m' }, contained: [{ resourceType: 'Medication', id: 'm', code: concept }], dispenseRequest: { quantity: { value: 1 } } },
  NutritionOrder: { resourceType: 'NutritionOrder', id: 'f1', patient: subject, oralDiet: { type: [concept] }, supplement: [{ type: concept }], enteralFormula: { baseFormulaType: concept } },
  VisionPrescription: { resourceType: 'VisionPrescription', id: 'f1', patient: subject, lensSpecification: [{ product: concept }] },
  CommunicationRequest: { resourceType: 'CommunicationRequest', ...common, payload: [{ extension: [{ url: 'x', valueCodeableConcept: concept }] }] },
} as const;
const patient = { resourceType: 'Patient', id: 'p1', birthDate: '1950-01-01', address: [{ state: 'WA', use: 'home' }] };
const coverage = { resourceType: 'Coverage', id: 'c1', status: 'active', beneficiary: subject, payor: [{ reference: '#o', display: 'Medicare', identifier: { system: 's', value: 'v' } }], type: { coding: [{ system: 's', code: 'c' }] }, period: { start: '2020-01-01' }, contained: [{ resourceType: 'Organization', id: 'o', name: 'Medicare', identifier: [{ system: 's', value: 'v' }] }] };
const observation = { resourceType: 'Observation', id: 'o1', status: 'final', subject, code: { coding: [{ code: '59408-5' }] }, effectiveDateTime: '2026-11-12', valueQuantity: { value: 86 } };
const bundle = (...resources: readonly object[]) => ({ resourceType: 'Bundle', entry: resources.map((resource) => ({ resource })) });

const AT_ONCE = 16;
const MISSHAPEN = { clientFaults: 'an element of the client has a value of another form on purpose' };

interface Stored extends Readonly<Record<string, unknown>> {
  readonly resourceType: string;
  readonly id: string;
}

/** Every way in which one element of it has a value of another form. */
function misshapen(value: object): readonly object[] {
  return Object.entries(value).flatMap(([key, each]) => {
    if (key === 'resourceType' || key === 'id') return [];
    const wrong = [7, 'x', [null]].map((other) => ({ ...value, [key]: other }));
    const deeper = Array.isArray(each) ? each.flatMap((one: unknown) => (typeof one === 'object' && one !== null ? misshapen(one).map((bad) => [bad]) : [])) : typeof each === 'object' && each !== null ? misshapen(each as object) : [];
    return [...wrong, ...deeper.map((bad) => ({ ...value, [key]: bad }))];
  });
}

/** What the client sends is answered or refused; it is never a fault of ours. */
describe('resources of a wrong form', () => {
  let service: RunningCdsHooks;
  beforeAll(async () => {
    service = await runCdsHooks({ deadlineMs: 5_000 });
  });
  afterAll(() => service.stop());

  async function statuses(calls: readonly { readonly order?: object; readonly prefetch?: object }[]): Promise<ReadonlySet<number>> {
    const counted = new Set<number>();
    const one = async ({ order = FOCUS.DeviceRequest, prefetch = {} }: (typeof calls)[number]): Promise<void> => {
      const { status } = await service.post('order-sign-crd', {
        hook: 'order-sign', hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea', context: { userId: 'Practitioner/u1', patientId: 'p1', draftOrders: bundle(order) },
        prefetch: { patient, coverage: bundle(coverage), observations: bundle(observation), ...prefetch },
      }, MISSHAPEN);
      counted.add(status);
    };
    for (let i = 0; i < calls.length; i += AT_ONCE) await Promise.all(calls.slice(i, i + AT_ONCE).map(one));
    return counted;
  }
  const unexpected = (counted: ReadonlySet<number>): readonly number[] => [...counted].filter((status) => ![200, 422].includes(status));

  it.each(Object.entries(FOCUS))('%s', async (_type, focus) => {
    expect(unexpected(await statuses(misshapen(focus).map((order) => ({ order }))))).toEqual([]);
  });
  it.each<[string, string, string, readonly Stored[], number]>([
    ['the coverage that the order names', 'order-sign', 'coverage', [{ ...coverage, payor: 7 }], 200],
    ['one of two coverages', 'order-sign', 'coverage', [{ ...coverage, payor: 7 }, { ...coverage, payor: [{ display: 'Medicare' }] }], 200],
    ['an observation', 'order-sign', 'observations', [{ ...observation, code: { coding: 'x' } }], 200],
    ['an encounter', 'encounter-start', 'encounter', [{ resourceType: 'Encounter', id: 'e1', type: [7] }], 200],
  ])('from the EHR: %s', async (_name, hook, key, records, expected) => {
    service.holds(records);
    const { status } = await service.post(`${hook}-crd`, {
      hook, hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea', fhirServer: service.ehrBase, fhirAuthorization: { access_token: 't', token_type: 'Bearer' },
      context: { userId: 'Practitioner/u1', patientId: 'p1', encounterId: 'e1', draftOrders: bundle(FOCUS.DeviceRequest) }, prefetch: { patient, coverage: bundle(coverage), conditions: null, observations: null, [key]: undefined },
    }, MISSHAPEN);
    expect(status).toBe(expected);
  });
  it.each<[string, object, string]>([['Patient', patient, 'patient'], ['Coverage', coverage, 'coverage'], ['Observation', observation, 'observations']])('%s', async (_type, resource, key) => {
    expect(unexpected(await statuses(misshapen(resource).map((bad) => ({ prefetch: { [key]: key === 'patient' ? bad : bundle(bad) } }))))).toEqual([]);
  });
});
