import type { Bundle, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '#store/database.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { openTables } from '../tables.ts';
import { accessOfScopes, fullAccess } from './access.ts';
import { FhirRepository } from './repository.ts';
import { search, searchBundle } from './search.ts';
import { parseSearch } from './search-query.ts';
import type { StoredResource } from './structure.ts';

const BASE = 'https://ehr.example/fhir';
const LOINC = 'http://loinc.org';
const observation = (id: string, patient: string, code: string, date: string, value: number, unit = '%'): StoredResource => ({
  resourceType: 'Observation', id, status: 'final', code: { coding: [{ system: LOINC, code, display: `Test ${code}` }], text: 'Oxygen saturation' }, subject: { reference: `Patient/${patient}` },
  effectiveDateTime: date, valueQuantity: { value, unit, system: 'http://unitsofmeasure.org', code: unit }, performer: [{ reference: 'Practitioner/doc' }],
});
const RECORDS: readonly StoredResource[] = [
  { resourceType: 'Patient', id: 'ana', active: true, name: [{ family: 'García', given: ['Ana', 'María'] }], birthDate: '1950-05-01', gender: 'female', identifier: [{ system: 'urn:mrn', value: 'A1' }], generalPractitioner: [{ reference: 'Practitioner/doc' }], meta: { tag: [{ system: 'urn:tag', code: 'vip' }] } },
  { resourceType: 'Patient', id: 'bo', name: [{ family: 'Olsen', given: ['Bo'] }], birthDate: '1980-12-31', gender: 'male', identifier: [{ system: 'urn:mrn', value: 'B,2' }], deceasedDateTime: '2026-01-01', managingOrganization: { identifier: { system: 'urn:org', value: '77' } } },
  { resourceType: 'Practitioner', id: 'doc', name: [{ family: 'Nair' }] },
  { resourceType: 'PractitionerRole', id: 'role', practitioner: { reference: 'Practitioner/doc' }, organization: { reference: 'Organization/clinic' } },
  { resourceType: 'Organization', id: 'clinic', name: 'Rainier 100% Clinic' },
  observation('o1', 'ana', '59408-5', '2026-11-12T09:15:00Z', 86),
  observation('o2', 'ana', '59408-5', '2025-06-01', 94),
  observation('o3', 'ana', '8480-6', '2026-11-12T23:30:00-05:00', 138, 'mm[Hg]'),
  observation('o4', 'bo', '59408-5', '2026-11-01', 99),
  { resourceType: 'Observation', id: 'o5', status: 'preliminary', code: { text: 'Headache days' }, subject: { reference: `${BASE}/Patient/bo` }, effectivePeriod: { start: '2026-10-01', end: '2026-10-31' } },
  { resourceType: 'Condition', id: 'c1', clinicalStatus: { coding: [{ code: 'active' }] }, code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: ' J44.9 ' }] }, subject: { reference: 'Patient/ana' }, onsetDateTime: '2022' },
  { resourceType: 'Condition', id: 'c2', clinicalStatus: { coding: [{ code: 'resolved' }] }, code: { text: 'Bronchitis' }, subject: { reference: 'Patient/bo' } },
  { resourceType: 'DeviceRequest', id: 'd1', status: 'draft', intent: 'order', codeCodeableConcept: { coding: [{ code: 'E1390' }] }, subject: { reference: 'Patient/ana' }, requester: { reference: 'PractitionerRole/role' } },
  { resourceType: 'Encounter', id: 'e1', status: 'finished', class: { code: 'AMB' }, subject: { reference: 'Patient/ana' }, participant: [{ individual: { reference: 'Practitioner/doc' } }], serviceProvider: { reference: 'Organization/clinic' } },
];

let store: Store;
let repository: FhirRepository;
beforeAll(async () => {
  store = await openTestStore();
  repository = new FhirRepository(store, await openTables(store), BASE, () => Date.parse('2026-11-22T08:00:00Z'));
  await repository.transaction((inside) => inside.write(RECORDS.map((resource) => ({ kind: 'put' as const, resource })), fullAccess('test')));
});
afterAll(() => store.close());

async function run(path: string, lenient = false): Promise<Bundle> {
  const [type = '', query = ''] = path.split(/\?(.*)/s);
  const parsed = parseSearch(type, new URLSearchParams(query), lenient);
  return searchBundle(parsed, await search(repository, parsed, fullAccess('test')), BASE);
}
const ids = (bundle: Bundle, mode: string): string[] => (bundle.entry ?? []).flatMap((entry) => (entry.search?.mode === mode ? [(entry.resource as Resource).id ?? ''] : []));

describe('filters', () => {
  it.each([
    ['Patient', ['ana', 'bo']],
    ['Patient?_id=ana', ['ana']],
    ['Patient?_id=ana,bo', ['ana', 'bo']],
    ['Patient?name=garcia', ['ana']],
    ['Patient?name=mar', ['ana']],
    ['Patient?family=ols', ['bo']],
    ['Patient?family:exact=olsen', []],
    ['Patient?family:exact=Olsen', ['bo']],
    ['Patient?family:contains=rcí', ['ana']],
    ['Patient?given=Ana&family=Garcia', ['ana']],
    ['Patient?given=Ana&family=Olsen', []],
    ['Patient?gender=female', ['ana']],
    ['Patient?gender:not=female', ['bo']],
    ['Patient?gender=female,male', ['ana', 'bo']],
    ['Patient?identifier=urn:mrn|A1', ['ana']],
    ['Patient?identifier=A1', ['ana']],
    ['Patient?identifier=urn:other|A1', []],
    ['Patient?identifier=urn:mrn|', ['ana', 'bo']],
    ['Patient?identifier=B\\,2', ['bo']],
    ['Patient?_tag=urn:tag|vip', ['ana']],
    ['Patient?active=true', ['ana']],
    ['Patient?active:missing=true', ['bo']],
    ['Patient?deceased=true', ['bo']],
    ['Patient?deceased=false', ['ana']],
    ['Patient?organization:identifier=urn:org|77', ['bo']],
    ['Patient?birthdate=1950-05-01', ['ana']],
    ['Patient?birthdate=1950', ['ana']],
    ['Patient?birthdate=lt1960', ['ana']],
    ['Patient?birthdate=ge1980-12-31', ['bo']],
    ['Patient?birthdate=gt1980-12-31', []],
    ['Patient?birthdate=ge1940&birthdate=le1960', ['ana']],
    ['Patient?_lastUpdated=ge2026-11-22', ['ana', 'bo']],
    ['Patient?_lastUpdated=lt2026-11-22', []],
    ['Organization?name=rainier 100%', ['clinic']],
    ['Organization?name=rainier%', []],
    ['Observation?patient=ana', ['o1', 'o2', 'o3']],
    ['Observation?patient=Patient/bo', ['o4', 'o5']],
    [`Observation?subject=${BASE}/Patient/bo`, ['o4', 'o5']],
    ['Observation?subject:Patient=bo', ['o4', 'o5']],
    ['Observation?patient=nobody', []],
    [`Observation?patient=ana&code=${LOINC}|59408-5`, ['o1', 'o2']],
    ['Observation?code=59408-5,8480-6&patient=ana', ['o1', 'o2', 'o3']],
    ['Observation?code:text=oxygen', ['o1', 'o2', 'o3', 'o4']],
    ['Observation?status=preliminary', ['o5']],
    ['Observation?date=2026-11-12', ['o1']],
    ['Observation?date=2026-11-13', ['o3']],
    ['Observation?date=ge2026-11-12T09:00:00Z', ['o1', 'o3']],
    ['Observation?date=2026-10', ['o5']],
    ['Observation?date=sa2026-10-31', ['o1', 'o3', 'o4']],
    ['Observation?date=eb2026', ['o2']],
    ['Observation?value-quantity=lt88', ['o1']],
    ['Observation?value-quantity=86', ['o1']],
    ['Observation?value-quantity=86.0', ['o1']],
    ['Observation?value-quantity=86.4', []],
    ['Observation?value-quantity=ge94||%', ['o2', 'o4']],
    ['Observation?value-quantity=gt100|http://unitsofmeasure.org|mm[Hg]', ['o3']],
    ['Condition?code=J44.9', ['c1']],
    ['Condition?clinical-status=active', ['c1']],
    ['Condition?onset-date=2022', ['c1']],
    ['DeviceRequest?code=E1390&status=draft', ['d1']],
    ['Observation?patient.name=Garcia', ['o1', 'o2', 'o3']],
    ['Observation?subject:Patient.identifier=urn:mrn|A1', ['o1', 'o2', 'o3']],
    ['Patient?general-practitioner.name=nair', ['ana']],
    ['Patient?_has:Condition:patient:code=J44.9', ['ana']],
    ['Patient?_has:Observation:patient:status=preliminary', ['bo']],
    ['Patient?name=x\' or 1=1 --', []],
  ] as const)('%s', async (path, expected) => {
    const found = await run(path);
    expect(ids(found, 'match').sort()).toEqual(expected);
    expect(found.total).toBe(expected.length);
  });
});

describe('order and pages', () => {
  it.each([
    ['Observation?patient=ana&_sort=-date', ['o3', 'o1', 'o2']],
    ['Observation?patient=ana&_sort=date', ['o2', 'o1', 'o3']],
    ['Patient?_sort=birthdate', ['ana', 'bo']],
    ['Patient?_sort=-family', ['bo', 'ana']],
    ['Patient?_sort=gender,-_id', ['ana', 'bo']],
  ] as const)('%s', async (path, expected) => expect(ids(await run(path), 'match')).toEqual(expected));

  it('walks all pages by the next links', async () => {
    const seen: string[] = [];
    let path: string | undefined = 'Observation?_sort=-date&_count=2';
    while (path) {
      const page: Bundle = await run(path);
      expect(page.total).toBe(5);
      seen.push(...ids(page, 'match'));
      path = page.link?.find((link) => link.relation === 'next')?.url.slice(BASE.length + 1);
    }
    expect(seen).toEqual(['o3', 'o1', 'o4', 'o5', 'o2']);
  });
  it.each(['Observation?_count=0', 'Observation?_summary=count'])('%s counts only', async (path) => expect(await run(path)).toMatchObject({ total: 5 }));
});

describe('includes', () => {
  it.each([
    ['Observation?_id=o1&_include=Observation:patient', ['ana']],
    ['Observation?_id=o1&_include=Observation:subject:Practitioner', []],
    ['Observation?_id=o1,o2&_include=Observation:patient&_include=Observation:performer', ['ana', 'doc']],
    ['DeviceRequest?_id=d1&_include=DeviceRequest:requester', ['role']],
    ['DeviceRequest?_id=d1&_include=DeviceRequest:requester&_include:iterate=PractitionerRole:organization&_include:iterate=PractitionerRole:practitioner', ['clinic', 'doc', 'role']],
    ['DeviceRequest?_id=d1&_include=DeviceRequest:requester&_include=PractitionerRole:organization', ['role']],
    ['Encounter?_id=e1&_include=Encounter:patient&_include=Encounter:service-provider&_include=Encounter:practitioner&_include=Encounter:location', ['ana', 'clinic', 'doc']],
    ['Patient?_id=bo&_revinclude=Observation:patient', ['o4', 'o5']],
    ['Patient?_id=ana&_revinclude=Condition:subject&_include=Patient:general-practitioner', ['c1', 'doc']],
    ['DeviceRequest?_id=d1&_include=NutritionOrder:requester&_include=DeviceRequest:nothing&_include=Nonsense', []],
  ] as const)('%s', async (path, expected) => expect(ids(await run(path), 'include').sort()).toEqual(expected));
});

describe('refusals', () => {
  it.each(['Patient?colour=red', 'Patient?birthdate=yesterday', 'Patient?birthdate=2026-02-30', 'Patient?_count=many', 'Patient?name:sounds=x', 'Observation?value-quantity=much', 'Patient?_sort=colour', 'Patient?name=', 'Patient?active:missing=perhaps', 'Patient?_has:Nothing:patient:code=1'])(
    '%s',
    async (path) => await expect(run(path)).rejects.toMatchObject({ status: 400 }),
  );
  it('lenient handling leaves unknown filters out and does not claim them', async () => {
    const found = await run('Patient?colour=red&gender=male', true);
    expect(ids(found, 'match')).toEqual(['bo']);
    expect(found.link?.[0]?.url).toBe(`${BASE}/Patient?gender=male`);
  });
});

describe('patient scopes', () => {
  const reachOf = async (scope: string, path: string): Promise<string[]> => {
    const [type = '', query = ''] = path.split('?');
    const { matches, included } = await search(repository, parseSearch(type, new URLSearchParams(query), false), accessOfScopes('app', scope, 'bo'));
    return [...matches, ...included].map((one) => one.id).sort();
  };
  it.each([
    ['patient/*.rs', 'Patient', ['bo']],
    ['patient/*.rs', 'Observation', ['o4', 'o5']],
    ['patient/*.rs', 'Observation?patient=ana', []],
    ['patient/*.rs', 'Practitioner?_revinclude=Observation:performer', ['doc', 'o4']],
    ['patient/*.rs', 'Practitioner?_revinclude=Patient:general-practitioner', ['doc']],
    ['patient/Observation.rs', 'Observation?_include=Observation:patient', ['o4', 'o5']],
    ['user/*.rs', 'Patient', ['ana', 'bo']],
    ['system/Patient.s', 'Patient', ['ana', 'bo']],
    ['patient/*.read', 'Patient', ['bo']],
  ] as const)('%s %s', async (scope, path, expected) => expect(await reachOf(scope, path)).toEqual(expected));
  it.each([['patient/Patient.rs', 'Observation'], ['patient/*.r', 'Patient'], ['', 'Patient'], ['patient/*.crud', 'Patient']])('%s refuses a search of %s', async (scope, path) =>
    await expect(reachOf(scope, path)).rejects.toMatchObject({ status: 403 }));
});
