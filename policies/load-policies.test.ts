import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { emissionFaults } from '#prior-auth/coverage-requirement/emission-rules.ts';
import { expression } from '#prior-auth/coverage-requirement/hold-criteria.ts';
import { PolicyFileError } from './json-file.ts';
import { loadPayers } from './load-payers.ts';
import { loadPolicies } from './load-policies.ts';

const library = loadPolicies();

describe('the library that ships', () => {
  it.each(library.policies.flatMap((policy) => policy.revisions.flatMap((revision) => revision.criteria.map((criterion) => [`${policy.id} ${criterion.id}`, criterion] as const))))('%s: expressions compile', (_name, criterion) => {
    expect(() => [expression(criterion.record), expression(criterion.submission ?? 'true')]).not.toThrow();
  });
  it('answers in the way every revision passes the emission rules', () => {
    for (const { revisions } of library.policies) {
      for (const { covered, authorization, documentation, questionnaires, infoNeeded = [] } of revisions) {
        const requirement = { coverage: 'Coverage/1', covered, ...(covered === 'not-covered' ? {} : { paNeeded: authorization }), ...(documentation ? { docNeeded: documentation } : {}), docPurpose: [], infoNeeded, reasons: ['r'], questionnaires, date: '2026-11-22', assertionId: 'a' };
        expect(emissionFaults([requirement])).toEqual([]);
      }
    }
  });
});

describe('which policy names a service', () => {
  const hcpcs = CODE_SYSTEMS.hcpcs;
  const cpt = CODE_SYSTEMS.cpt;
  it.each<[string, string, string, string | undefined, string | undefined]>([
    [hcpcs, 'E1390', '2026-11-22', undefined, 'home-oxygen'],
    [hcpcs, 'E0424', '2021-09-26', undefined, undefined],
    [hcpcs, 'E0424', '2021-09-27', undefined, 'home-oxygen'],
    ['https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', ' e1390', '2026-11-22', undefined, 'home-oxygen'],
    ['urn:oid:2.16.840.1.113883.6.285', 'K0823', '2026-11-22', undefined, 'power-mobility'],
    [hcpcs, 'K0005', '2026-10-27', undefined, undefined],
    [hcpcs, 'K0005', '2026-10-28', undefined, 'power-mobility'],
    [hcpcs, 'K0856', '2017-05-01', 'NY', 'power-mobility'],
    [hcpcs, 'K0856', '2017-05-01', 'CA', undefined],
    [hcpcs, 'K0856', '2017-05-01', undefined, undefined],
    [hcpcs, 'K0856', '2017-07-17', 'CA', 'power-mobility'],
    [cpt, '78452', '2026-11-22', undefined, 'nuclear-stress-test'],
    [cpt, '75561', '2026-11-22', undefined, 'cardiac-mri'],
    [hcpcs, 'J0585', '2020-06-30', undefined, undefined],
    [hcpcs, 'J0585', '2020-07-01', undefined, 'botulinum-toxin'],
    [cpt, '93000', '2026-11-22', undefined, 'resting-ecg'],
    [hcpcs, 'E0601', '2026-11-22', undefined, 'pap-device'],
    [cpt, '99999', '2026-11-22', undefined, undefined],
    [hcpcs, 'L0648', '2022-07-11', 'TX', undefined],
    [hcpcs, 'L0648', '2022-07-12', 'TX', 'spinal-orthosis'],
    [hcpcs, 'L0648', '2022-10-10', undefined, 'spinal-orthosis'],
    [hcpcs, 'L3761', '2026-11-22', 'OR', undefined],
    [hcpcs, 'L3761', '2027-01-26', 'OR', 'upper-limb-orthosis'],
    [cpt, '67911', '2022-01-06', undefined, 'blepharoplasty'],
    [cpt, '67911', '2022-01-07', undefined, undefined],
    [cpt, '64492', '2024-08-15', undefined, 'facet-joint-intervention'],
    [cpt, '64492', '2024-08-16', undefined, undefined],
    [cpt, '62323', '2026-11-22', 'TX', 'wiser-epidural-steroid'],
    [cpt, '62323', '2026-11-22', 'CA', undefined],
    [cpt, '62323', '2032-01-01', 'TX', undefined],
    [hcpcs, 'G0299', '2026-11-22', undefined, 'home-health'],
  ])('%s %s on %s in %s: %s', (system, code, date, state, policyId) => {
    expect(library.findFor({ payerId: 'cascade-medicare', system, code, date, state })?.policy.id).toBe(policyId);
  });
  it('keeps revisions by name, and says when a state is needed', () => {
    expect(library.revision({ policyId: 'home-oxygen', revision: '2021.1' })?.policy.title).toBe('Home oxygen');
    expect(library.revision({ policyId: 'home-oxygen', revision: 'x' })).toBeUndefined();
    expect(library.namesInSomeStates({ payerId: 'x', system: hcpcs, code: 'K0856', date: '2017-05-01' })).toBe(true);
  });
});

describe('a bad policy file', () => {
  const folders: string[] = [];
  afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));
  const withChange = (change: (text: string) => string, name = 'home-oxygen.json'): string => {
    const folder = mkdtempSync(join(tmpdir(), 'policies-'));
    folders.push(folder);
    cpSync(join(import.meta.dirname, 'library'), folder, { recursive: true });
    writeFileSync(join(folder, name), change(readFileSync(join(folder, 'home-oxygen.json'), 'utf8')));
    return folder;
  };
  it.each<[string, (text: string) => string, RegExp]>([
    ['not JSON', (text) => text.replace('"revisions": [', '"revisions": [,'), /home-oxygen\.json:6: not JSON/],
    ['an unknown code', (text) => text.replace('"auth-needed"', '"perhaps"'), /home-oxygen\.json:\d+: revisions\.0\.authorization: /],
    ['a mistyped key', (text) => text.replace('"covered":', '"coverd":'), /home-oxygen\.json:\d+: revisions\.0/],
    ['a questionnaire without version', (text) => text.replace('home-oxygen|1.0.0', 'home-oxygen'), /questionnaires\.0: must be a canonical with its version/],
    ['a wrong date', (text) => text.replace('2021-09-27', '27.9.2021'), /effectiveFrom: must be a date YYYY-MM-DD/],
    ['no decision', (text) => text.replace(/"decision": \{[^}]*\}/, '"decision": null'), /needs a decision/],
    ['conditional without infoNeeded', (text) => text.replace('"covered": "covered"', '"covered": "conditional"'), /must have infoNeeded/],
    ['another id than its file', (text) => text.replace('"id": "home-oxygen"', '"id": "oxygen"'), /must be named oxygen\.json/],
    ['ends before it begins', (text) => text.replace('"effectiveFrom": "2021-09-27"', '"effectiveFrom": "2021-09-27", "effectiveTo": "2021-01-01"'), /ends before it begins/],
  ])('%s', (_name, change, message) => {
    expect(() => loadPolicies(withChange(change))).toThrow(message);
  });
  it('names the very line', () => {
    const folder = withChange((text) => text.replace('"auth-needed"', '"perhaps"'));
    const line = readFileSync(join(folder, 'home-oxygen.json'), 'utf8').split('\n').findIndex((each) => each.includes('"perhaps"')) + 1;
    expect(() => loadPolicies(folder)).toThrow(`home-oxygen.json:${line}: revisions.0.authorization`);
  });
  it('a missing folder', () => expect(() => loadPolicies('/nowhere')).toThrow(PolicyFileError));
});

describe('payers', () => {
  const payers = loadPayers('http://localhost:3000/');
  it.each([
    [{ identifier: [{ system: 'https://openpriorauth.org/payer-id', value: 'evergreen-health' }] }, 'evergreen-health'],
    [{ name: 'Centers for Medicare and Medicaid Services' }, 'cascade-medicare'],
    [{ name: 'centers for medicare & medicaid services ' }, 'cascade-medicare'],
    [{ name: 'Evergreen Health Plan (synthetic)' }, 'evergreen-health'],
    [{ name: 'Somebody else' }, undefined],
    [{}, undefined],
  ])('%j is %s', (organization, id) => expect(payers.find({ resourceType: 'Organization', ...organization })?.id).toBe(id));
  it('no organization is no payer', () => expect(payers.find(undefined)).toBeUndefined());
  it('are reached under the base URL', () => expect(payers.byId('cascade-medicare')?.fhirBase).toBe('http://localhost:3000/payer/fhir'));
});
