import { randomUUID } from 'node:crypto';
import type { Bundle, Claim, Extension, ServiceRequest } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { PAS_EXTENSIONS } from '#fhir/pas/canonical-urls.ts';
import { openValidator } from '#fhir/validation/validator.ts';
import { sampleInput } from '#test-fixtures/pas-submission-input.ts';
import { readRequestedService } from '../order/read-requested-service.ts';
import type { ItemDecision, PayerDecision } from '../payer-decision/decision.ts';
import { buildInquiry } from './build-inquiry.ts';
import { buildSubmission, type Submission } from './build-submission.ts';
import type { BuildRequest, PasVersion } from './request-change.ts';

const NOW = Date.parse('2026-11-22T10:00:00Z');
const validators = { '2.0.1': openValidator(['pas-2.0.1']), '2.2.1': openValidator(['pas-2.2.1']) } as const;
const service = (id: string, code: string): ServiceRequest => ({ resourceType: 'ServiceRequest', id, status: 'active', intent: 'order', subject: { reference: 'Patient/patient-1' }, authoredOn: '2026-11-20', code: { coding: [{ system: 'http://www.ama-assn.org/go/cpt', code }] }, occurrenceDateTime: '2026-12-01' });
const [first, second] = [service('s1', '78452'), service('s2', '93306')];
const input = sampleInput({ order: first, furtherOrders: [second] }, { further: [readRequestedService(second)] });

function built(version: PasVersion, request?: BuildRequest): Extract<Submission, { kind: 'built' }> {
  const submission = buildSubmission(input, { ids: randomUUID, now: NOW, version, ...(request ? { request } : {}) });
  if (submission.kind !== 'built') throw new Error(JSON.stringify(submission.problems));
  return submission;
}
const decided = (...items: ItemDecision[]): PayerDecision => ({ decidedAt: '', overall: 'pended', errors: [], items: items.map((decision, index) => ({ sequence: index + 1, decision })) });
const pended = (administrativeReference: string): ItemDecision => ({ kind: 'pended', administrativeReference, explanation: [] });
const approved = (authorizationNumber: string): ItemDecision => ({ kind: 'approved', authorizationNumber });
const claimOf = (bundle: Bundle): Claim => bundle.entry?.[0]?.resource as Claim;
const number = (of: { extension?: Extension[] } | undefined, url: string) => of?.extension?.find((extension) => extension.url === url)?.valueString;

describe.each(['2.0.1', '2.2.1'] as const)('an inquiry, PAS %s', (version) => {
  const { bundle, keys } = built(version);
  const errors = (inquiry: Bundle): string[] => validators[version].validate(inquiry).issues.filter(({ severity }) => severity === 'error').map(({ path, message }) => `${path} ${message}`);

  it.each([
    ['nothing known yet', undefined, [undefined, undefined], undefined],
    ['one reference for all', decided(pended('P1'), pended('P1')), ['P1', 'P1'], 'P1'],
    ['a reference of each', decided(pended('P1'), pended('P2')), ['P1', 'P2'], undefined],
  ] as const)('%s', (_name, decision, ofItems, ofWhole) => {
    const inquiry = buildInquiry(bundle, decision, { ids: randomUUID, now: NOW, version });
    expect(errors(inquiry)).toEqual([]);
    const claim = claimOf(inquiry);
    expect(claim.item?.map((item) => number(item, PAS_EXTENSIONS.administrationReferenceNumber))).toEqual(ofItems);
    expect(number(claim, PAS_EXTENSIONS.administrationReferenceNumber)).toBe(version === '2.2.1' ? ofWhole : undefined);
    expect(claim.identifier?.[0]?.value).not.toBe(keys.claimIdentifier);
    expect(inquiry.entry?.map(({ resource }) => resource?.resourceType)).toEqual(['Claim', 'Patient', 'Organization', 'Organization', 'Coverage']);
  });

  it('of what is approved is by its authorization number', () => {
    const inquiry = buildInquiry(bundle, decided(approved('AUTH1'), pended('P2')), { ids: randomUUID, now: NOW, version });
    expect(errors(inquiry)).toEqual([]);
    expect(claimOf(inquiry).item?.map((item) => number(item, PAS_EXTENSIONS.authorizationNumber))).toEqual(['AUTH1', undefined]);
  });

  it('leaves out what an update took back', () => {
    const updated = built(version, { kind: 'update', previous: { bundle, keys }, change: { cancel: [1], change: [], add: [] } });
    const inquiry = buildInquiry(updated.bundle, undefined, { ids: randomUUID, now: NOW, version });
    expect(claimOf(inquiry).item?.map(({ sequence }) => sequence)).toEqual([2]);
    expect(errors(inquiry)).toEqual([]);
  });
});
