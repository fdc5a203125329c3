import type { Bundle, ClaimResponse, Extension } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openValidator } from '#fhir/validation/validator.ts';
import type { Store } from '#store/database.ts';
import { ANSWERS, claimOf, claimResponseOf, inquiryBundle, openPayerBench, type PayerBench, readItem, requestBundle, updateBundle, type UpdateInput } from '#test-fixtures/payer-bench.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';

const PAS = 'http://hl7.org/fhir/us/davinci-pas/StructureDefinition';
const VERSIONS = ['2.0.1', '2.2.1'] as const;
type PasVersion = (typeof VERSIONS)[number];
const validators = { '2.0.1': openValidator(['pas-2.0.1']), '2.2.1': openValidator(['pas-2.2.1']) };
let store: Store;
let bench: PayerBench;

beforeAll(async () => {
  store = await openTestStore();
  bench = await openPayerBench({ db: store.db, started: false });
});
afterAll(async () => {
  await bench.close();
  await store.close();
});

async function submitted(request: Bundle, version: PasVersion): Promise<ClaimResponse> {
  expect(validators[version].validate(request, { profile: `${PAS}/profile-pas-request-bundle` }).issues.filter(({ severity }) => severity === 'error')).toEqual([]);
  const reply = await bench.submit(request, undefined, version);
  const answer = (await reply.json()) as Bundle;
  expect(reply.status).toBe(200);
  expect(validators[version].validate(answer, { profile: `${PAS}/profile-pas-response-bundle` }).issues.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(claimResponseOf(answer).request?.reference).toBe(request.entry?.[0]?.fullUrl);
  return claimResponseOf(answer);
}

const readAll = (response: ClaimResponse) => (response.item ?? []).map((item) => readItem(item));
const codesOf = (response: ClaimResponse) => readAll(response).map(({ code }) => code);

describe.each(VERSIONS)('PAS %s: an update', (version) => {
  const first = () => requestBundle({ version, code: 'E1390', more: ['K0823', 'E0601'], answers: [ANSWERS.saturation(86), ANSWERS.assessment(true), ANSWERS.ahi(22)] });

  it.each<[string, UpdateInput, (string | undefined)[]]>([
    ['cancels an item', { cancel: [2] }, ['A1', undefined, 'A1']],
    ['adds an item', { add: ['L0120'] }, ['A1', 'A4', 'A1', 'A1']],
    ['changes an item', { change: { 3: 13 } }, ['A1', 'A4', 'A6']],
    ['does all three', { cancel: [1], change: { 3: 13 }, add: ['K0823'] }, [undefined, 'A4', 'A6', 'A4']],
    ['cancels everything', { cancelAll: true }, [undefined, undefined, undefined]],
  ])('%s: complete for all items, numbers kept', async (_name, input, expected) => {
    const request = first();
    const before = await submitted(request, version);
    expect(codesOf(before)).toEqual(['A1', 'A4', 'A1']);
    const after = await submitted(updateBundle(request, version, input), version);
    expect(after.id).not.toBe(before.id);
    expect(after.meta?.security).toBeUndefined();
    expect(after.item?.map(({ itemSequence }) => itemSequence)).toEqual(expected.map((_code, index) => index + 1));
    expect(codesOf(after)).toEqual(expected);
    expect(after.outcome).toBe(version === '2.2.1' || !expected.includes('A4') ? 'complete' : 'partial');
    const [old, now] = [readAll(before), readAll(after)];
    expect(now.slice(0, old.length).map(({ number }) => number)).toEqual(old.map(({ number }, index) => (expected[index] === undefined ? undefined : number)));
    expect(old.map(({ reference }, index) => reference && now[index]?.reference)).toEqual(old.map(({ reference }) => reference));
  });

  it('chains: an update of an update; the number of the first version finds the current one', async () => {
    const request = first();
    const before = await submitted(request, version);
    const second = updateBundle(request, version, { add: ['L0120'] });
    await submitted(second, version);
    const last = await submitted(updateBundle(second, version, { cancel: [1] }), version);
    expect(codesOf(last)).toEqual([undefined, 'A4', 'A1', 'A1']);
    const number = readAll(before)[0]?.number ?? '';
    const found = (await (await bench.inquire(inquiryBundle({ extension: [{ url: `${PAS}/extension-authorizationNumber`, valueString: number }] }))).json()) as Bundle;
    expect(found.entry?.flatMap(({ resource }) => (resource?.resourceType === 'ClaimResponse' ? [resource.id] : []))).toEqual([last.id]);
  });

  it('sent twice is one, by Bundle.identifier and by Claim.identifier', async () => {
    const request = first();
    await submitted(request, version);
    const update = updateBundle(request, version, { cancel: [2] });
    const text = await (await bench.submit(update, undefined, version)).text();
    expect(await (await bench.submit(update, undefined, version)).text()).toBe(text);
    expect(await (await bench.submit({ ...update, identifier: { value: 'another', system: 'urn:x' } }, undefined, version)).text()).toBe(text);
  });

  it('two updates of one request at once: one takes, the other is told so', async () => {
    const request = first();
    await submitted(request, version);
    const answers = await Promise.all([{ cancel: [1] }, { cancel: [3] }].map((input) => submitted(updateBundle(request, version, input), version)));
    expect(answers.map(({ outcome }) => outcome).toSorted()).toEqual([version === '2.2.1' ? 'complete' : 'partial', 'error'].toSorted());
  });

  it.each<[string, () => Promise<Bundle>, RegExp]>([
    ['of a request that is not known', async () => updateBundle(requestBundle({ version }), version, { cancel: [1] }), /not known/],
    [
      'after a denial',
      async () => {
        const denied = requestBundle({ version, answers: [ANSWERS.saturation(95)] });
        expect(codesOf(await submitted(denied, version))).toEqual(['A3']);
        return updateBundle(denied, version, { change: { 1: 2 } });
      },
      /denied/,
    ],
    [
      'of a version that was replaced',
      async () => {
        const request = first();
        await submitted(request, version);
        await submitted(updateBundle(request, version, { cancel: [2] }), version);
        return updateBundle(request, version, { cancel: [1] });
      },
      /changed since/,
    ],
    [
      'of another member',
      async () => {
        const request = first();
        await submitted(request, version);
        return JSON.parse(JSON.stringify(updateBundle(request, version, { cancel: [1] })).replaceAll('"M100"', '"M777"')) as Bundle;
      },
      /not known/,
    ],
  ])('%s is refused in the answer, with 200', async (_name, make, words) => {
    const update = await make();
    const response = await submitted(update, version);
    expect(response).toMatchObject({ outcome: 'error', error: [{ code: { coding: [{ system: 'https://codesystem.x12.org/005010/901' }] } }] });
    expect(response.item).toBeUndefined();
    expect(response.processNote?.[0]?.text).toMatch(words);
    const [error] = response.error ?? [];
    const places = error?.extension?.find(({ url }: Extension) => url === `${PAS}/extension-errorPath`)?.valueString;
    expect(places).toMatch(/^Bundle\.entry\[0\]\.resource/);
  });

  it('that leaves an item out is not processed', async () => {
    const request = first();
    await submitted(request, version);
    const update = updateBundle(request, version, { cancel: [2] });
    claimOf(update).item?.splice(0, 1);
    const reply = await bench.submit(update, undefined, version);
    expect(reply.status).toBe(422);
    expect(await reply.json()).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'business-rule', expression: ['Bundle.entry[0].resource.item'] }] });
  });
});

describe('PAS 2.0.1', () => {
  it('a differential update leaves items as they are; the answer is complete', async () => {
    const request = requestBundle({ more: ['K0823'] });
    await submitted(request, '2.0.1');
    const update = updateBundle(request, '2.0.1', { add: ['L0120'] });
    const claim = claimOf(update);
    claim.meta = { ...claim.meta, security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }] };
    claim.item?.splice(0, 2);
    const after = await submitted(update, '2.0.1');
    expect(codesOf(after)).toEqual(['A1', 'A4', 'A1']);
    expect(after.meta?.security).toBeUndefined();
  });
});

describe('PAS 2.2.1', () => {
  it('an update without the Claim that it changes is not processed', async () => {
    const request = requestBundle({ version: '2.2.1' });
    await submitted(request, '2.2.1');
    const update = updateBundle(request, '2.2.1', { cancel: [1] });
    update.entry?.splice(1, 1);
    const reply = await bench.submit(update, undefined, '2.2.1');
    expect(reply.status).toBe(422);
    expect(JSON.stringify(await reply.json())).toMatch(/related/);
  });
});
