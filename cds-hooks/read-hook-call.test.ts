import { describe, expect, it } from 'vitest';
import { readHookCall } from './read-hook-call.ts';
import { Refusal } from './refusal.ts';

const drafts = { resourceType: 'Bundle', entry: [{ resource: { resourceType: 'DeviceRequest', id: 'd1' } }, { resource: { resourceType: 'Observation', id: 'o1' } }] };
const call = (more: object = {}) => ({ hook: 'order-sign', hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea', context: { userId: 'Practitioner/u1', patientId: 'p1', draftOrders: drafts }, ...more });
const dispatch = (context: object) => readHookCall('order-dispatch', call({ hook: 'order-dispatch', context: { patientId: 'p1', performer: 'Organization/o1', ...context } }));

describe('version', () => {
  it.each<[unknown, string]>([[undefined, '2.0'], ['2.0', '2.0'], ['2.0.1', '2.0'], ['2.2', '2.2'], ['2.2.1', '2.2'], ['2.1', '2.0'], ['2.20', '2.0'], ['3.0', '2.0'], [2.2, '2.0'], [null, '2.0'], [['2.2'], '2.0']])('%j is answered as %s', (asked, version) => {
    expect(readHookCall('order-sign', call({ extension: { 'davinci-crd.requestedVersion': asked } })).version).toBe(version);
  });
});

describe('what breaks no call', () => {
  it.each<[string, object]>([
    ['extension null', { extension: null }],
    ['extension of a wrong type', { extension: 'x' }],
    ['configuration of a wrong type', { extension: { 'davinci-crd.configuration': 'all' } }],
    ['prefetch null', { prefetch: null }],
    ['encounterId null', { context: { userId: 'Practitioner/u1', patientId: 'p1', encounterId: null, draftOrders: drafts } }],
    ['elements nobody knows', { x: 1, context: { userId: 'PractitionerRole/u1', patientId: 'p1', draftOrders: drafts, y: [] } }],
  ])('%s', (_name, more) => {
    const { configuration, orders, encounterId } = readHookCall('order-sign', call(more));
    expect([configuration, orders.map(({ id }) => id), encounterId]).toEqual([{}, ['d1'], undefined]);
  });
});

describe('what the call names', () => {
  it.each<[string, object, readonly string[]]>([
    ['order-dispatch 1.0', { order: 'ServiceRequest/1' }, ['ServiceRequest/1']],
    ['order-dispatch 1.1', { dispatchedOrders: ['ServiceRequest/1', 'DeviceRequest/2'] }, ['ServiceRequest/1', 'DeviceRequest/2']],
    ['both, once each', { order: 'ServiceRequest/1', dispatchedOrders: ['ServiceRequest/1'] }, ['ServiceRequest/1']],
  ])('%s', (_name, context, named) => {
    expect(dispatch(context)).toMatchObject({ named, performer: 'Organization/o1', userId: undefined, orders: [] });
  });
});

it('elements of other hooks are as unknown as any other', () => {
  const { selections, appointments, named } = readHookCall('order-sign', call({ context: { ...(call({}) as { context: object }).context, selections: 'x', appointments: 'x', order: 'x', performer: 7 } }));
  expect([selections, appointments, named]).toEqual([undefined, [], []]);
});

describe('refusals', () => {
  it.each<[string, unknown, number]>([
    ['a list', [], 400],
    ['null', null, 400],
    ['a text', 'x', 400],
    ['nothing in it', {}, 422],
    ['nothing in it, 2.2', { extension: { 'davinci-crd.requestedVersion': '2.2' } }, 400],
    ['a token without a server', call({ fhirAuthorization: { access_token: 'x', token_type: 'Bearer' } }), 422],
    ['a server that is no URL', call({ fhirServer: 'ehr' }), 422],
    ['a server that is a file', call({ fhirServer: 'file:///etc/passwd' }), 422],
  ])('%s', (_name, body, status) => {
    const attempt = () => readHookCall('order-sign', body);
    expect(attempt).toThrow(Refusal);
    expect(attempt).toThrow(expect.objectContaining({ status }));
  });
  it('says where, never what', () => {
    expect(() => readHookCall('order-sign', call({ hookInstance: 'secret-value' }))).toThrow(/^hookInstance must be a UUID\.$/);
  });
});
