import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findPolicy, type PolicyRevision, readPolicies } from './read-policies.ts';

const HCPCS = 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets';
const base: PolicyRevision = {
  policyId: 'p',
  payers: ['cascade-medicare'],
  revision: '1',
  effectiveFrom: '2026-01-01',
  effectiveTo: '2026-12-31',
  services: [{ system: HCPCS, codes: ['K0823'], from: '2026-03-01', states: ['OR', 'WA'] }],
  covered: 'covered',
  authorization: 'auth-needed',
  criteria: [],
  decision: null,
};
const question = { service: { system: HCPCS, code: 'K0823' }, payerId: 'cascade-medicare', day: '2026-06-01', patientState: 'OR' };

describe('the policy in force', () => {
  it.each([
    ['for payer, code, day and state', {}, true],
    ['for an insurer that says none of our payers', { payerId: undefined }, true],
    ['for another payer', { payerId: 'evergreen-health' }, false],
    ['for another code', { service: { system: HCPCS, code: 'K0824' } }, false],
    ['for the code in another system', { service: { system: 'http://www.ama-assn.org/go/cpt', code: 'K0823' } }, false],
    ['on its last day', { day: '2026-12-31' }, true],
    ['after its last day', { day: '2027-01-01' }, false],
    ['before the code was named', { day: '2026-02-28' }, false],
    ['in a state that is not named', { patientState: 'CA' }, false],
    ['where the state is not given', { patientState: undefined }, true],
  ])('%s', (_name, change, found) => expect(findPolicy([base], { ...question, ...change }) !== undefined).toBe(found));

  it('is of a policy that names the payer before one for all, even a later one', () => {
    const forAll = { ...base, policyId: 'all', payers: ['*'], effectiveFrom: '2026-05-01' };
    expect(findPolicy([forAll, base], question)?.policyId).toBe('p');
    expect(findPolicy([forAll, base], { ...question, payerId: 'evergreen-health' })?.policyId).toBe('all');
  });
  it('is the latest of two', () => {
    const later = { ...base, revision: '2', effectiveFrom: '2026-05-01' };
    expect(findPolicy([later, base], question)?.revision).toBe('2');
  });
});

it('every policy of the library can be read', () => {
  expect(readPolicies(join(import.meta.dirname, '../../policies/library')).length).toBeGreaterThanOrEqual(7);
});

describe('a folder of policies', () => {
  const folder = mkdtempSync(join(tmpdir(), 'payer-policies-'));
  const file = join(folder, 'a.json');
  afterAll(() => rmSync(folder, { recursive: true }));
  it('is read with or without a byte order mark', () => {
    const text = readFileSync(join(import.meta.dirname, '..', '..', 'policies', 'library', 'home-oxygen.json'), 'utf8');
    writeFileSync(file, `\uFEFF${text}`);
    expect(readPolicies(folder).map(({ policyId }) => policyId)).toContain('home-oxygen');
  });
  it('says which file is not JSON', () => {
    writeFileSync(file, '{');
    expect(() => readPolicies(folder)).toThrow('a.json is not JSON');
  });
});
