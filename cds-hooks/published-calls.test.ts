import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type HookReply, runCdsHooks, type RunningCdsHooks } from '../test-fixtures/running-cds-hooks.ts';

const CASES = join(import.meta.dirname, '..', '..', 'shared', 'cases', 'crd');
if (!existsSync(CASES)) console.warn(`left out: published calls, ${CASES} is not there`);

/**
 * Every published call: the answer to it alone, and to the same from an EHR that may be read. A primary hook without coverage, or whose
 * orders are only named, is 412 as long as nothing can be read; a secondary one is answered with nothing.
 */
const PUBLISHED: readonly (readonly [file: string, service: string, alone: number, actions: number, withEhr: number, actionsWithEhr: number])[] = [
  ['requests-2.0.1/any_hook_request_body-1', 'appointment-book', 200, 2, 200, 2],
  ['requests-2.0.1/appointment_book_request_bodies-1', 'appointment-book', 200, 1, 200, 1],
  ['requests-2.0.1/appointment_book_request_bodies-2', 'appointment-book', 200, 2, 200, 2],
  ['requests-2.0.1/encounter_start_request_bodies-1', 'encounter-start', 200, 0, 200, 0],
  ['requests-2.0.1/encounter_discharge_request_bodies-1', 'encounter-discharge', 200, 0, 200, 0],
  ['requests-2.0.1/order_dispatch_request_bodies-1', 'order-dispatch', 422, 0, 422, 0], // hookInstance is no UUID
  ['requests-2.0.1/order_dispatch_request_bodies-2', 'order-dispatch', 200, 1, 200, 1],
  ['requests-2.0.1/order_select_request_bodies-1', 'order-select', 200, 0, 200, 0],
  ['requests-2.0.1/order_select_request_bodies-2', 'order-select', 200, 0, 200, 0],
  ['requests-2.0.1/order_sign_request_bodies-1', 'order-sign', 200, 1, 200, 1],
  ['requests-2.0.1/order_sign_request_bodies-2', 'order-sign', 200, 1, 200, 1],
  ['ig-2.2.1/CRDServiceRequest', 'order-sign', 200, 2, 200, 2],
  ['ig-2.2.1/CRDServiceRequest2', 'order-dispatch', 412, 0, 200, 0], // coverage-info is switched off
  ['ig-2.2.1/CRDServiceRequest3', 'order-sign', 412, 0, 200, 1],
  ['ig-2.2.1/CRDServiceRequest4', 'appointment-book', 412, 0, 200, 1],
  ['spec/appointment_book_hook_request', 'appointment-book', 412, 0, 200, 2],
  ['spec/encounter_start_hook_request', 'encounter-start', 200, 0, 200, 0],
  ['spec/encounter_discharge_hook_request', 'encounter-discharge', 200, 0, 200, 0],
  ['spec/order_dispatch_hook_request', 'order-dispatch', 412, 0, 200, 1],
  ['spec/order_dispatch_hook_v220_request', 'order-dispatch', 412, 0, 200, 2],
  ['spec/order_select_hook_request', 'order-select', 200, 0, 200, 0],
  ['spec/order_sign_hook_request', 'order-sign', 412, 0, 200, 2],
  ['spec/fancy_structure_hook_request', 'order-sign', 422, 0, 422, 0], // a hook of nobody's
  ['cds-hooks-library/appointment-book-1', 'appointment-book', 412, 0, 200, 1], // both entries have one id
  ['cds-hooks-library/appointment-book-2', 'appointment-book', 412, 0, 200, 1],
  ['cds-hooks-library/encounter-start-1', 'encounter-start', 200, 0, 200, 0],
  ['cds-hooks-library/encounter-discharge-1', 'encounter-discharge', 200, 0, 200, 0],
  ['cds-hooks-library/order-dispatch-1', 'order-dispatch', 412, 0, 200, 1], // "fulfillment-tasks" is passed over
  ['cds-hooks-library/order-select-1', 'order-select', 200, 0, 200, 0],
  ['cds-hooks-library/order-select-2', 'order-select', 200, 0, 200, 0],
  ['cds-hooks-library/order-select-3', 'order-select', 200, 0, 200, 0],
  ['cds-hooks-library/order-sign-1', 'order-sign', 412, 0, 200, 2],
  ['cds-hooks-library/order-sign-2', 'order-sign', 412, 0, 200, 2],
  ['cds-hooks-library/order-sign-3', 'order-sign', 412, 0, 200, 1],
];

describe.skipIf(!existsSync(CASES))('published calls', () => {
  let service: RunningCdsHooks;
  beforeAll(async () => {
    service = await runCdsHooks();
  });
  afterAll(() => service.stop());
  beforeEach(() => service.holds([]));

  /** Some of the published bodies are a context only. */
  const read = (file: string, hook: string): PublishedCall => ({ hook, hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea', ...(JSON.parse(readFileSync(join(CASES, `${file}.json`), 'utf8')) as Omit<PublishedCall, 'hook' | 'hookInstance'>) });

  it.each(PUBLISHED)('%s: %s %i with %i actions', async (file, hook, status, actions) => {
    const call = read(file, hook);
    expectAnswer(await service.post(`${hook}-crd`, call, PUBLISHED_FAULTS), { status, actions, call });
  });

  it.each(PUBLISHED)('%s with an EHR', async (file, hook, _status, _actions, status, actions) => {
    const call = read(file, hook);
    service.holds((query) => ({ status: 200, body: recordOf(query, call.context.patientId) }));
    const fromOurEhr = { ...call, fhirServer: service.ehrBase, fhirAuthorization: { access_token: 't', token_type: 'Bearer', expires_in: 30, scope: 'x', subject: 'x' } };
    expectAnswer(await service.post(`${hook}-crd`, fromOurEhr, PUBLISHED_FAULTS), { status, actions, call });
  });

  it('the checker has kept nothing back in all of this', async () => {
    expect(await service.keptBack()).toEqual([]);
  });
});

interface PublishedCall {
  readonly hook: string;
  readonly hookInstance: string;
  readonly context: Readonly<Record<string, unknown>> & { readonly patientId: string };
  readonly prefetch?: unknown;
  readonly extension?: { readonly 'davinci-crd.requestedVersion'?: string };
}

const PUBLISHED_FAULTS = { clientFaults: 'published resources have faults of their own' };

/** The answer changes nothing but the extension. Rules and profiles of the version asked for: post. */
function expectAnswer(reply: HookReply, { status, actions, call }: { status: number; actions: number; call: PublishedCall }): void {
  expect([reply.status, reply.systemActions.length]).toEqual([status, actions]);
  for (const { resource } of reply.systemActions) {
    const sent = resourcesIn([call.context, call.prefetch]).find((each) => each.resourceType === resource.resourceType && each.id === resource.id) ?? recordOf(`${resource.resourceType}/${resource.id}`, call.context.patientId);
    const { extension: _before, ...same } = sent;
    const { extension: _after, ...answered } = resource;
    expect(answered).toEqual(same);
  }
}

function resourcesIn(value: unknown): readonly ({ readonly resourceType: string } & Readonly<Record<string, unknown>>)[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'resourceType' in value && typeof value.resourceType === 'string' ? [value as { resourceType: string }] : [];
  return [...own, ...Object.values(value).flatMap(resourcesIn)];
}

/** An EHR in which everything asked for is there, of that patient, insured by a payer that is held here. */
function recordOf(query: string, patientId: string): { readonly resourceType: string } & Readonly<Record<string, unknown>> {
  const [type = '', id] = (query.split('?')[0] ?? '').split('/');
  const subject = { reference: `Patient/${patientId}` };
  if (type === 'Patient') return { resourceType: type, id: patientId };
  if (type === 'Organization') return { resourceType: type, id, name: 'Medicare' };
  if (type === 'Coverage') return { resourceType: 'Bundle', type: 'searchset', entry: [{ resource: { resourceType: type, id: 'c1', status: 'active', beneficiary: subject, payor: [{ display: 'Medicare' }] } }] };
  return id === undefined ? { resourceType: 'Bundle', type: 'searchset' } : { resourceType: type, id, status: 'draft', subject };
}
