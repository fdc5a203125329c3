import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import { readCoverageInformation } from '#fhir/crd/coverage-information.ts';
import { readRequirement } from '#prior-auth/coverage-requirement/read-requirement.ts';
import { type HookReply, type RunningCdsHooks, runCdsHooks } from '../test-fixtures/running-cds-hooks.ts';

/* What an order carries already, which coverage it is answered under, and what comes beside it. */

const bundle = (...resources: readonly object[]) => ({ resourceType: 'Bundle', type: 'searchset', entry: resources.map((resource) => ({ resource })) });
const coverage = (id = 'c1', more: object = {}) => ({ resourceType: 'Coverage', id, status: 'active', beneficiary: { reference: 'Patient/p1' }, payor: [{ display: 'Medicare' }], ...more });
const order = (more: object = {}) => ({
  resourceType: 'DeviceRequest', id: 'd1', status: 'draft', intent: 'order', codeCodeableConcept: { coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'E1390' }] },
  subject: { reference: 'Patient/p1' }, requester: { reference: 'Practitioner/u1' }, authoredOn: '2026-11-22', ...more,
});
const chart = { conditions: null, observations: null, procedures: null, reports: null, documents: null, medicationHistory: null };
const prefetch = (more: object = {}) => ({ patient: { resourceType: 'Patient', id: 'p1', birthDate: '1950-01-01', address: [{ state: 'WA' }] }, coverage: bundle(coverage()), ...chart, ...more });
const call = (hook: string, resources: readonly object[], { version = '2.0', extension = {}, ...more }: Readonly<Record<string, unknown>> = {}) => ({
  hook, hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea',
  context: { userId: 'Practitioner/u1', patientId: 'p1', draftOrders: bundle(...resources), ...(hook === 'order-select' ? { selections: resources.map((each) => `${(each as { resourceType: string }).resourceType}/${(each as { id: string }).id}`) } : {}) },
  prefetch: prefetch(), extension: { 'davinci-crd.requestedVersion': version, ...(extension as object) }, ...more,
});
const information = (of: string, assertion: string, more: readonly object[] = []) => ({
  url: CRD_URLS.coverageInformation,
  extension: [{ url: 'coverage', valueReference: { reference: of } }, { url: 'covered', valueCode: 'covered' }, ...(more.length > 0 ? more : [{ url: 'pa-needed', valueCode: 'no-auth' }]), { url: 'date', valueDate: '2026-11-20' }, { url: 'coverage-assertion-id', valueString: assertion }],
});
const satisfied = [{ url: 'pa-needed', valueCode: 'satisfied' }, { url: 'satisfied-pa-id', valueString: 'PA123' }];

let service: RunningCdsHooks;
beforeAll(async () => {
  service = await runCdsHooks();
});
afterAll(() => service.stop());
const sign = (resources: readonly object[], more: Readonly<Record<string, unknown>> = {}) => service.post('order-sign-crd', call('order-sign', resources, more));
const select = (resources: readonly object[], more: Readonly<Record<string, unknown>> = {}) => service.post('order-select-crd', call('order-select', resources, more));
const topics = ({ cards }: HookReply) => cards.map((card) => card.source.topic.code);
const returned = ({ systemActions }: HookReply) => systemActions[0]?.resource as object;
const carried = (reply: HookReply) => readCoverageInformation(returned(reply));

describe('an order that carries answers', () => {
  it.each(['2.0', '2.2'].flatMap((version) => [['c2', 'c2'], ['c2', 'c3']].map((coverages) => [version, coverages] as const)))('of other coverages (%s, %s) is answered; how they stand to one another is not this answer’s', async (version, [one, other]) => {
    const reply = await sign([order({ extension: [information(`Coverage/${one}`, 'a'), information(`Coverage/${other}`, one === other ? 'b' : 'a')] })], { version });
    expect(carried(reply).map((each) => each.coverage)).toEqual([`Coverage/${one}`, `Coverage/${other}`, 'Coverage/c1']);
    expect(await service.keptBack()).toEqual([]);
  });
  it.each<[string, (kept: string) => string]>([
    ['an address before the reference', (kept) => kept.replace('"reference":"Coverage/c1"', '"reference":"https://ehr.example/fhir/Coverage/c1"')],
    ['a display beside the reference', (kept) => kept.replace('"reference":"Coverage/c1"', '"reference":"Coverage/c1","display":"Medicare"')],
    ['ids of elements', (kept) => kept.replace('{"url":"covered"', '{"id":"e1","url":"covered"')],
  ])('kept with %s is not answered again', async (_name, keep) => {
    const before = returned(await sign([order()]));
    const reply = await sign([JSON.parse(keep(JSON.stringify(before))) as object]);
    expect([reply.status, reply.systemActions]).toEqual([200, []]);
  });
  it('keeps the form’s response that the client put beside the answer', async () => {
    const before = returned(await sign([order()])) as { extension: { extension: object[] }[] };
    before.extension[0]?.extension.push({ url: 'response', valueReference: { reference: 'QuestionnaireResponse/qr1' } });
    expect((await sign([before], {})).systemActions).toEqual([]);
  });
  it('is not answered with less at order-select than signing said', async () => {
    const before = returned(await sign([order()]));
    expect((await select([before])).systemActions).toEqual([]);
    expect(readRequirement(returned(await select([order()])) as never)).toMatchObject([{ paNeeded: 'auth-needed', questionnaires: [] }]);
  });
  it('keeps an authorization that the payer gave, with its number, until it expires, and nothing is asked for', async () => {
    const reply = await sign([order({ extension: [information('Coverage/c1', 'payer-7', satisfied)] })]);
    expect([reply.status, reply.systemActions, topics(reply)]).toEqual([200, [], []]);
    expect((await sign([order({ extension: [information('Coverage/c1', 'payer-7', [...satisfied, { url: 'expiry-date', valueDate: '2026-11-22' }])] })])).systemActions).toEqual([]);
    expect(carried(await sign([order({ extension: [information('Coverage/c1', 'payer-7', [...satisfied, { url: 'expiry-date', valueDate: '2026-11-21' }])] })]))).toMatchObject([{ coverage: 'Coverage/c1', paNeeded: 'auth-needed' }]);
    const elsewhere = await sign([order({ extension: [information('Coverage/c9', 'payer-7', satisfied)] })]);
    expect(carried(elsewhere).map(({ coverage: of, paNeeded }) => [of, paNeeded])).toEqual([['Coverage/c9', 'satisfied'], ['Coverage/c1', 'auth-needed']]);
  });
});

describe('several codes', () => {
  const cpt = (...codes: readonly string[]) => codes.map((code) => ({ system: 'http://www.ama-assn.org/go/cpt', code }));
  it.each<[string, object]>([
    ['in one code', { code: { coding: cpt('93000', '75561') } }],
    ['in the detail', { code: { coding: cpt('93000') }, orderDetail: [{ coding: cpt('75561') }] }],
  ])('%s: an authorization that one of them needs is needed', async (_name, code) => {
    const { codeCodeableConcept: _device, ...rest } = order({ resourceType: 'ServiceRequest', id: 's1', ...code });
    const reply = await sign([rest], { prefetch: prefetch({ coverage: bundle(coverage('c1', { payor: [{ display: 'Evergreen Health Plan' }] })) }) });
    expect(readRequirement(returned(reply) as never)).toMatchObject([{ paNeeded: 'auth-needed' }]);
  });
});

describe('denial-risk cards at select and sign', () => {
  it('one that did not leave at select is shown at sign', async () => {
    const drafts = [order({ id: 'x1' }), order({ id: 'x2' }), order({ id: 'x3' })];
    const picked = await select(drafts, { extension: { 'davinci-crd.configuration': { 'max-cards': 1 } } });
    expect(picked.cards).toHaveLength(1);
    const signed = await sign(drafts);
    expect(topics(signed).filter((topic) => topic === 'denial-risk')).toHaveLength(topics(picked).includes('denial-risk') ? 2 : 3);
  });
});

describe('the coverage', () => {
  it.each<[string, object]>([
    ['a page that cannot be read', { ...bundle(), link: [{ relation: 'next', url: 'https://ehr.example/fhir?page=2' }] }],
    ['a search that failed', bundle({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'exception' }] })],
  ])('is not said to be none by %s', async (_name, given) => {
    expect((await sign([order()], { prefetch: prefetch({ coverage: given }) })).status).toBe(412);
  });
  it('is said to be none by a search that found none, whatever it remarks', async () => {
    expect((await sign([order()], { prefetch: prefetch({ coverage: bundle({ resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'not-supported' }] }) }) })).status).toBe(422);
  });
  it('that the order names is read where the search for active ones does not give it', async () => {
    service.holds([coverage('c9', { status: 'cancelled' })]);
    const withEhr = (coverages: unknown) => ({ fhirServer: service.ehrBase, fhirAuthorization: { access_token: 't', token_type: 'Bearer', expires_in: 30, scope: 'patient/*.rs', subject: 'x' }, prefetch: prefetch({ coverage: coverages }), version: '2.2' });
    const named = [order({ insurance: [{ reference: 'Coverage/c9' }] })];
    const alone = await sign(named, withEhr(null));
    expect(carried(alone)).toMatchObject([{ coverage: 'Coverage/c9', covered: 'not-covered', reasons: [{ coding: [{ code: 'no-active-coverage' }] }] }]);
    const beside = await sign(named, withEhr(bundle(coverage())));
    expect(carried(beside)).toMatchObject([{ coverage: 'Coverage/c1' }]);
    expect(JSON.stringify(returned(beside))).toContain('The coverage that the order names is not active');
  });
});

describe('what comes beside', () => {
  it.each([{}, [], 7, 'x'])('a prefetch key that nobody asked for holding %j breaks nothing', async (value) => {
    expect((await sign([order()], { prefetch: prefetch({ unknownKey: value }) })).status).toBe(200);
    expect((await sign([order()], { prefetch: prefetch({ coverage: value }) })).status).toBe(422);
  });
  it('a drug among the drafts, without an id or as what an order names', async () => {
    const drug = { resourceType: 'Medication', code: { coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'E1390' }] } };
    expect((await sign([order(), drug])).status).toBe(200);
    const { codeCodeableConcept: _device, ...prescription } = order({ resourceType: 'MedicationRequest', id: 'm1', medicationReference: { reference: 'Medication/x' } });
    expect(readRequirement(returned(await sign([prescription, { ...drug, id: 'x' }])) as never)).toMatchObject([{ paNeeded: expect.stringMatching(/auth/) }]);
    expect((await sign([{ ...order(), id: undefined }])).status).toBe(422);
  });
  it('an encounter that order-dispatch knows nothing of', async () => {
    const dispatch = { hook: 'order-dispatch', hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea', context: { patientId: 'p1', order: 'DeviceRequest/d1', performer: 'Organization/o', encounterId: {} }, prefetch: prefetch({ order: order() }) };
    expect((await service.post('order-dispatch-crd', dispatch)).status).toBe(200);
  });
});
