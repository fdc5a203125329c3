import { globSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { checkAnswer } from './checked-answer.ts';
import { watchAnswers } from './watched-answers.ts';

const subject = { reference: 'Patient/p1' };
const order = { resourceType: 'DeviceRequest', id: 'd1', status: 'draft', intent: 'order', authoredOn: '2026-11-22', requester: { reference: 'Practitioner/u1' }, subject, codeCodeableConcept: { text: 'x' } };
const bundle = (...resources: readonly object[]) => ({ resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ resource })) });
const call = (version: string, ordered: object = order) => ({ hook: 'order-sign', context: { userId: 'Practitioner/u1', patientId: 'p1', draftOrders: bundle(ordered) }, extension: { 'davinci-crd.requestedVersion': version } });
const information = (covered: string) => ({
  url: 'http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-coverage-information',
  extension: [
    { url: 'coverage', valueReference: { reference: 'Coverage/c1' } }, { url: 'covered', valueCode: covered }, { url: 'pa-needed', valueCode: 'no-auth' }, { url: 'reason', valueCodeableConcept: { text: 'Because' } },
    { url: 'date', valueDate: '2026-11-22' }, { url: 'coverage-assertion-id', valueString: 'a' },
  ],
});
const on = (resource: object, covered = 'covered') => ({ type: 'update', description: 'x', resource: { ...resource, extension: [information(covered)] } });
const answer = (...systemActions: readonly object[]) => ({ status: 200, text: JSON.stringify({ cards: [], systemActions }) });

describe('an answer that a test gets', () => {
  it('passes when it is sound, and when it is no answer', () => {
    expect(() => checkAnswer(call('2.0'), answer(on(order)))).not.toThrow();
    expect(() => checkAnswer(call('2.2'), answer(on(order, 'indeterminate')))).not.toThrow();
    expect(() => checkAnswer(call('2.0'), { status: 422, text: '' })).not.toThrow();
  });
  it.each<[string, string, readonly object[], RegExp]>([
    ['has a code of another version', '2.0', [on(order, 'indeterminate')], /codes, only codes of this version/],
    ['has no coverage information at a primary hook', '2.0', [], /primary-hook/],
    ['is on something else', '2.2', [on({ ...order, id: 'd2' })], /of-the-call/],
    ['changes the order', '2.2', [on({ ...order, note: [{ text: 'x' }] })], /nothing-else-changed/],
    ['returns what breaks its profile', '2.0', [on(order), { type: 'create', description: 'x', resource: { resourceType: 'Task', status: 'ready', intent: 'order', code: { coding: [{ code: 'complete-questionnaire' }] }, input: [{ type: { text: 'questionnaire' }, valueCanonical: 'https://payer.example/q' }] } }], /Task\/undefined\.for cardinality-min/],
  ])('is refused when it %s', (_name, version, actions, fault) => {
    expect(() => checkAnswer(call(version), answer(...actions))).toThrow(fault);
  });
  it('carries faults of the client only where the test says why', () => {
    const wrong = { ...order, authoredOn: 'yesterday' };
    expect(() => checkAnswer(call('2.0', wrong), answer(on(wrong)))).toThrow(/authoredOn/);
    expect(() => checkAnswer(call('2.0', wrong), answer(on(wrong)), { clientFaults: 'on purpose' })).not.toThrow();
    expect(() => checkAnswer(call('2.0', wrong), answer(on(wrong, 'x')), { clientFaults: 'on purpose' })).toThrow(/codes/);
  });
});

it('an answer to a client that a test writes itself is watched, and reaches it as it is', async () => {
  const { handler, faults } = watchAnswers(() => []);
  const app = express().use(handler).post('/cds-services/order-sign-crd', async (request, response) => {
    await new Promise((later) => setTimeout(later, 5));
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString())).once('end', () => response.writeHead(200).end((JSON.parse(text) as { answer: string }).answer));
  });
  const server = app.listen(0);
  await new Promise((ready) => server.once('listening', ready));
  const ask = async (actions: readonly object[]) => {
    const { text } = answer(...actions);
    const response = await fetch(`http://localhost:${(server.address() as AddressInfo).port}/cds-services/order-sign-crd`, { method: 'POST', body: JSON.stringify({ ...call('2.0'), answer: text }) });
    expect(await response.text()).toBe(text);
  };
  await ask([on(order)]);
  expect(faults).toEqual([]);
  await ask([]);
  expect(faults).toEqual([expect.stringMatching(/primary-hook/)]);
  server.close();
});

it('no test starts the service and reads its answers unchecked', () => {
  const root = join(import.meta.dirname, '..');
  const files = globSync(['cds-hooks/**/*.test.ts', 'test-fixtures/*.ts'], { cwd: root }).filter((file) => /createCdsHooks\([^]*\.router\b/.test(readFileSync(join(root, file), 'utf8')) && file !== 'test-fixtures/checked-answer.test.ts');
  expect(files.length).toBeGreaterThan(3);
  expect(files.filter((file) => !/checkAnswer\(body, /.test(readFileSync(join(root, file), 'utf8')))).toEqual([]);
});
