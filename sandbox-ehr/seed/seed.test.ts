import type { Practitioner } from '@medplum/fhirtypes';
import { expect, it } from 'vitest';
import { openValidator } from '#fhir/validation/validator.ts';
import { seedResources } from './seed.ts';

const LOAD_DAY = Date.parse('2031-03-01T00:30:00Z');
const resources = seedResources(LOAD_DAY);
const references = new Set(resources.map((resource) => `${resource.resourceType}/${resource.id}`));

it('every reference leads to a resource of the seed', () => {
  const used = [...JSON.stringify(resources).matchAll(/"reference":"([^"]+)"/g)].map((match) => match[1] ?? '');
  expect(used.filter((reference) => !references.has(reference))).toEqual([]);
});

it('every resource is valid by R4 and by the US Core 3.1.1 profile it names', () => {
  const validator = openValidator(['us-core-3.1.1']);
  const errors = resources.flatMap((one) =>
    validator.validate(one).issues.filter(({ severity, code }) => severity === 'error' || code === 'profile-unknown').map(({ path, message }) => `${one.resourceType}/${one.id} ${path}: ${message}`),
  );
  expect(errors).toEqual([]);
  expect(resources.filter(({ meta }) => meta?.profile).length).toBeGreaterThan(resources.length / 2);
});

it('ids are unique and no template is left', () => {
  expect(references.size).toBe(resources.length);
  expect(JSON.stringify(resources)).not.toContain('{{');
});

it('dates are relative to the day of loading', () => {
  const saturation = resources.find((one) => one.resourceType === 'Observation' && one.subject?.reference === 'Patient/pat-oxygen' && one.valueQuantity?.value === 86);
  expect(saturation).toMatchObject({ effectiveDateTime: '2031-02-19T09:15:00Z' });
});

it('NPIs carry the right check digit', () => {
  const valid = (npi: string): boolean =>
    `80840${npi}`.split('').reverse().reduce((sum, digit, at) => sum + (at % 2 === 0 ? Number(digit) : [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][Number(digit)] ?? 0), 0) % 10 === 0;
  const npis = resources.flatMap((one) => ('identifier' in one && Array.isArray(one.identifier) ? (one as Practitioner).identifier ?? [] : [])).filter((one) => one.system === 'http://hl7.org/fhir/sid/us-npi');
  expect(npis.length).toBeGreaterThanOrEqual(7);
  expect(npis.filter((one) => !valid(one.value ?? ''))).toEqual([]);
});

it('every patient has an active coverage with a known payer', () => {
  for (const patient of resources.filter((one) => one.resourceType === 'Patient')) {
    expect(resources.some((one) => one.resourceType === 'Coverage' && one.status === 'active' && one.beneficiary.reference === `Patient/${patient.id}`)).toBe(true);
  }
});
