import { afterAll, beforeAll, expect, it } from 'vitest';
import { CARD_TYPE_CODES, COVERED_CODES, PA_NEEDED_CODES } from '#fhir/generated/code-sets.ts';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import { readCoverageInformation } from '#fhir/crd/coverage-information.ts';
import type { Store } from '#store/database.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { runCdsHooks } from '../../test-fixtures/running-cds-hooks.ts';
import type { Hook } from '../hook-call.ts';
import type { CrdMetricData } from './crd-metric-data.ts';
import { exportMetrics } from './metric-log.ts';

let store: Store;
beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());

const order = { resourceType: 'DeviceRequest', id: 'd1', status: 'draft', intent: 'order', codeCodeableConcept: { coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'E1390' }] }, subject: { reference: 'Patient/p1' }, requester: { reference: 'Practitioner/u1' }, authoredOn: '2026-11-22' };
const coverage = (more: object = {}) => ({ resourceType: 'Coverage', id: 'c1', status: 'active', beneficiary: { reference: 'Patient/p1' }, payor: [{ display: 'Medicare' }], ...more });
const bundle = (...resources: readonly object[]) => ({ resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ resource })) });
const satisfied = { url: CRD_URLS.coverageInformation, extension: [{ url: 'coverage', valueReference: { reference: 'Coverage/c1' } }, { url: 'covered', valueCode: 'covered' }, { url: 'pa-needed', valueCode: 'satisfied' }, { url: 'satisfied-pa-id', valueString: 'PA-1' }, { url: 'date', valueDate: '2026-11-20' }, { url: 'coverage-assertion-id', valueString: 'before' }] };
const text = { ...order, id: 'd2', codeCodeableConcept: { text: 'a device' } };

/** Calls that differ in what leaves, by hookInstance. */
const CALLS: Readonly<Record<string, { readonly hook?: Hook; readonly orders?: readonly object[]; readonly coverage?: object; readonly version?: string; readonly configuration?: object }>> = {
  'plain': {},
  'several, one carrying an authorization': { orders: [order, { ...order, id: 'd3', extension: [satisfied] }, text] },
  'without coverage-information': { configuration: { 'coverage-info': false } },
  'order-select with nothing to say': { hook: 'order-select', orders: [{ ...order, codeCodeableConcept: { coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'A4253' }] } }] },
  'coverage over, in 2.2': { coverage: coverage({ status: 'cancelled' }), version: '2.2' },
  'payer not known': { coverage: coverage({ payor: [{ display: 'Nobody’s Health Plan' }] }), version: '2.2' },
  'no coverage': { coverage: bundle() },
};

it('a row says what left, of the calls it left in, in codes of its model', async () => {
  const service = await runCdsHooks({ store });
  const left = new Map<string, readonly (string | undefined)[]>();
  const instance = (index: number) => `d1577c69-dfbe-44ad-ba6d-00000000000${index}`;
  for (const [index, { hook = 'order-sign', orders = [order], coverage: of = coverage(), version = '2.0', configuration }] of Object.values(CALLS).entries()) {
    const draftOrders = bundle(...orders);
    const reply = await service.post(`${hook}-crd`, {
      hook, hookInstance: instance(index), context: { userId: 'Practitioner/u1', patientId: 'p1', draftOrders, ...(hook === 'order-select' ? { selections: ['DeviceRequest/d1'] } : {}) },
      prefetch: { patient: { resourceType: 'Patient', id: 'p1' }, coverage: bundle(of), conditions: null, observations: null, procedures: null, reports: null, documents: null, medicationHistory: null },
      extension: { 'davinci-crd.requestedVersion': version, ...(configuration ? { 'davinci-crd.configuration': configuration } : {}) },
    });
    left.set(instance(index), reply.systemActions.flatMap(({ resource }) => readCoverageInformation(resource as never)).map(({ assertionId }) => assertionId).filter((id) => id !== 'before'));
  }
  await service.stop();
  const rows: CrdMetricData[] = [];
  for await (const line of exportMetrics(store, new Date('2026-11-22'), new Date('2026-11-23'))) rows.push(JSON.parse(line) as CrdMetricData);
  const saidIn = (row: CrdMetricData | undefined) => (row?.response ?? []).flatMap(({ coverageInfo = [] }) => coverageInfo);
  expect(new Map(rows.map((row) => [row.hookInstance, saidIn(row).map(({ assertionId }) => assertionId)]))).toEqual(left);
  expect([...left.values()].map((ids) => ids.length)).toEqual([1, 2, 0, 0, 1, 1, 0]);

  for (const row of rows) {
    expect(row.payerId.value).toMatch(/\w/);
    for (const { coding } of row.orderDetail ?? []) expect(coding.length).toBeGreaterThan(0);
    for (const { type } of row.response ?? []) expect(type === undefined || CARD_TYPE_CODES.some((code) => code === type)).toBe(true);
    for (const { covered, paNeeded } of saidIn(row)) expect([COVERED_CODES.some((code) => code === covered), paNeeded === undefined || PA_NEEDED_CODES.some((code) => code === paNeeded)]).toEqual([true, true]);
  }
  const ended = rows.find(({ hookInstance }) => hookInstance === instance(4));
  expect(saidIn(ended)).toMatchObject([{ covered: 'not-covered' }]);
});
