import type { Coverage, Resource } from '@medplum/fhirtypes';
import { expect, it } from 'vitest';
import { createPayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import { openRecord } from './record.ts';

it('each coverage is looked at a few times, however many there are', async () => {
  const MANY = 400;
  let looks = 0;
  const coverages = Array.from({ length: MANY }, (_, i): Coverage => ({
    resourceType: 'Coverage', status: 'active', beneficiary: { reference: 'Patient/p1' }, payor: [{ reference: `Organization/o${i}` }],
    get id() {
      looks += 1;
      return `c${i}`;
    },
  }));
  const coverage: Resource = { resourceType: 'Bundle', type: 'searchset', entry: coverages.map((resource) => ({ resource })) };
  const { found, searched } = await openRecord({ prefetch: { coverage }, patientId: 'p1', beside: [] }, createPayerDirectory([]), undefined).coverages([]);
  expect([found.length, searched]).toEqual([MANY, 'all']);
  expect(looks).toBeLessThan(20 * MANY);
});
