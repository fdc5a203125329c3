import type { Bundle, OperationOutcome } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openValidator } from '#fhir/validation/validator.ts';
import type { Store } from '#store/database.ts';
import { ANSWERS, claimOf, claimResponseOf, CPT, HCPCS, openPayerBench, type PayerBench, readItem, requestBundle, until } from '#test-fixtures/payer-bench.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';

const RESPONSE = 'http://hl7.org/fhir/us/davinci-pas/StructureDefinition/profile-pas-response-bundle';
const validator = openValidator(['pas-2.0.1']);
let store: Store;
let bench: PayerBench;

beforeAll(async () => {
  store = await openTestStore();
  bench = await openPayerBench({ db: store.db, reviewDelayMs: 300 });
});
afterAll(async () => {
  await bench.close();
  await store.close();
});

function expectConformant(answer: Bundle, request: Bundle): void {
  expect(validator.validate(answer, { profile: RESPONSE }).issues.filter(({ severity }) => severity === 'error')).toEqual([]);
  const sent = new Map(request.entry?.map((entry) => [entry.fullUrl, entry.resource]));
  const [first, ...others] = answer.entry ?? [];
  expect(first?.resource?.resourceType).toBe('ClaimResponse');
  for (const entry of others) expect(entry.resource, 'echoed under the same fullUrl').toEqual(sent.get(entry.fullUrl));
  const present = new Set(answer.entry?.map(({ fullUrl }) => fullUrl));
  const { request: asked, ...rest } = claimResponseOf(answer);
  expect(asked?.reference).toBe(request.entry?.[0]?.fullUrl);
  for (const [, reference] of JSON.stringify(rest).matchAll(/"reference":"([^"]+)"/g)) expect(present).toContain(reference);
}

describe('the answer to $submit by the route of the policy', () => {
  it.each([
    ['automatic, met', { answers: [ANSWERS.saturation(86)] }, 'A1', 'complete', /^$/],
    ['automatic, not met', { answers: [ANSWERS.saturation(95)] }, 'A3', 'complete', /oxygen values.*Resting saturation/],
    ['automatic, not shown', { answers: [{ linkId: 'other' }] }, 'A4', 'queued', /Not shown.*Resting saturation/],
    ['reviewer, met', { code: 'K0823', answers: [ANSWERS.assessment(true)] }, 'A4', 'queued', /reviewer/],
    ['limit, more asked', { code: 'E0601', quantity: { value: 13, unit: 'months' }, answers: [ANSWERS.ahi(22)] }, 'A6', 'complete', /3 months of the 13/],
    ['limit, no more asked', { code: 'E0601', quantity: { value: 3, unit: 'months' }, answers: [ANSWERS.ahi(22)] }, 'A1', 'complete', /^$/],
    ['limit, asked in another unit', { code: 'E0601', quantity: { value: 1, unit: 'device' }, answers: [ANSWERS.ahi(22)] }, 'A1', 'complete', /up to 3 months/],
    ['limit, not met', { code: 'E0601', quantity: { value: 13 }, answers: [ANSWERS.ahi(3)] }, 'A3', 'complete', /sleep test/],
    ['named as needing no authorization', { system: CPT, code: '93000' }, 'A1', 'complete', /No authorization is required/],
    ['named by no policy', { code: 'L0120' }, 'A1', 'complete', /No authorization is required/],
    ['not covered', { code: 'A9270' }, 'A3', 'complete', /not covered/],
    ['a service that is no code of a service', { system: 'https://codesystem.x12.org/005010/1365', code: '3' }, 'A4', 'queued', /could not be recognised/],
    ['a criterion that cannot be evaluated', { code: 'E0424' }, 'A4', 'queued', /Cannot be evaluated/],
  ] as const)('%s', async (_name, input, code, outcome, note) => {
    const request = requestBundle({ ...input, answers: 'answers' in input ? [...input.answers] : [ANSWERS.saturation(86)] });
    const reply = await bench.submit(request);
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toMatch(/^application\/fhir\+json/);
    const answer = (await reply.json()) as Bundle;
    expectConformant(answer, request);
    const response = claimResponseOf(answer);
    expect(response.outcome).toBe(outcome);
    expect(response.identifier).toContainEqual(claimOf(request).identifier?.[0]);
    const item = readItem(response.item?.[0]);
    expect(item).toMatchObject({ code, trace: 'T-1' });
    const granted = code === 'A1' || code === 'A6';
    expect(item.number ?? '').toMatch(granted ? /^PA\w{10}$/ : /^$/);
    expect(item.period === undefined).toBe(!granted);
    expect(response.preAuthRef).toBe(item.number);
    expect(item.reference ?? '').toMatch(granted ? /^$/ : /^RF\w{10}$/);
    expect(item.authorized).toEqual(/months/.test(response.processNote?.[0]?.text ?? '') ? { value: 3, unit: 'months' } : undefined);
    expect(response.processNote?.[0]?.text ?? '').toMatch(note);
    expect(response.item?.[0]?.noteNumber).toEqual(response.processNote ? [1] : undefined);
  });

  it('decides each item by itself; a case of decided and pended items is partial', async () => {
    const request = requestBundle();
    const claim = claimOf(request);
    const [item] = claim.item ?? [];
    claim.item?.push({ ...structuredClone(item), sequence: 2, productOrService: { coding: [{ system: HCPCS, code: 'K0823' }] } });
    const answer = (await (await bench.submit(request)).json()) as Bundle;
    expectConformant(answer, request);
    expect(claimResponseOf(answer).outcome).toBe('partial');
    expect(claimResponseOf(answer).item?.map((one) => readItem(one).code)).toEqual(['A1', 'A4']);
  });
});

describe('a pended item', () => {
  it.each([
    [true, 'A1'],
    [false, 'A3'],
  ])('is decided when the review is due (assessment %s)', async (assessed, code) => {
    const request = requestBundle({ code: 'K0823', answers: [ANSWERS.assessment(assessed)] });
    const first = await (await bench.submit(request)).text();
    const caseId = claimResponseOf(JSON.parse(first) as Bundle).id ?? '';
    const pended = readItem(claimResponseOf(JSON.parse(first) as Bundle).item?.[0]);
    let current = '';
    await until('the item is decided', async () => {
      current = (await bench.db.selectFrom('payer.authorization_case').select('current_answer').where('id', '=', caseId).executeTakeFirstOrThrow()).current_answer;
      return current !== first;
    });
    const answer = JSON.parse(current) as Bundle;
    expectConformant(answer, request);
    expect(claimResponseOf(answer).outcome).toBe('complete');
    expect(readItem(claimResponseOf(answer).item?.[0])).toMatchObject({ code, reference: pended.reference });
    expect(await (await bench.submit(request)).text(), 'a repeated submission still gets the first answer').toBe(first);
  });

  it('that no policy can decide waits for a person', async () => {
    const answer = (await (await bench.submit(requestBundle({ system: 'https://codesystem.x12.org/005010/1365', code: '3' }))).json()) as Bundle;
    const item = await bench.db.selectFrom('payer.authorization_item').select(['state', 'due_at']).where('case_id', '=', claimResponseOf(answer).id ?? '').executeTakeFirstOrThrow();
    expect(item).toEqual({ state: 'pended', due_at: null });
  });
});

describe('a repeated submission', () => {
  it('twenty at once make one case and get the same bytes', async () => {
    const request = requestBundle();
    await bench.token();
    const replies = await Promise.all(Array.from({ length: 20 }, async () => (await bench.submit(request)).text()));
    expect(new Set(replies).size).toBe(1);
    const cases = await bench.db.selectFrom('payer.authorization_case').select('id').where('bundle_value', '=', request.identifier?.value ?? '').execute();
    expect(cases).toHaveLength(1);
  });

  it('is known by its content, not by the order of its members', async () => {
    const request = requestBundle();
    const first = await (await bench.submit(request)).text();
    const turned = Object.fromEntries(Object.entries(request).toReversed());
    expect(await (await bench.submit(turned)).text()).toBe(first);
  });

  it('with other content is refused', async () => {
    const request = requestBundle();
    await bench.submit(request);
    const reply = await bench.submit({ ...requestBundle({ answers: [ANSWERS.saturation(70)] }), identifier: request.identifier });
    expect(reply.status).toBe(409);
    expect((await reply.json()) as OperationOutcome).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'duplicate', expression: ['Bundle.identifier'] }] });
  });

  it('of another client is another case', async () => {
    const request = requestBundle();
    const mine = await (await bench.submit(request)).text();
    const theirs = await (await bench.submit(request, bench.clients.other)).text();
    expect(theirs).not.toBe(mine);
  });
});

describe('a request that cannot be taken', () => {
  const broken = (change: (bundle: Bundle) => void): Bundle => {
    const bundle = requestBundle();
    change(bundle);
    return bundle;
  };
  it.each<[string, unknown, number, RegExp]>([
    ['no JSON', '{"resourceType":', 400, /^$/],
    ['a list', [], 400, /^Bundle$/],
    ['another resource', { resourceType: 'Patient' }, 400, /^Bundle$/],
    ['an empty Bundle', { resourceType: 'Bundle', type: 'collection' }, 422, /./],
    ['entries that are no list', { ...requestBundle(), entry: 'x' }, 422, /./],
    ['no identifier', broken((bundle) => delete bundle.identifier), 422, /Bundle/],
    ['an identifier without a value', broken((bundle) => delete bundle.identifier?.value), 422, /Bundle/],
    ['the Claim not first', broken((bundle) => void bundle.entry?.reverse()), 422, /Bundle/],
    ['a patient that is not there', broken((bundle) => void bundle.entry?.splice(1, 1)), 422, /Bundle/],
    ['another use', broken((bundle) => void (claimOf(bundle).use = 'claim')), 422, /use/],
    ['two items of one number', broken((bundle) => void claimOf(bundle).item?.push(...structuredClone(claimOf(bundle).item ?? []))), 422, /item/],
    ['a diagnosis number that is not there', broken((bundle) => void Object.assign(claimOf(bundle).item?.[0] ?? {}, { diagnosisSequence: [9] })), 422, /diagnosisSequence/],
    ['an update of two requests', broken((bundle) => void (claimOf(bundle).related = [{ claim: { identifier: { value: 'PA-0000' } } }, {}])), 422, /related/],
    ['an update that names nothing', broken((bundle) => void (claimOf(bundle).related = [{ relationship: { text: 'replaces' } }])), 422, /related/],
    ['a provider left out of the bundle', broken((bundle) => void (claimOf(bundle).provider = { reference: 'https://clinic.example.org/fhir/Organization/1' })), 422, /entry\[0\]/],
    ['the same fullUrl twice', broken((bundle) => void bundle.entry?.push(structuredClone(bundle.entry[1] ?? {}))), 422, /Bundle/],
  ])('%s', async (_name, body, status, expected) => {
    const reply = await bench.submit(body);
    expect(reply.status).toBe(status);
    expect(reply.headers.get('content-type')).toMatch(/^application\/fhir\+json/);
    const outcome = (await reply.json()) as OperationOutcome;
    expect(outcome.resourceType).toBe('OperationOutcome');
    expect(outcome.issue?.flatMap(({ expression = [] }) => expression).join(' ')).toMatch(expected);
    expect(JSON.stringify(outcome)).not.toMatch(/Okoro|1951/);
  });

  it('too large, too deep, of another type, wanted in another type', async () => {
    expect((await bench.submit(`{"a":"${'x'.repeat(11_000_000)}"}`)).status).toBe(413);
    expect((await bench.submit('{"a":'.repeat(100) + '1' + '}'.repeat(100))).status).toBe(400);
    expect((await bench.call('POST', '/payer/fhir/Claim/$submit', { body: '<Bundle/>', headers: { 'Content-Type': 'application/fhir+xml' } })).status).toBe(415);
    expect((await bench.call('POST', '/payer/fhir/Claim/$submit', { body: requestBundle(), headers: { Accept: 'application/fhir+xml' } })).status).toBe(406);
  });
});
