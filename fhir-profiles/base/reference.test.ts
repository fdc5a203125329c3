import type { Bundle } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';

import { absoluteFrom, parseReference, relativeReference, resolveInBundle } from './reference.ts';

describe('parseReference', () => {
  it.each([
    ['Patient/1', { kind: 'relative', resourceType: 'Patient', id: '1' }],
    ['Patient/1/_history/2', { kind: 'relative', resourceType: 'Patient', id: '1', version: '2' }],
    ['https://a.example/fhir/Patient/1', { kind: 'absolute', base: 'https://a.example/fhir', resourceType: 'Patient', id: '1' }],
    ['urn:uuid:x', { kind: 'urn', urn: 'urn:uuid:x' }],
    ['#c', { kind: 'contained', id: 'c' }],
    ['1', { kind: 'other', text: '1' }],
    ['', { kind: 'other', text: '' }],
    ['Patient/', { kind: 'other', text: 'Patient/' }],
    ['Patient/1?x=1', { kind: 'other', text: 'Patient/1?x=1' }],
  ])('%s', (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });

  it('relativeReference drops base and version', () => {
    expect(relativeReference('https://a.example/fhir/Patient/1/_history/3')).toBe('Patient/1');
    expect(relativeReference('urn:uuid:x')).toBeUndefined();
  });
});

describe('resolveInBundle', () => {
  const bundle: Bundle = {
    resourceType: 'Bundle',
    type: 'collection',
    entry: [
      { fullUrl: 'https://a.example/fhir/Patient/1', resource: { resourceType: 'Patient', id: '1' } },
      { fullUrl: 'urn:uuid:p', resource: { resourceType: 'Practitioner' } },
    ],
  };

  it('completes a relative reference with the base of the entry it stands in', () => {
    expect(resolveInBundle(bundle, 'Patient/1', 'https://a.example/fhir/Claim/9')).toMatchObject({ id: '1' });
    expect(resolveInBundle(bundle, 'Patient/1', 'https://b.example/fhir/Claim/9')).toBeUndefined();
    expect(resolveInBundle(bundle, 'Patient/1', 'urn:uuid:c')).toBeUndefined();
    expect(resolveInBundle(bundle, 'Patient/1')).toBeUndefined();
  });

  it('finds urns and ignores a version', () => {
    expect(resolveInBundle(bundle, 'urn:uuid:p')?.resourceType).toBe('Practitioner');
    expect(absoluteFrom('https://a.example/fhir/Patient/1/_history/2')).toBe('https://a.example/fhir/Patient/1');
  });
});
