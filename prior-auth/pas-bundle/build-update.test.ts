import { randomUUID } from 'node:crypto';
import type { Bundle, Claim, ClaimItem, DeviceRequest, ServiceRequest } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openValidator } from '#fhir/validation/validator.ts';
import { sampleForm, sampleInput } from '#test-fixtures/pas-submission-input.ts';
import { readRequestedService } from '../order/read-requested-service.ts';
import type { Order } from '../order/requested-service.ts';
import { buildSubmission, type Submission } from './build-submission.ts';
import type { BuildRequest, PasVersion, RequestChange, SentRequest } from './request-change.ts';
import type { SubmissionInput } from './submission-input.ts';

const NOW = Date.parse('2026-11-22T10:00:00Z');
const VERSIONS: readonly PasVersion[] = ['2.0.1', '2.2.1'];
const validators = { '2.0.1': openValidator(['pas-2.0.1']), '2.2.1': openValidator(['pas-2.2.1']) } as const;
const none: RequestChange = { cancel: [], change: [], add: [] };

const further = (id: string, code: string): DeviceRequest => ({
  resourceType: 'DeviceRequest', id, status: 'active', intent: 'order', codeCodeableConcept: { coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code }] },
  subject: { reference: 'Patient/patient-1' }, authoredOn: '2026-11-21', reasonCode: [{ coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'R09.02' }] }],
});
const withOrders = (...orders: readonly Order[]): SubmissionInput => sampleInput({ furtherOrders: orders }, { further: orders.map((order) => readRequestedService(order)) });
function build(input: SubmissionInput, version: PasVersion, request: BuildRequest = { kind: 'new' }): Extract<Submission, { kind: 'built' }> {
  const made = buildSubmission(input, { ids: randomUUID, now: NOW, version, request });
  if (made.kind !== 'built') throw new Error(JSON.stringify(made.problems));
  return made;
}
const errorsOf = (bundle: Bundle, version: PasVersion): string[] => validators[version].validate(bundle).issues.filter(({ severity }) => severity === 'error').map(({ code, path, message }) => `${code} ${path} ${message}`);
const claimOf = ({ bundle }: SentRequest): Claim => bundle.entry?.[0]?.resource as Claim;
const flag = (item: ClaimItem | undefined): string | undefined => item?.extension?.find(({ url }) => url.endsWith('infoChanged'))?.valueCode;
const certification = (item: ClaimItem | undefined): string | undefined => item?.extension?.find(({ url }) => url.endsWith('certificationType'))?.valueCodeableConcept?.coding?.[0]?.code;
const cancelled = (item: ClaimItem | undefined): boolean => item?.modifierExtension?.[0]?.valueBoolean === true;

describe.each(VERSIONS)('PAS %s', (version) => {
  const first = build(withOrders(further('second', 'E0431')), version);

  it('a request of two orders: two items, each with its order, trace number and diagnosis', () => {
    expect(errorsOf(first.bundle, version)).toEqual([]);
    const claim = claimOf(first);
    expect(claim.item?.map(({ sequence, productOrService, diagnosisSequence }) => [sequence, productOrService.coding?.[0]?.code, diagnosisSequence])).toEqual([[1, 'E1390', [1]], [2, 'E0431', [2]]]);
    expect(first.keys.items).toMatchObject([{ sequence: 1, order: 'DeviceRequest/order-1' }, { sequence: 2, order: 'DeviceRequest/second' }]);
    expect(first.summary.items).toHaveLength(2);
  });

  it('an update cancels, changes and adds; sequences, trace numbers and urns stay', () => {
    const input = withOrders(further('second', 'E0431'), further('third', 'E0601'));
    const second = build(input, version, { kind: 'update', previous: first, change: { cancel: [2], change: [{ sequence: 1, quantity: { value: 6, unit: 'months' }, serviced: { date: '2026-12-01' } }], add: ['DeviceRequest/third'] } });
    expect(errorsOf(second.bundle, version)).toEqual([]);
    const [changed, gone, added] = claimOf(second).item ?? [];
    expect([flag(changed), certification(changed), changed?.quantity?.value, changed?.servicedDate, cancelled(changed)]).toEqual(['changed', 'I', 6, '2026-12-01', false]);
    expect([flag(gone), certification(gone), cancelled(gone)]).toEqual(['changed', '3', true]);
    expect([flag(added), certification(added), added?.sequence, added?.productOrService.coding?.[0]?.code]).toEqual(['added', 'I', 3, 'E0601']);
    expect(second.keys.items).toMatchObject([first.keys.items[0], { ...first.keys.items[1], cancelled: true }, { sequence: 3, order: 'DeviceRequest/third' }]);
    expect(second.keys.claimIdentifier).not.toBe(first.keys.claimIdentifier);
    const urls = second.bundle.entry?.map(({ fullUrl }) => fullUrl) ?? [];
    expect(new Set(urls).size).toBe(urls.length);
    const stayed = first.bundle.entry?.slice(1).map(({ fullUrl }) => fullUrl) ?? [];
    expect(urls).toEqual(expect.arrayContaining(stayed));
  });

  it('names the request before, as its version wants it', () => {
    const second = build(withOrders(), version, { kind: 'update', previous: first, change: { ...none, cancel: [2] } });
    const third = build(withOrders(), version, { kind: 'update', previous: second, change: { ...none, change: [{ sequence: 1, quantity: { value: 2 } }] } });
    const [related] = claimOf(third).related ?? [];
    const claims = third.bundle.entry?.filter(({ resource }) => resource?.resourceType === 'Claim').map(({ fullUrl }) => fullUrl);
    const identifier = claimOf(second).identifier?.[0];
    const expected = {
      '2.0.1': { relationship: 'replaces', claim: { identifier: { system: identifier?.system, value: identifier?.value } }, claims: [third.keys.claimFullUrl] },
      '2.2.1': { relationship: 'prior', claim: { reference: second.keys.claimFullUrl }, claims: [third.keys.claimFullUrl, second.keys.claimFullUrl] },
    }[version];
    expect([related?.relationship?.coding?.[0]?.code, related?.claim, claims]).toEqual([expected.relationship, expected.claim, expected.claims]);
    // Flags speak of the request just before only; what was cancelled stays so.
    expect((claimOf(third).item ?? []).map((item) => [flag(item), cancelled(item)])).toEqual([['changed', false], [undefined, true]]);
    expect(errorsOf(third.bundle, version)).toEqual([]);
  });

  it('a cancellation takes back every item, and in 2.2.1 the whole', () => {
    const gone = build(withOrders(further('second', 'E0431')), version, { kind: 'cancel', previous: first });
    expect(errorsOf(gone.bundle, version)).toEqual([]);
    expect((claimOf(gone).item ?? []).map((item) => [certification(item), cancelled(item)])).toEqual([['3', true], ['3', true]]);
    expect(claimOf(gone).status).toBe('active');
    expect(claimOf(gone).extension?.some(({ url }) => url.endsWith('certificationType')) ?? false).toBe(version === '2.2.1');
    expect(gone.keys.items.every((item) => item.cancelled)).toBe(true);
  });

  it('carries forms and evidence that were not sent before, once', () => {
    const input = { ...withOrders(), questionnaireResponses: [sampleForm, { ...sampleForm, id: 'asked-later' }] };
    const second = build(input, version, { kind: 'update', previous: first, change: none });
    expect(errorsOf(second.bundle, version)).toEqual([]);
    const before = claimOf(first).supportingInfo ?? [];
    const information = claimOf(second).supportingInfo ?? [];
    expect(information.slice(0, before.length)).toEqual(before);
    expect(information.slice(before.length).map(({ sequence, extension }) => [sequence, extension?.find(({ url }) => url.endsWith('infoChanged'))?.valueCode])).toEqual([[before.length + 1, 'added']]);
    const again = build(input, version, { kind: 'update', previous: second, change: { ...none, change: [{ sequence: 1, quantity: { value: 3 } }] } });
    expect(claimOf(again).supportingInfo).toHaveLength(before.length + 1);
  });

  it('says what cannot be added', () => {
    const uncoded = { ...further('bad', 'x'), codeCodeableConcept: { text: 'something' } };
    const made = buildSubmission(withOrders(uncoded), { ids: randomUUID, now: NOW, version, request: { kind: 'update', previous: first, change: { ...none, add: ['DeviceRequest/bad', 'ServiceRequest/nowhere'] } } });
    expect(made.kind === 'incomplete' ? made.problems.map(({ code }) => code) : []).toEqual(['ORDER_NOT_FOUND', 'SERVICE_CODE_MISSING']);
  });

  it('random lives of a request: every bundle is valid, no sequence is lost, moved or used twice', () => {
    const step = fc.record({ cancel: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 2 }), change: fc.array(fc.record({ sequence: fc.integer({ min: 1, max: 6 }), quantity: fc.record({ value: fc.integer({ min: 1, max: 99 }) }) }), { maxLength: 2 }), add: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 4 }), fc.boolean(), (steps, ends) => {
        const orders: Order[] = [further('f0', 'E0431')];
        let last: SentRequest = build(withOrders(...orders), version);
        for (const [index, { cancel, change, add }] of steps.entries()) {
          if (add) orders.push(index % 2 ? further(`f${index + 1}`, 'E0601') : ({ resourceType: 'ServiceRequest', id: `s${index}`, status: 'active', intent: 'plan', code: { coding: [{ system: 'http://www.ama-assn.org/go/cpt', code: '94660' }] }, subject: { reference: 'Patient/patient-1' } } satisfies ServiceRequest));
          const request: BuildRequest = { kind: 'update', previous: last, change: { cancel, change, add: add ? [readRequestedService(orders.at(-1) as Order).order] : [] } };
          const next = build(withOrders(...orders), version, request);
          expect(errorsOf(next.bundle, version)).toEqual([]);
          expect((claimOf(next).item ?? []).map(({ sequence }) => sequence)).toEqual(next.keys.items.map(({ sequence }) => sequence));
          expect(next.keys.items.slice(0, last.keys.items.length).map(({ traceNumber }) => traceNumber)).toEqual(last.keys.items.map(({ traceNumber }) => traceNumber));
          expect((claimOf(next).item ?? []).filter(cancelled).map(({ sequence }) => sequence)).toEqual(next.keys.items.filter((item) => item.cancelled).map(({ sequence }) => sequence));
          last = next;
        }
        expect(ends ? errorsOf(build(withOrders(...orders), version, { kind: 'cancel', previous: last }).bundle, version) : []).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });
});
