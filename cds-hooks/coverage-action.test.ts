import type { DeviceRequest, Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { readCoverageInformation } from '#fhir/crd/coverage-information.ts';
import type { CoverageRequirement } from '#prior-auth/coverage-requirement/requirement.ts';
import { coverageAction } from './coverage-action.ts';
import { CRD_VERSIONS, type CrdVersion } from './hook-call.ts';
import { ANSWER_WRITERS } from './versions/answer-writers.ts';

const order = { resourceType: 'DeviceRequest', id: 'd1', extension: [{ url: 'https://other.example', valueString: 'kept' }] } as DeviceRequest;
const requirement: CoverageRequirement = { coverage: 'Coverage/c1', covered: 'covered', paNeeded: 'auth-needed', docNeeded: 'both', docPurpose: ['withpa'], infoNeeded: [], reasons: ['why', 'and'], questionnaires: [], date: '2026-11-22', assertionId: 'new', policy: { policyId: 'p', revision: '1' } };

function answered(version: CrdVersion, to: Resource, changes: Partial<CoverageRequirement> = {}): DeviceRequest | undefined {
  return coverageAction(to, { ...requirement, ...changes }, ANSWER_WRITERS[version])?.resource as DeviceRequest | undefined;
}
function once(version: CrdVersion): DeviceRequest {
  const resource = answered(version, order, { assertionId: 'old', date: '2026-11-01' });
  if (!resource) throw new Error('not answered');
  return resource;
}
/** As a server may give it back: keys and sub-extensions in another order. */
function shuffled<T>(value: T): T {
  if (Array.isArray(value)) return value.map(shuffled).toReversed() as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shuffled(each)]).toReversed()) as T;
}

describe.each(CRD_VERSIONS)('CRD %s: an order that carries an answer already', (version) => {
  it.each<[string, (before: DeviceRequest) => DeviceRequest]>([
    ['as it was sent', (before) => before],
    ['in another order of keys and elements', shuffled],
    ['from JSON', (before) => JSON.parse(JSON.stringify(before)) as DeviceRequest],
  ])('%s is not answered with the same again: date and assertion id are nothing new', (_name, given) => {
    expect(answered(version, given(once(version)))).toBeUndefined();
  });
  it.each<[string, Partial<CoverageRequirement>]>([
    ['another decision', { paNeeded: 'no-auth' }],
    ['other documents', { docNeeded: 'clinical' }],
    ['another reason', { reasons: ['why'] }],
    ['another questionnaire', { questionnaires: ['https://payer.example/Questionnaire/q|1'] }],
    ['another revision', { policy: { policyId: 'p', revision: '2' } }],
  ])('%s is answered, in the place of the old one', (_name, changes) => {
    const resource = answered(version, once(version), changes);
    expect(readCoverageInformation(resource ?? {}).map(({ assertionId }) => assertionId)).toEqual(['new']);
    expect(resource).toMatchObject({ extension: [{ url: 'https://other.example', valueString: 'kept' }, {}] });
  });
  it('another coverage is answered beside the old one', () => {
    expect(readCoverageInformation(answered(version, once(version), { coverage: 'Coverage/c2' }) ?? {}).map(({ coverage }) => coverage)).toEqual(['Coverage/c1', 'Coverage/c2']);
  });
  it('twice under one coverage: both give way to one', () => {
    const { extension = [], ...rest } = once(version);
    const again: DeviceRequest = { ...rest, extension: [...extension, ...extension.slice(1)] };
    expect(readCoverageInformation(answered(version, again) ?? {})).toHaveLength(1);
  });
  it('without id or date is answered', () => {
    expect(answered(version, { ...order, extension: [{ url: 'http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-coverage-information', extension: [{ url: 'coverage', valueReference: { reference: 'Coverage/c1' } }] }] })).toBeDefined();
  });
});
