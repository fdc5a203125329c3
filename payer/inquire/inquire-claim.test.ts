import type { Bundle, ClaimItem, OperationOutcome } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openValidator } from '#fhir/validation/validator.ts';
import type { Store } from '#store/database.ts';
import { ANSWERS, claimResponseOf, HCPCS, inquiryBundle, openPayerBench, type PayerBench, readItem, requestBundle } from '#test-fixtures/payer-bench.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';

const PAS = 'http://hl7.org/fhir/us/davinci-pas/StructureDefinition';
const validator = openValidator(['pas-2.0.1']);
let store: Store;
let bench: PayerBench;
let approved: ReturnType<typeof readItem>;
let pended: ReturnType<typeof readItem>;

beforeAll(async () => {
  store = await openTestStore();
  bench = await openPayerBench({ db: store.db, started: false });
  approved = await submitted(requestBundle());
  pended = await submitted(requestBundle({ code: 'K0823', answers: [ANSWERS.assessment(true)] }));
});
afterAll(async () => {
  await bench.close();
  await store.close();
});

async function submitted(request: Bundle) {
  return readItem(claimResponseOf((await (await bench.submit(request)).json()) as Bundle).item?.[0]);
}

async function codesFound(inquiry: Bundle, client = bench.clients.clinic): Promise<(string | undefined)[]> {
  const reply = await bench.inquire(inquiry, client);
  expect(reply.status).toBe(200);
  const answer = (await reply.json()) as Bundle;
  expect(validator.validate(answer, { profile: `${PAS}/profile-pas-inquiry-response-bundle` }).issues.filter(({ severity }) => severity === 'error')).toEqual([]);
  const urls = answer.entry?.map(({ fullUrl }) => fullUrl) ?? [];
  expect(new Set(urls).size).toBe(urls.length);
  return (answer.entry ?? []).flatMap(({ resource }) => (resource?.resourceType === 'ClaimResponse' ? [readItem(resource.item?.[0]).code] : []));
}

const withText = (name: string, valueString: string | undefined): Partial<ClaimItem> => ({ extension: [{ url: `${PAS}/${name}`, ...(valueString === undefined ? {} : { valueString }) }] });
const withCode = (code: string): Partial<ClaimItem> => ({ productOrService: { coding: [{ system: HCPCS, code }] } });

describe('$inquire finds by what its item says', () => {
  it.each<[string, () => Partial<ClaimItem>, string[]]>([
    ['nothing in particular: all, newest first', () => ({}), ['A4', 'A1']],
    ['the code', () => withCode('E1390'), ['A1']],
    ['a code never asked for', () => withCode('E0431'), []],
    ['the authorization number', () => withText('extension-authorizationNumber', approved.number), ['A1']],
    ['the administration reference number', () => withText('extension-administrationReferenceNumber', pended.reference), ['A4']],
    ['a number that is nobody\'s', () => withText('extension-authorizationNumber', 'PA0000000000'), []],
    ['a day of service', () => ({ servicedDate: '2026-12-01' }), ['A4', 'A1']],
    ['another day of service', () => ({ servicedDate: '2027-12-01' }), []],
    [
      'the review action',
      () => ({ extension: [{ url: `${PAS}/extension-reviewActionCode`, valueCodeableConcept: { coding: [{ system: 'https://codesystem.x12.org/005010/306', code: 'A1' }] } }] }),
      ['A1'],
    ],
  ])('%s', async (_name, item, codes) => expect(await codesFound(inquiryBundle(item()))).toEqual(codes));
});

describe('$inquire releases to whoever knows member and provider, and to nobody else', () => {
  it('to another client that names both', async () => expect(await codesFound(inquiryBundle(), bench.clients.other)).toEqual(['A4', 'A1']));
  it('not for another member', async () => expect(await codesFound(inquiryBundle({}, 'M999'))).toEqual([]));
  it('not for another provider, even with the right number', async () => {
    const inquiry = JSON.parse(JSON.stringify(inquiryBundle(withText('extension-authorizationNumber', approved.number))).replaceAll('1245319599', '1679576722')) as Bundle;
    expect(await codesFound(inquiry)).toEqual([]);
  });
  it('not for the same number in another member system', async () => {
    const inquiry = JSON.parse(JSON.stringify(inquiryBundle()).replaceAll('https://openpriorauth.org/member-id', 'https://elsewhere.example/member').replaceAll('"subscriberId":"M100"', '"subscriberId":"X1"')) as Bundle;
    expect(await codesFound(inquiry)).toEqual([]);
  });
  it('says what is missing when the provider has no NPI', async () => {
    const inquiry = JSON.parse(JSON.stringify(inquiryBundle()).replaceAll('http://hl7.org/fhir/sid/us-npi', 'https://clinic.example.org/provider')) as Bundle;
    const reply = await bench.inquire(inquiry);
    expect(reply.status).toBe(422);
    expect((await reply.json()) as OperationOutcome).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'required' }] });
  });
});

it.each([
  ['no JSON', '{', 400],
  ['no Bundle', { resourceType: 'Parameters' }, 400],
  ['an empty Bundle', { resourceType: 'Bundle', type: 'collection' }, 422],
])('$inquire with %s', async (_name, body, status) => {
  const reply = await bench.inquire(body);
  expect(reply.status).toBe(status);
  expect(((await reply.json()) as OperationOutcome).resourceType).toBe('OperationOutcome');
});
