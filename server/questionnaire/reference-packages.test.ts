import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { DeviceRequest, Patient, Practitioner, QuestionnaireResponse, Resource } from '@medplum/fhirtypes';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '#store/database.ts';
import { createQuestionnaireService, type QuestionnaireService } from './questionnaire-service.ts';
import { readPackageAnswer } from './read-package.ts';

const CASES = new URL('../../../shared/cases/', import.meta.url);
const present = existsSync(CASES);
if (!present) console.log('left out: population of the packages of ../shared/cases/dtr (not there)');

const patient: Patient = { resourceType: 'Patient', id: 'pat015', name: [{ use: 'official', family: 'Oster', given: ['William', 'Hale'] }], gender: 'male', birthDate: '1965-08-10' };
const practitioner: Practitioner = { resourceType: 'Practitioner', id: 'pra1234', name: [{ use: 'official', family: 'Doe', given: ['Jane'] }], identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '1122334455' }] };
const order: DeviceRequest = {
  resourceType: 'DeviceRequest', id: 'devreq015', status: 'active', intent: 'order', subject: { reference: 'Patient/pat015' }, performer: { reference: 'Practitioner/pra1234' }, authoredOn: '2026-11-01',
  codeCodeableConcept: { coding: [{ system: 'https://bluebutton.cms.gov/resources/codesystem/hcpcs', code: 'E0424' }] },
};

let store: Store;
let service: QuestionnaireService;
beforeAll(async () => {
  store = await openStore({ dataDir: 'memory' });
  service = await createQuestionnaireService({ store, log: pino({ level: 'silent' }), now: () => Date.UTC(2026, 10, 22) });
});
afterAll(async () => {
  await service.stop();
  await store.close();
});

describe.skipIf(!present)('packages made by others, filled in from records made by others (../shared/cases; left out when it is not there)', () => {
  const seed = new URL('ehr/test-ehr-seed/', CASES);
  const record = present ? readdirSync(seed).filter((file) => file.startsWith('o2b')).map((file) => JSON.parse(readFileSync(new URL(file, seed), 'utf8')) as Resource) : [];
  async function fill(name: string) {
    const answer = readPackageAnswer(JSON.parse(readFileSync(new URL(`dtr/questionnaire_package_output_params_${name}.json`, CASES), 'utf8')));
    if (answer.kind !== 'packages') throw new Error('no package');
    const ehr = { search: async (type: string) => record.filter(({ resourceType }) => resourceType === type), follow: async (reference: string | undefined) => (reference === 'Practitioner/pra1234' ? practitioner : undefined) };
    const response: QuestionnaireResponse = { resourceType: 'QuestionnaireResponse', status: 'in-progress' };
    return Promise.all(answer.packages.map((pack) => service.populate({ package: pack, launch: { patient, order, practitioner }, ehr, response })));
  }
  it('the reference payer’s package, good: every rule runs but the one that it names and lacks', async () => {
    const populations = await fill('ri');
    expect(populations.flatMap(({ failures }) => failures)).toEqual([{ linkId: '3.8', expression: 'HomeOxygenTherapyPrepopulation|True', kind: 'syntax' }]);
    expect(populations[0]?.cqlMode).toBe('shipped-elm');
    const said = Object.fromEntries(Object.entries(populations[0]?.values ?? {}).map(([linkId, { values }]) => [linkId, values[0]]));
    expect(said).toMatchObject({ 'PBD.1': 'Oster', 'PBD.2': 'William', 'PBD.4': '1965-08-10', 'PBD.5': 'male', '3.1.1': { code: 'J44.9' }, '3.7': true, '3.10': false, '4.1': '2026-11-22', '5.2': 'Compressed Gas', 'SIGPNP.2': 'Jane Doe', 'SIGPNP.4': '1122334455' });
  }, 30_000);
  it.each(['conformant', 'non_conformant'])('a package without its libraries (%s) says so for each question and fills in nothing wrong', async (name) => {
    const [first] = await fill(name);
    expect(new Set(first?.failures.map(({ kind }) => kind))).toContain('library-missing');
    // One question brings its own ELM.
    expect(Object.entries(first?.values ?? {}).flatMap(([linkId, { values }]) => (linkId === '7' ? [] : values))).toEqual([]);
    expect(first?.warnings[0]).toMatch(/^“.+” was not filled in: the payer did not send the rule that the question names\.$/);
  }, 30_000);
});
