import type { Bundle, ClaimResponse, CommunicationRequest, DocumentReference, OperationOutcome, Parameters, QuestionnaireResponse, Resource, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openValidator } from '#fhir/validation/validator.ts';
import type { Store } from '#store/database.ts';
import { ANSWERS, attachmentParameters, claimOf, claimResponseOf, inquiryBundle, openPayerBench, PAS_BASES, type PayerBench, readItem, requestBundle, until, updateBundle } from '#test-fixtures/payer-bench.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';

const PAS = 'http://hl7.org/fhir/us/davinci-pas/StructureDefinition';
const VERSIONS = ['2.0.1', '2.2.1'] as const;
type PasVersion = (typeof VERSIONS)[number];
const validators = { '2.0.1': openValidator(['pas-2.0.1']), '2.2.1': openValidator(['pas-2.2.1']) };
const reviewer = { name: 'Dana Reyes, RN' };
const LOINC = 'http://loinc.org';
const REPORT = 'https://codesystem.x12.org/005010/755';
let store: Store;
let bench: PayerBench;

beforeAll(async () => {
  store = await openTestStore();
  bench = await openPayerBench({ db: store.db, reviewDelayMs: 3_600_000, reviewerToken: 'reviewer-token-of-the-test' });
});
afterAll(async () => {
  await bench.close();
  await store.close();
});

/** A pended request whose criterion is not shown, taken by a reviewer before the stand-in comes. */
async function pended(version: PasVersion, memberId: string): Promise<{ request: Bundle; caseId: string; itemId: string }> {
  const request = requestBundle({ version, memberId, answers: [{ linkId: 'other' }] });
  const answer = claimResponseOf((await (await bench.submit(request, undefined, version)).json()) as Bundle);
  expect(readItem(answer.item?.[0]).code).toBe('A4');
  const item = await bench.db.selectFrom('payer.authorization_item').select('id').where('case_id', '=', answer.id ?? '').executeTakeFirstOrThrow();
  return { request, caseId: answer.id ?? '', itemId: item.id };
}

async function ask(itemId: string, what: object): Promise<{ controlNumber: string; context: string | null }> {
  const reply = await bench.review('POST', `/${itemId}/ask`, { ...what, reviewer });
  expect(reply.status).toBe(200);
  return (await reply.json()) as { controlNumber: string; context: string | null };
}

async function currentAnswer(caseId: string): Promise<Bundle> {
  return JSON.parse((await bench.db.selectFrom('payer.authorization_case').select('current_answer').where('id', '=', caseId).executeTakeFirstOrThrow()).current_answer) as Bundle;
}

const ofType = <T extends Resource>(bundle: Bundle, type: T['resourceType']): T[] => (bundle.entry ?? []).flatMap(({ resource }) => (resource?.resourceType === type ? [resource as T] : []));
const note = (): DocumentReference => ({ resourceType: 'DocumentReference', status: 'current', type: { coding: [{ system: LOINC, code: '11506-3' }] }, content: [{ attachment: { contentType: 'text/plain', data: 'U3ludGhldGlj' } }] });
const proof = (): QuestionnaireResponse => ({ resourceType: 'QuestionnaireResponse', status: 'completed', questionnaire: 'https://payer.openpriorauth.org/fhir/Questionnaire/home-oxygen|1.0.0', item: [ANSWERS.saturation(86)] });
const codeOf = (response: ClaimResponse) => readItem(response.item?.[0]).code;

describe.each(VERSIONS)('PAS %s: asking for more', (version) => {
  const asks = [
    ['a document by LOINC', { kind: 'attachment', codes: [{ system: LOINC, code: '11506-3' }, { system: LOINC, code: '18842-5' }], text: 'The sleep study, please.', due: '2026-12-05' }],
    ['a document by report type', { kind: 'attachment', codes: [{ system: REPORT, code: '15' }] }],
    ['a form', { kind: 'questionnaire', questionnaire: 'https://payer.openpriorauth.org/fhir/Questionnaire/home-oxygen|1.0.0' }],
  ] as const;
  it.each(asks)('%s stands in the answer as the version wants it', async (name, what) => {
    const { caseId, itemId, request } = await pended(version, `M-${name}-${version}`);
    const { controlNumber, context } = await ask(itemId, what);
    const answer = await currentAnswer(caseId);
    expect(validators[version].validate(answer, { profile: `${PAS}/profile-pas-response-bundle` }).issues.filter(({ severity }) => severity === 'error')).toEqual([]);
    const messages = ofType<CommunicationRequest>(answer, 'CommunicationRequest');
    const [task] = ofType<Task>(answer, 'Task');
    for (const one of [...messages, task]) {
      const profile = `${PAS}/profile-${one?.resourceType.toLowerCase()}`;
      expect(validators[version].validate(one, { profile }).issues.filter(({ severity }) => severity === 'error')).toEqual([]);
      expect(one?.identifier?.[0]?.value).toBe(controlNumber);
    }
    const response = claimResponseOf(answer);
    expect(response.communicationRequest?.map(({ reference }) => reference)).toEqual(answer.entry?.filter(({ resource }) => resource?.resourceType === 'CommunicationRequest').map(({ fullUrl }) => fullUrl));
    expect(task?.reasonReference?.identifier).toEqual(claimOf(request).identifier?.[0]);
    const inputs = (task?.input ?? []).map(({ type, valueUrl, valueString, valueIdentifier, valueCodeableConcept }) => [type?.coding?.[0]?.code, valueUrl ?? valueString ?? valueIdentifier?.value ?? valueCodeableConcept?.coding?.[0]?.code]);
    expect(inputs[0]).toEqual(['payer-url', `${bench.baseUrl}${PAS_BASES[version]}`]);
    const isForm = what.kind === 'questionnaire';
    expect(context).toBe(isForm ? 'T-1' : null);
    expect(inputs.slice(1)).toEqual(isForm ? [[version === '2.2.1' ? 'questionnaire-context' : 'questionnaires-needed', 'T-1']] : what.codes.map(({ code }) => ['attachments-needed', code]));
    expect(messages).toHaveLength(isForm ? 1 : what.codes.length);
    expect(messages[0]?.payload?.[0]?.contentString === '102089-0').toBe(isForm);
    const line = messages.map(({ extension, payload }) => (version === '2.2.1' ? extension : payload?.[0]?.extension)?.find(({ url }) => url === `${PAS}/extension-serviceLineNumber`)?.valuePositiveInt);
    expect(line).toEqual(messages.map(() => 1));
  });

  it('a document answers; what the criteria still miss goes back to the queue, and the numbers stay', async () => {
    const { caseId, itemId } = await pended(version, `M-doc-${version}`);
    await bench.review('POST', `/${itemId}/claim`, { reviewer });
    const { controlNumber } = await ask(itemId, { kind: 'attachment', codes: [{ system: LOINC, code: '11506-3' }] });
    const reply = await bench.attach(attachmentParameters(controlNumber, [note()], { memberId: `M-doc-${version}` }), undefined, version);
    expect(reply.status).toBe(200);
    expect((await reply.json()) as OperationOutcome).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ severity: 'information' }] });
    const seen = (await (await bench.review('GET', `/${itemId}`)).json()) as { state: string; asks: object[]; attachments: object[] };
    expect(seen).toMatchObject({ state: 'pended', asks: [{ state: 'answered' }], attachments: [{ controlNumber, code: '11506-3', content: { resourceType: 'DocumentReference' } }] });
    expect(claimResponseOf(await currentAnswer(caseId)).communicationRequest).toBeUndefined();
  });

  it('a form answers and the item is decided by it', async () => {
    const { caseId, itemId } = await pended(version, `M-form-${version}`);
    const { controlNumber } = await ask(itemId, { kind: 'questionnaire', questionnaire: 'https://payer.openpriorauth.org/fhir/Questionnaire/home-oxygen|1.0.0' });
    const first = attachmentParameters(controlNumber, [note()], { memberId: `M-form-${version}`, final: false });
    expect((await bench.attach(first, undefined, version)).status).toBe(200);
    expect(codeOf(claimResponseOf(await currentAnswer(caseId)))).toBe('A4');
    const nested: Bundle = { resourceType: 'Bundle', type: 'collection', entry: [{ fullUrl: 'urn:uuid:9b0e6a09-7c1d-4e5f-9a3b-2f6d8c4e1a09', resource: proof() }] };
    const last = attachmentParameters(controlNumber, [nested], { memberId: `M-form-${version}` });
    expect((await bench.attach(last, undefined, version)).status).toBe(200);
    expect(codeOf(claimResponseOf(await currentAnswer(caseId)))).toBe('A1');
    expect((await bench.attach(last, undefined, version)).status).toBe(200);
    expect((await bench.attach(attachmentParameters(controlNumber, [{ ...note(), description: 'one more' }], { memberId: `M-form-${version}` }), undefined, version)).status).toBe(422);
  });

  it('an update with the form answers the ask; cancelling the item withdraws it', async () => {
    const form = { kind: 'questionnaire', questionnaire: 'https://payer.openpriorauth.org/fhir/Questionnaire/home-oxygen' };
    const one = await pended(version, `M-upd-${version}`);
    await ask(one.itemId, form);
    const update = updateBundle(one.request, version, {});
    for (const { resource } of update.entry ?? []) if (resource?.resourceType === 'QuestionnaireResponse') resource.item = [ANSWERS.saturation(86)];
    const answered = (await (await bench.submit(update, undefined, version)).json()) as Bundle;
    // Nothing is marked: an update all the same, for it names the earlier Claim.
    expect(codeOf(claimResponseOf(answered))).toBe('A1');
    const other = await pended(version, `M-can-${version}`);
    await ask(other.itemId, { kind: 'attachment', codes: [{ system: REPORT, code: '15' }] });
    await bench.submit(updateBundle(other.request, version, { cancelAll: true }), undefined, version);
    const states = await bench.db.selectFrom('payer.information_request').select('state').where('case_id', 'in', (eb) => eb.selectFrom('payer.authorization_case').select('id').where('replaces_id', 'in', [one.caseId, other.caseId])).execute();
    expect(states.map(({ state }) => state).toSorted()).toEqual(['answered', 'withdrawn']);
  });
});

it('the stand-in reviewer waits for the answer, then decides', async () => {
  const quick = await openPayerBench({ db: (await openTestStore()).db, reviewDelayMs: 1_200, reviewerToken: 'reviewer-token-of-the-test' });
  const first = claimResponseOf((await (await quick.submit(requestBundle({ answers: [{ linkId: 'other' }] }))).json()) as Bundle);
  const codeNow = async () => codeOf(claimResponseOf(JSON.parse((await quick.db.selectFrom('payer.authorization_case').select('current_answer').where('id', '=', first.id ?? '').executeTakeFirstOrThrow()).current_answer) as Bundle));
  const item = await quick.db.selectFrom('payer.authorization_item').select('id').executeTakeFirstOrThrow();
  const asked = await quick.review('POST', `/${item.id}/ask`, { kind: 'attachment', codes: [{ system: LOINC, code: '11506-3' }], reviewer });
  const { controlNumber } = (await asked.json()) as { controlNumber: string };
  await new Promise((done) => setTimeout(done, 1_900));
  expect(await codeNow()).toBe('A4');
  await quick.attach(attachmentParameters(controlNumber, [note()]));
  await until('the stand-in decides', async () => (await codeNow()) === 'A3');
  await quick.close();
});

it('a context of ours gives its form', async () => {
  const request = requestBundle({ memberId: 'M-context', answers: [{ linkId: 'other' }] });
  const claim = request.entry?.[0]?.resource;
  if (claim?.resourceType === 'Claim') claim.item = (JSON.parse(JSON.stringify(claim.item).replaceAll('"T-1"', '"T-context"')) as typeof claim.item);
  const answer = claimResponseOf((await (await bench.submit(request)).json()) as Bundle);
  const item = await bench.db.selectFrom('payer.authorization_item').select('id').where('case_id', '=', answer.id ?? '').executeTakeFirstOrThrow();
  const { context } = await ask(item.id, { kind: 'questionnaire', questionnaire: 'https://payer.openpriorauth.org/fhir/Questionnaire/home-oxygen|1.0.0' });
  const parameters: Parameters = { resourceType: 'Parameters', parameter: [{ name: 'coverage', resource: { resourceType: 'Coverage', id: 'c', status: 'active', beneficiary: { reference: 'Patient/p' }, payor: [{ reference: 'Organization/o' }] } }, { name: 'context', valueString: context ?? '' }] };
  for (const base of ['/payer/fhir', '/payer/fhir/dtr-2.2']) {
    const reply = await bench.call('POST', `${base}/Questionnaire/$questionnaire-package`, { body: parameters });
    expect(reply.status).toBe(200);
    expect(await reply.text()).toContain('/Questionnaire/home-oxygen');
  }
  expect((await bench.call('POST', '/payer/fhir/Questionnaire/$questionnaire-package', { body: parameters, client: bench.clients.other })).status).toBe(422);
});

it('an inquiry of 2.0.1 carries what is asked, one of 2.2.1 does not', async () => {
  const { itemId } = await pended('2.2.1', 'M-inq');
  await ask(itemId, { kind: 'attachment', codes: [{ system: REPORT, code: '15' }] });
  for (const version of VERSIONS) {
    const text = await (await bench.inquire(inquiryBundle({}, 'M-inq'), undefined, version)).text();
    expect(text.includes('CommunicationRequest')).toBe(version === '2.0.1');
  }
});

describe('$submit-attachment refuses', () => {
  const sound = (): Parameters => attachmentParameters('ACX', [note()]);
  const without = (name: string): Parameters => ({ ...sound(), parameter: sound().parameter?.filter((parameter) => parameter.name !== name) ?? [] });
  it.each<[string, unknown, number, RegExp]>([
    ['no JSON', '{', 400, /./],
    ['no Parameters', { resourceType: 'Bundle' }, 400, /Parameters/],
    ['parameters that are no list', { resourceType: 'Parameters', parameter: 'x' }, 400, /Parameters/],
    ...['TrackingId', 'AttachTo', 'MemberId', 'OrganizationId', 'Attachment'].map((name): [string, unknown, number, RegExp] => [`no ${name}`, without(name), 400, new RegExp(name)]),
    ['AttachTo a claim', { ...sound(), parameter: sound().parameter?.map((one) => (one.name === 'AttachTo' ? { name: 'AttachTo', valueCode: 'claim' } : one)) }, 422, /AttachTo/],
    ['an attachment without content', { ...sound(), parameter: sound().parameter?.map((one) => (one.name === 'Attachment' ? { name: 'Attachment', part: [] } : one)) }, 400, /Attachment/],
    ['a number of nobody', sound(), 404, /TrackingId/],
  ])('%s', async (_name, body, status, place) => {
    const reply = await bench.attach(body);
    expect(reply.status).toBe(status);
    const outcome = await reply.text();
    expect(outcome).toMatch(/OperationOutcome/);
    expect(outcome).toMatch(place);
  });

  it('another member and another client, as if the number were nobody\'s', async () => {
    const { itemId } = await pended('2.0.1', 'M-own');
    const { controlNumber } = await ask(itemId, { kind: 'attachment', codes: [{ system: REPORT, code: '15' }] });
    expect((await bench.attach(attachmentParameters(controlNumber, [note()], { memberId: 'M-else' }))).status).toBe(404);
    expect((await bench.attach(attachmentParameters(controlNumber, [note()], { memberId: 'M-own' }), bench.clients.other)).status).toBe(404);
    expect((await bench.attach(attachmentParameters(controlNumber, [note()], { memberId: 'M-own' }))).status).toBe(200);
  });
});
