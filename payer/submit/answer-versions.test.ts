import type { Bundle, ClaimResponse } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openValidator } from '#fhir/validation/validator.ts';
import type { Store } from '#store/database.ts';
import { ANSWERS, claimOf, claimResponseOf, inquiryBundle, openPayerBench, type PayerBench, readItem, requestBundle } from '#test-fixtures/payer-bench.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';

const PAS = 'http://hl7.org/fhir/us/davinci-pas/StructureDefinition';
const VERSIONS = ['2.0.1', '2.2.1'] as const;
type PasVersion = (typeof VERSIONS)[number];
const validators = { '2.0.1': openValidator(['pas-2.0.1']), '2.2.1': openValidator(['pas-2.2.1']) };
let store: Store;
let bench: PayerBench;

beforeAll(async () => {
  store = await openTestStore();
  bench = await openPayerBench({ db: store.db, started: false, reviewerToken: 'reviewer-token-of-the-test' });
});
afterAll(async () => {
  await bench.close();
  await store.close();
});

async function answerTo(request: Bundle, version: PasVersion): Promise<ClaimResponse> {
  const reply = await bench.submit(request, undefined, version);
  expect(reply.status).toBe(200);
  const answer = (await reply.json()) as Bundle;
  expect(errorsOf(answer, 'profile-pas-response-bundle', version)).toEqual([]);
  return claimResponseOf(answer);
}

const errorsOf = (resource: unknown, profile: string, version: PasVersion) => validators[version].validate(resource, { profile: `${PAS}/${profile}` }).issues.filter(({ severity }) => severity === 'error');
const humanReviewed = ({ extension }: ClaimResponse) => extension?.find(({ url }) => url === `${PAS}/extension-claimResponseReviewer`)?.extension?.find(({ url }) => url === 'wasHumanReviewedFlag')?.valueBoolean;

describe.each(VERSIONS)('PAS %s: one answer for each review action', (version) => {
  const isNew = version === '2.2.1';
  it.each([
    ['A1', { answers: [ANSWERS.saturation(86)] }, 'complete', false],
    ['A3', { answers: [ANSWERS.saturation(95)] }, 'complete', false],
    ['A4', { code: 'K0823', answers: [ANSWERS.assessment(true)] }, isNew ? 'complete' : 'queued', undefined],
    ['A6', { code: 'E0601', quantity: { value: 13, unit: 'months' }, answers: [ANSWERS.ahi(22)] }, 'complete', false],
  ] as const)('%s', async (code, input, outcome, reviewed) => {
    const response = await answerTo(requestBundle({ ...input, answers: [...input.answers], version }), version);
    expect(response.outcome).toBe(outcome);
    const item = readItem(response.item?.[0]);
    expect(item.code).toBe(code);
    expect(humanReviewed(response)).toBe(isNew ? reviewed : undefined);
    expect(item.authorized !== undefined).toBe(code === 'A6' && !isNew);
    expect(response.addItem?.map(({ itemSequence, quantity, adjudication }) => [itemSequence, quantity?.value, readItem({ itemSequence: 1, adjudication: adjudication ?? [] }).code])).toEqual(code === 'A6' && isNew ? [[[1], 3, 'A6']] : undefined);
    expect(response.processNote?.[0]?.text ?? '').toMatch(code === 'A3' || code === 'A6' ? /rule of this sandbox, not by a person/ : /^(A reviewer.*)?$/);
  });

  it('several items: each decided by itself', async () => {
    const response = await answerTo(requestBundle({ version, more: ['K0823', 'A9270', 'E0601'], answers: [ANSWERS.saturation(86), ANSWERS.ahi(3)] }), version);
    expect(response.item?.map((item) => readItem(item).code)).toEqual(['A1', 'A4', 'A3', 'A3']);
    expect(response.outcome).toBe(isNew ? 'complete' : 'partial');
  });

  it.each<[string, (bundle: Bundle) => void]>([
    ['an extension that nobody knows', (bundle) => void (claimOf(bundle).extension ??= []).push({ url: 'https://elsewhere.example/own', valueString: 'x' })],
    ['an element that is none of FHIR', (bundle) => void Object.assign(claimOf(bundle), { somethingNew: 'x' })],
    ['elements that are not must-support', (bundle) => void Object.assign(claimOf(bundle), { total: { value: 12, currency: 'USD' }, fundsReserve: { text: 'none' } })],
    ['no supporting information', (bundle) => { delete claimOf(bundle).supportingInfo; for (const item of claimOf(bundle).item ?? []) delete item.informationSequence; bundle.entry = bundle.entry?.filter(({ resource }) => resource?.resourceType !== 'QuestionnaireResponse') ?? []; }],
    ['no care team and no diagnosis', (bundle) => { delete claimOf(bundle).careTeam; delete claimOf(bundle).diagnosis; for (const item of claimOf(bundle).item ?? []) { delete item.careTeamSequence; delete item.diagnosisSequence; } }],
  ])('%s is no error', async (_name, change) => {
    const request = requestBundle({ version });
    change(request);
    expect((await bench.submit(request, undefined, version)).status).toBe(200);
  });

  it.each<[string, (bundle: Bundle) => void]>([
    ['a modifier that nobody knows', (bundle) => void (claimOf(bundle).modifierExtension = [{ url: 'https://elsewhere.example/reverse', valueBoolean: true }])],
    ['another status', (bundle) => void (claimOf(bundle).status = 'cancelled')],
    ['a date that is none', (bundle) => void Object.assign(claimOf(bundle).item?.[0] ?? {}, { servicedDate: '2026-13-45' })],
    ['a body site for a code', (bundle) => void Object.assign(claimOf(bundle).item?.[0] ?? {}, { productOrService: { text: 'oxygen' } })],
    ['a practitioner in the place of a role', (bundle) => void Object.assign(claimOf(bundle).careTeam?.[0] ?? {}, { provider: { reference: bundle.entry?.find(({ resource }) => resource?.resourceType === 'Practitioner')?.fullUrl } })],
  ])('%s is told with its place', async (_name, change) => {
    const request = requestBundle({ version });
    change(request);
    const reply = await bench.submit(request, undefined, version);
    expect(reply.status).toBe(422);
    const outcome = (await reply.json()) as { issue: { severity: string; code: string; expression?: string[]; details: { text: string } }[] };
    for (const issue of outcome.issue) expect(issue).toMatchObject({ severity: 'error', code: expect.any(String), expression: [expect.stringMatching(/^Bundle/)], details: { text: expect.stringMatching(/./) } });
  });
});

describe('what only one version has', () => {
  it('2.2.1 turns the transmission identifiers', async () => {
    const request = requestBundle({ version: '2.2.1' });
    const url = `${PAS}/extension-TransmissionIdentifiers`;
    (claimOf(request).extension ??= []).push({ url, extension: [{ url: 'applicationSenderCode', valueString: 'CLINIC' }, { url: 'applicationReceiverCode', valueString: 'PAYER' }] });
    const { extension } = await answerTo(request, '2.2.1');
    expect(extension?.find((one) => one.url === url)?.extension).toEqual([{ url: 'applicationReceiverCode', valueString: 'CLINIC' }, { url: 'applicationSenderCode', valueString: 'PAYER' }]);
  });

  it('2.2.1 wants document information, 2.0.1 does not', async () => {
    expect((await bench.submit(requestBundle(), undefined, '2.2.1')).status).toBe(422);
    expect((await bench.submit(requestBundle())).status).toBe(200);
  });

  it('2.2.1 says that a human being decided, and who', async () => {
    const request = requestBundle({ version: '2.2.1', code: 'K0823', memberId: 'M-human' });
    const { id } = await answerTo(request, '2.2.1');
    const { items } = (await (await bench.review('GET', '')).json()) as { items: { id: string; caseId: string }[] };
    const item = items.find(({ caseId }) => caseId === id);
    const reviewer = { name: 'Dana Reyes, MD', npi: '1234567893', specialty: '207R00000X' };
    expect((await bench.review('POST', `/${item?.id}/decision`, { decision: 'deny', reason: 'The record does not support it.', reasonCodes: ['35'], reviewer })).status).toBe(200);
    const found = (await (await bench.inquire(inquiryBundle({}, 'M-human'), undefined, '2.2.1')).json()) as { parameter: { name: string; resource: Bundle }[] };
    expect(found.parameter.map(({ name }) => name)).toEqual(['return']);
    const [{ resource: answer }] = found.parameter as [{ resource: Bundle }];
    expect(errorsOf(answer, 'profile-pas-inquiry-response-bundle', '2.2.1')).toEqual([]);
    const response = claimResponseOf(answer);
    expect(humanReviewed(response)).toBe(true);
    expect(JSON.stringify(response.extension)).toMatch(/"1234567893".*207R00000X/);
    expect(JSON.stringify(response.item)).toMatch(/external\/886","code":"35"/);
  });

  it('2.2.1 answers an inquiry that finds nothing with no return, and takes one without items', async () => {
    expect(await (await bench.inquire(inquiryBundle({}, 'M-nobody'), undefined, '2.2.1')).json()).toEqual({ resourceType: 'Parameters' });
    await answerTo(requestBundle({ version: '2.2.1', memberId: 'M-all', more: ['K0823'] }), '2.2.1');
    const inquiry = inquiryBundle({}, 'M-all');
    delete claimOf(inquiry).item;
    const found = (await (await bench.inquire(inquiry, undefined, '2.2.1')).json()) as { parameter?: unknown[] };
    expect(found.parameter).toHaveLength(1);
  });
});
