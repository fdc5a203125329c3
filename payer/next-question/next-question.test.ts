import type { Bundle, Extension, Parameters, Questionnaire, QuestionnaireResponse, QuestionnaireResponseItem, QuestionnaireResponseItemAnswer, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCoverageInformation } from '#fhir/crd/coverage-information.ts';
import { openValidator } from '#fhir/validation/validator.ts';
import { openPayerBench } from '#test-fixtures/payer-bench.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';

const BASES = { '2.0.1': '/payer/fhir', '2.2.0': '/payer/fhir/dtr-2.2' } as const;
type Version = keyof typeof BASES;
const FORM = 'https://payer.openpriorauth.org/fhir/Questionnaire/lumbar-spine-mri|1.0.0';
const DTR = 'http://hl7.org/fhir/us/davinci-dtr/StructureDefinition';
const LOCAL = 'https://payer.openpriorauth.org/fhir/CodeSystem/answers';
const validator = openValidator(['dtr-2.0.1', 'crd-2.0.1']);
const errorsOf = (resource: Resource, profile?: string) => validator.validate(resource, profile === undefined ? {} : { profile }).issues.filter(({ severity }) => severity === 'error').map(({ path, message }) => `${path}: ${message}`);

let store: Awaited<ReturnType<typeof openTestStore>>;
let bench: Awaited<ReturnType<typeof openPayerBench>>;
beforeAll(async () => {
  store = await openTestStore();
  bench = await openPayerBench({ db: store.db });
});
afterAll(async () => {
  await bench.close();
  await store.close();
});

const local = (...all: string[]) => all.map((code) => ({ valueCoding: { system: LOCAL, code } }));
const manual = (answer: QuestionnaireResponseItemAnswer): QuestionnaireResponseItemAnswer => ({ ...answer, extension: [{ url: `${DTR}/information-origin`, extension: [{ url: 'source', valueCode: 'manual' }, { url: 'author', extension: [{ url: 'practitioner', valueReference: { reference: 'Practitioner/d' } }] }] }] });
type Answers = Readonly<Record<string, readonly QuestionnaireResponseItemAnswer[]>>;

const COMPLAINT: Answers = { indication: [{ valueCoding: { system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'M54.16' } }], onset: [{ valueDate: '2026-08-01' }], 'warning-signs': local('none') };
const TREATED: Answers = { treatments: local('exercise', 'medicine'), weeks: [{ valueInteger: 8 }], pain: [{ valueInteger: 6 }], 'earlier-mri': [{ valueBoolean: false }] };

function start(version: Version): QuestionnaireResponse {
  const coverage: Extension[] = version === '2.0.1' ? [{ url: `${DTR}/qr-context`, valueReference: { reference: 'Coverage/c' } }] : [{ url: `${DTR}/qr-coverage`, valueReference: { reference: 'Coverage/c' } }];
  return {
    resourceType: 'QuestionnaireResponse', status: 'in-progress', questionnaire: '#form', subject: { reference: 'Patient/p' }, authored: '2026-11-22T10:00:00Z', author: { reference: 'Practitioner/d' },
    contained: [{ resourceType: 'Questionnaire', id: 'form', status: 'active', derivedFrom: [FORM] }],
    extension: [...coverage, { url: `${DTR}/qr-context`, valueReference: { reference: 'ServiceRequest/s' } }, { url: `${DTR}/intendedUse`, valueCodeableConcept: { coding: [{ system: 'http://hl7.org/fhir/us/davinci-crd/CodeSystem/temp', code: 'withpa' }] } }],
  };
}
const questionsOf = (response: QuestionnaireResponse): Questionnaire => {
  const form = response.contained?.find((one): one is Questionnaire => one.resourceType === 'Questionnaire');
  if (!form) throw new Error('no contained form');
  return form;
};
function answered(response: QuestionnaireResponse, answers: Answers): QuestionnaireResponse {
  const fill = (items: readonly QuestionnaireResponseItem[]): QuestionnaireResponseItem[] => items.map((item) => ({
    ...item,
    ...(answers[item.linkId]?.length ? { answer: answers[item.linkId]?.map(manual) ?? [] } : {}),
    ...(item.item ? { item: fill(item.item) } : {}),
  }));
  return { ...response, item: fill(response.item ?? []) };
}
const linkIds = (response: QuestionnaireResponse): string[] => {
  const flat = (items: Questionnaire['item'] = []): string[] => items.flatMap(({ linkId, item }) => [linkId, ...flat(item)]);
  return flat(questionsOf(response).item);
};
const answersOf = (response: QuestionnaireResponse, linkId: string): readonly QuestionnaireResponseItemAnswer[] => {
  const flat = (items: readonly QuestionnaireResponseItem[]): QuestionnaireResponseItem[] => items.flatMap((item) => [item, ...flat(item.item ?? [])]);
  return flat(response.item ?? []).filter((item) => item.linkId === linkId).flatMap(({ answer }) => answer ?? []);
};

async function send(body: unknown, version: Version = '2.0.1', client = bench.clients.clinic) {
  const reply = await bench.call('POST', `${BASES[version]}/Questionnaire/$next-question`, { body, client });
  return { status: reply.status, body: (await reply.json()) as QuestionnaireResponse & { issue?: { code: string; details: { text: string }; expression?: string[] }[] } };
}
async function next(response: QuestionnaireResponse, version: Version = '2.0.1'): Promise<QuestionnaireResponse> {
  const { status, body } = await send({ resourceType: 'Parameters', parameter: [{ name: 'questionnaire-response', resource: response }] }, version);
  expect([status, body.issue]).toEqual([200, undefined]);
  return body;
}
/** Answers step after step until the payer completes. */
async function play(all: Answers, version: Version = '2.0.1'): Promise<QuestionnaireResponse[]> {
  const states = [await next(start(version), version)];
  for (let last = states[0]; last && last.status !== 'completed' && states.length < 10; last = states.at(-1)) states.push(await next(answered(last, all), version));
  return states;
}

describe.each<Version>(['2.0.1', '2.2.0'])('the lumbar spine form, DTR %s', (version) => {
  it.each<[string, Answers, string[], string, boolean]>([
    ['treated for eight weeks: satisfied', { ...COMPLAINT, ...TREATED }, ['complaint', 'treatment', 'points'], 'satisfied', true],
    ['treated too short: authorization needed', { ...COMPLAINT, ...TREATED, weeks: [{ valueInteger: 2 }] }, ['complaint', 'treatment', 'points'], 'auth-needed', false],
    ['a warning sign, examined: satisfied', { ...COMPLAINT, 'warning-signs': local('cauda-equina'), 'warning-sign-found': [{ valueDate: '2026-11-20' }], 'warning-sign-finding': [{ valueString: 'x' }], examined: [{ valueBoolean: true }] }, ['complaint', 'warning-sign', 'points'], 'satisfied', true],
    ['imaged a month ago: authorization needed', { ...COMPLAINT, ...TREATED, 'earlier-mri': [{ valueBoolean: true }], 'earlier-mri-date': [{ valueDate: '2026-10-20' }], 'change-since': [{ valueString: 'x' }] }, ['complaint', 'treatment', 'points'], 'auth-needed', false],
  ])('%s', async (_name, answers, groups, paNeeded, satisfied) => {
    const states = await play(answers, version);
    const last = states.at(-1) as QuestionnaireResponse;
    expect(states.slice(0, -1).every(({ status }) => status === 'in-progress')).toBe(true);
    expect(last.status).toBe('completed');
    expect(questionsOf(last).item?.map(({ linkId }) => linkId)).toEqual(groups);
    expect(questionsOf(last)).toEqual(questionsOf(states.at(-2) as QuestionnaireResponse));
    const [said, ...more] = readCoverageInformation(last);
    expect(more).toEqual([]);
    expect(said).toMatchObject({ coverage: 'Coverage/c', covered: 'covered', paNeeded, assertionId: expect.stringMatching(/^[\da-f-]{36}$/), date: new Date().toISOString().slice(0, 10) });
    expect(said?.satisfiedPaId ?? 'none').toMatch(satisfied ? /^PA-[\dA-F]{10}$/ : /^none$/);
    expect(last.extension?.find(({ url }) => url.endsWith('/intendedUse'))?.valueCodeableConcept?.coding?.[0]?.code).toBe(satisfied ? 'retain-doc' : 'withpa');
  });

  it('questions are added, never taken away; the payer’s score is read-only, with its origin', async () => {
    const states = await play({ ...COMPLAINT, ...TREATED }, version);
    const seen = states.map(linkIds);
    expect(seen.map((ids) => ids.length)).toEqual([4, 9, 10, 10]);
    for (const [at, ids] of seen.entries()) expect(ids.slice(0, seen[at - 1]?.length ?? 0)).toEqual(seen[at - 1] ?? []);
    const [score] = answersOf(states[2] as QuestionnaireResponse, 'points');
    expect(score).toMatchObject({ valueInteger: 7, extension: [{ extension: [{ url: 'source', valueCode: version === '2.0.1' ? 'auto' : 'auto-server' }] }] });
    expect(questionsOf(states[2] as QuestionnaireResponse).item?.find(({ linkId }) => linkId === 'points')?.readOnly).toBe(true);
  });

  it('the contained form is derived from the one that is found by search, and keeps its id', async () => {
    const form = questionsOf(await next(start(version), version));
    expect(form).toMatchObject({ id: 'form', derivedFrom: [FORM], title: 'MRI of the lumbar spine', meta: { profile: [`${DTR}/dtr-questionnaire-adapt`] } });
    expect(form.url).toBeUndefined();
    expect(errorsOf(form)).toEqual([]);
  });
});

describe('what 2.0.1 asks of the answer', () => {
  it('every state with answers is valid to the DTR profile, the coverage-information to CRD 2.0.1', async () => {
    for (const state of await play({ ...COMPLAINT, ...TREATED })) expect(errorsOf(state, `${DTR}/dtr-questionnaireresponse`)).toEqual([]);
  });
  it('a bare response is taken as well', async () => {
    const { status, body } = await send(start('2.0.1'));
    expect([status, body.resourceType, linkIds(body)[0]]).toEqual([200, 'QuestionnaireResponse', 'complaint']);
  });
  it('the form may be named by url and version, as on the first call', async () => {
    const [url, version] = FORM.split('|');
    const { status } = await send({ ...start('2.0.1'), contained: [{ resourceType: 'Questionnaire', id: 'form', status: 'active', url, version }] });
    expect(status).toBe(200);
  });
  it('the draft of a package is the first call', async () => {
    const order = { resourceType: 'ServiceRequest', id: 's', status: 'active', intent: 'order', subject: { reference: 'Patient/p' }, code: { coding: [{ system: 'http://www.ama-assn.org/go/cpt', code: '72148' }] } };
    const coverage = { resourceType: 'Coverage', id: 'c', status: 'active', beneficiary: { reference: 'Patient/p' }, payor: [{ display: 'x' }] };
    for (const version of ['2.0.1', '2.2.0'] as const) {
      const named = { resourceType: 'Parameters', parameter: [{ name: 'coverage', resource: coverage }, { name: 'order', resource: order }, { name: 'questionnaire', valueCanonical: FORM }] };
      const reply = (await (await bench.call('POST', `${BASES[version]}/Questionnaire/$questionnaire-package`, { body: named })).json()) as Parameters;
      const bundle = reply.parameter?.[0]?.resource as Bundle;
      const draft = bundle.entry?.map(({ resource }) => resource).find((one): one is QuestionnaireResponse => one?.resourceType === 'QuestionnaireResponse');
      expect(draft && linkIds(await next(draft, version))).toEqual(['complaint', 'indication', 'onset', 'warning-signs']);
    }
  });
  it('extensions and resources that the payer does not know survive', async () => {
    const own: Extension = { url: 'http://example.org/own', valueString: 'x' };
    const received = await next({ ...start('2.0.1'), extension: [...(start('2.0.1').extension ?? []), own], contained: [...(start('2.0.1').contained ?? []), { resourceType: 'Organization', id: 'org', name: 'x' }] });
    expect(received.extension).toContainEqual(own);
    expect(received.contained?.map(({ id }) => id)).toEqual(['form', 'org']);
  });
});

describe('going back', () => {
  it('an earlier answer that leads elsewhere takes its questions away, and asks the others', async () => {
    const treatment = await next(answered(await next(start('2.0.1')), COMPLAINT));
    expect(linkIds(treatment)).toContain('treatments');
    const back = await next(answered(treatment, { 'warning-signs': local('weakness') }));
    expect(linkIds(back)).toEqual(['complaint', 'indication', 'onset', 'warning-signs', 'warning-sign', 'warning-sign-found', 'warning-sign-finding', 'examined']);
    expect(answersOf(back, 'indication')).toHaveLength(1);
  });
  it('the same answers sent again give the same number', async () => {
    const states = await play({ ...COMPLAINT, ...TREATED });
    const before = states.at(-2) as QuestionnaireResponse;
    const [a, b] = [await next(before), await next(before)];
    expect(a).toEqual(b);
  });
  it('a score that was changed on the way is reckoned anew', async () => {
    const low = await play({ ...COMPLAINT, ...TREATED, weeks: [{ valueInteger: 2 }] });
    const forged = answered(low.at(-2) as QuestionnaireResponse, { points: [{ valueInteger: 10 }] });
    expect(readCoverageInformation(await next(forged))[0]).toMatchObject({ paNeeded: 'auth-needed' });
  });
});

describe('what a determination is known by', () => {
  it('its assertion id is a context for the caller it was given to, and for nobody else', async () => {
    const states = await play({ ...COMPLAINT, ...TREATED });
    const assertionId = readCoverageInformation(states.at(-1) as QuestionnaireResponse)[0]?.assertionId;
    const coverage = { resourceType: 'Coverage', id: 'c', status: 'active', beneficiary: { reference: 'Patient/p' }, payor: [{ display: 'x' }] };
    const body = { resourceType: 'Parameters', parameter: [{ name: 'coverage', resource: coverage }, { name: 'context', valueString: assertionId }] };
    const ask = (client = bench.clients.clinic) => bench.call('POST', '/payer/fhir/Questionnaire/$questionnaire-package', { body, client });
    const mine = await ask();
    expect(mine.status).toBe(200);
    expect(JSON.stringify(await mine.json())).toContain('lumbar-spine-mri');
    expect((await ask(bench.clients.other)).status).toBe(422);
    const kept = await bench.db.selectFrom('payer.determination').select(['authorization_number']).where('assertion_id', '=', assertionId ?? '').execute();
    expect(kept).toEqual([{ authorization_number: expect.stringMatching(/^PA-/) }]);
  });
  it('a response that names no coverage is completed without a word on coverage', async () => {
    const { extension: _none, ...bare } = start('2.0.1');
    let state = await next(bare);
    while (state.status !== 'completed') state = await next(answered(state, { ...COMPLAINT, ...TREATED }));
    expect(readCoverageInformation(state)).toEqual([]);
  });
});

describe('what is refused with 400 and a useful outcome', () => {
  const first = async () => next(start('2.0.1'));
  const withForm = (response: QuestionnaireResponse, change: (form: Questionnaire) => Questionnaire): QuestionnaireResponse => ({ ...response, contained: [change(questionsOf(response))] });
  it.each<[string, () => Promise<unknown>, string, RegExp]>([
    ['no resource', async () => ({}), 'structure', /QuestionnaireResponse/],
    ['null', async () => 'null', 'structure', /./],
    ['another resource', async () => ({ resourceType: 'Bundle', type: 'collection' }), 'structure', /QuestionnaireResponse/],
    ['Parameters without it', async () => ({ resourceType: 'Parameters', parameter: [] }), 'required', /questionnaire-response/],
    ['parts that are null', async () => ({ resourceType: 'Parameters', parameter: [null] }), 'required', /questionnaire-response/],
    ['two of it', async () => ({ resourceType: 'Parameters', parameter: [{ name: 'questionnaire-response', resource: start('2.0.1') }, { name: 'questionnaire-response', resource: start('2.0.1') }] }), 'required', /One/],
    ['no valid response', async () => ({ ...start('2.0.1'), status: 'begun' }), 'structure', /status|begun/],
    ['items that are no list', async () => ({ ...start('2.0.1'), item: 3 }), 'structure', /./],
    ['nothing contained', async () => ({ ...start('2.0.1'), contained: undefined }), 'required', /contains/],
    ['a canonical where #id is wanted', async () => ({ ...start('2.0.1'), questionnaire: FORM }), 'required', /#id/],
    ['a form that is not adaptive', async () => withForm(start('2.0.1'), (form) => ({ ...form, derivedFrom: [FORM.replace('lumbar-spine-mri', 'home-oxygen')] })), 'not-found', /adaptive/],
    ['a form of somebody else', async () => withForm(start('2.0.1'), (form) => ({ ...form, derivedFrom: ['urn:other'] })), 'not-found', /derivedFrom/],
    ['derived from nothing', async () => withForm(start('2.0.1'), ({ derivedFrom: _gone, ...form }) => form), 'not-found', /derivedFrom/],
    ['a required question that is not answered', async () => answered(await first(), { ...COMPLAINT, onset: [] }), 'required', /Since when.*must be answered/],
    ['nothing answered at all', async () => first(), 'required', /Diagnosis/],
    ['an answer of another type', async () => answered(await first(), { ...COMPLAINT, onset: [{ valueString: 'long ago' }] }), 'value', /type date/],
    ['an answer that is no option', async () => answered(await first(), { ...COMPLAINT, 'warning-signs': local('thirst') }), 'value', /one of its options/],
    ['an answer that excludes the others', async () => answered(await first(), { ...COMPLAINT, 'warning-signs': local('none', 'cancer') }), 'value', /excludes/],
    ['two answers where one is taken', async () => answered(await first(), { ...COMPLAINT, onset: [{ valueDate: '2026-01-01' }, { valueDate: '2026-01-02' }] }), 'value', /one answer/],
    ['a number out of range', async () => answered(await next(answered(await first(), COMPLAINT)), { ...TREATED, pain: [{ valueInteger: 11 }] }), 'value', /10 or less/],
    ['a question that was never asked', async () => ({ ...answered(await first(), COMPLAINT), item: [...(answered(await first(), COMPLAINT).item ?? []), { linkId: 'own', text: 'x' }] }), 'structure', /not asked/],
    ['no information-origin', async () => JSON.parse(JSON.stringify(answered(await first(), COMPLAINT)).replaceAll('information-origin', 'none')) as unknown, 'required', /information-origin/],
    ['an origin without its author: dtrx-1', async () => JSON.parse(JSON.stringify(answered(await first(), COMPLAINT)).replaceAll('"author","extension"', '"writer","extension"')) as unknown, 'invariant', /dtrx-1/],
    ['a contained form with a question less', async () => { const state = answered(await first(), COMPLAINT); return withForm(state, (form) => ({ ...form, item: form.item?.map((group) => ({ ...group, item: group.item?.slice(1) ?? [] })) ?? [] })); }, 'business-rule', /unchanged/],
    ['a contained form with other words', async () => JSON.parse(JSON.stringify(answered(await first(), COMPLAINT)).replace('"text":"Warning signs","type"', '"text":"Nothing","type"')) as unknown, 'business-rule', /unchanged/],
    ['a completed response', async () => (await play({ ...COMPLAINT, ...TREATED })).at(-1), 'business-rule', /answered already/],
  ])('%s', async (_name, body, code, words) => {
    const reply = await send(await body());
    expect(reply.status).toBe(400);
    expect(reply.body.resourceType).toBe('OperationOutcome');
    expect(reply.body.issue?.map((issue) => issue.code)).toContain(code);
    expect(reply.body.issue?.map(({ details }) => details.text).join('\n')).toMatch(words);
    expect(JSON.stringify(reply.body)).not.toMatch(/long ago|node_modules|\.ts:/);
  });

  it('2.2.0 takes its own origins only', async () => {
    const state = await next(start('2.2.0'), '2.2.0');
    const auto = JSON.parse(JSON.stringify(answered(state, COMPLAINT)).replaceAll('"valueCode":"manual"', '"valueCode":"auto"')) as QuestionnaireResponse;
    const reply = await send(auto, '2.2.0');
    expect([reply.status, reply.body.issue?.[0]?.code]).toEqual([400, 'code-invalid']);
  });

  it('another content type, a body that is too large, no token', async () => {
    const path = `${bench.baseUrl}/payer/fhir/Questionnaire/$next-question`;
    expect((await fetch(path, { method: 'POST', body: '{}', headers: { 'content-type': 'application/fhir+json' } })).status).toBe(401);
    expect((await bench.call('POST', '/payer/fhir/Questionnaire/$next-question', { body: 'x', headers: { 'content-type': 'text/plain' } })).status).toBe(415);
    expect((await bench.call('POST', '/payer/fhir/Questionnaire/$next-question', { body: { x: 'y'.repeat(2_200_000) } })).status).toBe(413);
  });
});

it('says of itself what it offers at both addresses', async () => {
  for (const base of Object.values(BASES)) {
    const statement = (await (await fetch(`${bench.baseUrl}${base}/metadata`)).json()) as Resource;
    expect(errorsOf(statement)).toEqual([]);
    expect(JSON.stringify(statement)).toContain('next-question');
  }
});
