import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openValidator } from '#fhir/validation/validator.ts';
import { loadPolicies } from '#policies/load-policies.ts';
import { type Policy, policySchema } from '#prior-auth/coverage-requirement/policy.ts';
import { createPolicyLibrary } from '#prior-auth/coverage-requirement/policy-library.ts';
import type { PolicyResponse } from '#prior-auth/coverage-requirement/policy-response.ts';
import { type HookReply, type RunningCdsHooks, runCdsHooks } from '../../test-fixtures/running-cds-hooks.ts';
import type { Action, Card } from '../hook-answer.ts';
import type { CrdVersion } from '../hook-call.ts';

const HCPCS = 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets';
const CPT = 'http://www.ama-assn.org/go/cpt';
const ECHO = { resourceType: 'ServiceRequest', code: { system: CPT, code: '93306', display: 'Echocardiogram' } };
const WALKER = { resourceType: 'DeviceRequest', code: { system: HCPCS, code: 'E0143', display: 'Folding walker' } };
const FORM = 'https://payer.openpriorauth.org/fhir/Questionnaire/pap-trial-report|1.0.0';

/** One policy for each code, each with one response. */
const RESPONSES: Readonly<Record<string, object>> = {
  E9001: { type: 'external-reference', links: [{ label: 'The rule', url: 'https://payer.example/rule' }] },
  E9002: { type: 'external-reference' },
  E9003: { type: 'instructions', detail: 'Send the report of {{service}} to {{payer}}.' },
  E9004: { type: 'propose-alternate', alternatives: [{ label: 'Three months', recommended: true, change: { set: { parameter: [{ valueQuantity: { value: 3, unit: 'months' } }] } } }, { label: 'A walker', recommended: true, replaceBy: WALKER }] },
  E9005: { type: 'additional-orders', orders: [{ label: 'Echocardiogram first', recommended: true, order: ECHO }, { label: 'A walker, too', order: WALKER }] },
  E9006: { type: 'additional-orders', together: true, orders: [{ label: 'Echocardiogram', order: ECHO }, { label: 'A walker', order: WALKER }] },
  E9007: { type: 'form-completion', questionnaire: FORM, label: 'Fill in the report', afterCompletion: 'prior-auth-include' },
  E9008: { type: 'form-completion', questionnaire: 'https://payer.example/fhir/Questionnaire/x|1', label: 'Fill in x', afterCompletion: 'initial-claim-include', as: 'system-action' },
  E9009: { type: 'update-coverage', label: 'Take the plan over', change: { set: { dependent: '01' }, compute: { subscriberId: "identifier.where(type.coding.code = 'MB').value.first()" } } },
  E9010: { type: 'update-coverage', label: 'Add the second plan', action: 'create', change: { set: { subscriberId: 'M2' } } },
  E9011: { type: 'launch-app', app: { label: 'Open', url: 'https://payer.example/launch', context: { order: '{{order}}', coverage: '{{coverage}}', patient: '{{patient}}' } } },
  E9012: { type: 'update-coverage', label: 'Mark it', as: 'system-action', change: { set: { dependent: '02' } } },
  E9013: { type: 'update-coverage', label: 'Mark it otherwise', as: 'system-action', change: { set: { dependent: '03' } } },
};

const library = createPolicyLibrary(
  Object.entries(RESPONSES).map(([code, response]) => policyOf(code, response)),
  { covered: 'covered', authorization: 'no-auth' },
  [loadPolicies().form(FORM)].flatMap((form) => form ?? []),
);

function policyOf(code: string, response: object): Policy {
  return policySchema.parse({
    id: `policy-${code.toLowerCase()}`, title: `Policy of ${code}`, family: 'test', payers: ['*'],
    revisions: [{
      revision: '1', effectiveFrom: '2020-01-01', source: { title: 'A source', url: 'https://payer.example/source' }, services: [{ system: HCPCS, codes: [code] }],
      covered: 'covered', authorization: 'no-auth', documentation: null, questionnaires: [], criteria: [], decision: null, instructions: null,
      responses: [{ id: 'the-response', when: { criteria: 'always' }, summary: 'About {{service}} ({{code}})', ...response }],
    }],
  });
}

let service: RunningCdsHooks;
beforeAll(async () => {
  service = await runCdsHooks({ policies: library });
});
afterAll(() => service.stop());

const patient = { resourceType: 'Patient', id: 'p1', name: [{ family: 'Testa' }], gender: 'female', address: [{ state: 'WA' }] };
const coverage = { resourceType: 'Coverage', id: 'c1', meta: { versionId: '3' }, status: 'active', identifier: [{ type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MB' }] }, value: 'M1' }], beneficiary: { reference: 'Patient/p1' }, relationship: { coding: [{ code: 'self' }] }, payor: [{ reference: 'Organization/o1' }] };
const organization = { resourceType: 'Organization', id: 'o1', active: true, name: 'Centers for Medicare and Medicaid Services' };
const bundle = (...resources: readonly object[]) => ({ resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ resource })) });
const device = (code: string, more: object = {}) => ({ resourceType: 'DeviceRequest', id: 'd1', status: 'draft', intent: 'order', authoredOn: '2026-11-22', subject: { reference: 'Patient/p1' }, requester: { reference: 'Practitioner/u1' }, codeCodeableConcept: { text: 'A *device*', coding: [{ system: HCPCS, code }] }, ...more });
const call = (version: CrdVersion, orders: readonly object[], more: { readonly hook?: string; readonly configuration?: object; readonly selections?: readonly string[] } = {}) => ({
  hook: more.hook ?? 'order-sign', hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea',
  context: { userId: 'Practitioner/u1', patientId: 'p1', draftOrders: bundle(...orders), ...(more.selections ? { selections: more.selections } : {}) },
  prefetch: { patient, coverage: bundle(coverage, organization) },
  extension: { 'davinci-crd.requestedVersion': version, ...(more.configuration ? { 'davinci-crd.configuration': more.configuration } : {}) },
});
const ask = (version: CrdVersion, orders: readonly object[], more: Parameters<typeof call>[2] = {}): Promise<HookReply> => service.post(`${more.hook ?? 'order-sign'}-crd`, call(version, orders, more));
const cardsOf = (reply: HookReply) => reply.cards as unknown as readonly Card[];
const otherActions = (reply: HookReply) => (reply.systemActions as unknown as readonly Action[]).filter(({ resource }) => resource?.resourceType !== 'DeviceRequest');
const actionsOf = (card: Card | undefined) => (card?.suggestions ?? []).map(({ actions }) => actions);

const VALIDATORS = { '2.0': openValidator(['crd-2.0.1']), '2.2': openValidator(['crd-2.2.0-preview']) };
const PROFILES: Readonly<Record<string, string>> = { DeviceRequest: 'devicerequest', ServiceRequest: 'servicerequest', Task: 'taskquestionnaire', Coverage: 'coverage' };
const errors = (version: CrdVersion, resource: Resource): readonly string[] => {
  const name = PROFILES[resource.resourceType];
  const { issues } = VALIDATORS[version].validate(resource, name ? { profile: `http://hl7.org/fhir/us/davinci-crd/StructureDefinition/profile-${name}` } : {});
  return issues.filter(({ severity }) => severity === 'error').map(({ path, message }) => `${path} ${message}`);
};

describe.each(['2.0', '2.2'] as const)('CRD %s', (version) => {
  const topics = { '2.0': 'http://hl7.org/fhir/us/davinci-crd/CodeSystem/temp', '2.2': 'http://terminology.hl7.org/CodeSystem/cdshooks-card-type' }[version];

  it.each(Object.keys(RESPONSES))('%s: the form of the card', async (code) => {
    const reply = await ask(version, [device(code)]);
    expect(reply.status).toBe(200);
    for (const card of cardsOf(reply)) {
      expect(card.summary).toBe(`About A *device* (${code})`);
      expect(card.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(card.source).toMatchObject({ label: 'Cascade Medicare Administrative Contractor (synthetic)', topic: { system: topics, code: expect.not.stringMatching(/coverage-info/) } });
      expect(card.detail).toContain('**A \\*device\\***');
      expect(card.extension['davinci-crd.associated-resource']).toEqual(version === '2.0' ? ['DeviceRequest/d1'] : [{ reference: 'DeviceRequest/d1' }]);
    }
    const created = [...cardsOf(reply).flatMap((card) => actionsOf(card).flat()), ...otherActions(reply)].flatMap(({ resource }) => resource ?? []);
    expect(created.flatMap((resource) => errors(version, resource))).toEqual([]);
  });

  it('external reference: absolute links, nothing else (kit crd_external_reference_card_validation)', async () => {
    const [named] = cardsOf(await ask(version, [device('E9001')]));
    expect(named).toMatchObject({ links: [{ label: 'The rule', url: 'https://payer.example/rule', type: 'absolute' }] });
    expect(named).not.toHaveProperty('suggestions');
    const [source] = cardsOf(await ask(version, [device('E9002')]));
    expect(source?.links).toEqual([{ label: 'A source', url: 'https://payer.example/source', type: 'absolute' }]);
  });
  it('instructions: neither links nor suggestions, and a detail (kit crd_valid_instructions_card_received)', async () => {
    const [card] = cardsOf(await ask(version, [device('E9003')]));
    expect(card).not.toHaveProperty('links');
    expect(card).not.toHaveProperty('suggestions');
    expect(card?.detail).toContain('Send the report of A \\*device\\* to Cascade');
  });
  it('propose alternate: one update of the draft, or delete and create of its type (kit crd_propose_alternate_request_card_validation)', async () => {
    const [card] = cardsOf(await ask(version, [device('E9004', { note: [{ text: 'kept' }] })]));
    expect(card?.selectionBehavior).toBe('at-most-one');
    expect(card?.suggestions?.map(({ isRecommended }) => isRecommended)).toEqual([true, undefined]);
    const [change, replacement] = actionsOf(card);
    expect(change).toMatchObject([{ type: 'update', description: 'Three months', resource: { resourceType: 'DeviceRequest', id: 'd1', note: [{ text: 'kept' }], parameter: [{ valueQuantity: { value: 3 } }] } }]);
    expect(replacement).toMatchObject([{ type: 'delete', resourceId: 'DeviceRequest/d1', description: expect.any(String) }, { type: 'create', resource: { resourceType: 'DeviceRequest', status: 'draft', subject: { reference: 'Patient/p1' }, requester: { reference: 'Practitioner/u1' }, codeCodeableConcept: { coding: [{ code: 'E0143' }] }, insurance: [{ reference: 'Coverage/c1' }] } }]);
    expect(replacement?.[0]).not.toHaveProperty('resource');
    expect(replacement?.[1]?.resource).not.toHaveProperty('id');
  });
  it('propose alternate: nothing that is so already, nor another type', async () => {
    const already = device('E9004', { parameter: [{ valueQuantity: { value: 3, unit: 'months' } }] });
    expect(actionsOf(cardsOf(await ask(version, [already]))[0]).map(([first]) => first?.type)).toEqual(['delete']);
    const alsoOrdered = device('E0143', { id: 'd2' });
    expect(cardsOf(await ask(version, [already, alsoOrdered]))).toEqual([]);
  });
  it('propose alternate: what an earlier answer said of the draft is not taken along', async () => {
    const before = await ask(version, [device('E9004')]);
    const answered = before.systemActions[0]?.resource as unknown as object;
    const [change] = actionsOf(cardsOf(await ask(version, [answered]))[0]);
    expect(answered).toHaveProperty('extension');
    expect(change?.[0]?.resource).not.toHaveProperty('extension');
  });
  it('additional orders: creates only, each by itself (kit crd_additional_orders_card_validation)', async () => {
    const [card] = cardsOf(await ask(version, [device('E9005', { reasonCode: [{ text: 'why' }], encounter: { reference: 'Encounter/e1' } })]));
    expect(card?.selectionBehavior).toBe('any');
    expect(actionsOf(card)).toMatchObject([[{ type: 'create', resource: { resourceType: 'ServiceRequest', status: 'draft', reasonCode: [{ text: 'why' }], encounter: { reference: 'Encounter/e1' } } }], [{ type: 'create', resource: { resourceType: 'DeviceRequest' } }]]);
    expect(new Set([card?.uuid, ...(card?.suggestions ?? []).map(({ uuid }) => uuid)]).size).toBe(3);
  });
  it('additional orders: all or none', async () => {
    const [card] = cardsOf(await ask(version, [device('E9006')]));
    expect(card?.suggestions).toHaveLength(1);
    expect(card?.suggestions?.[0]).toMatchObject({ label: 'Echocardiogram, A walker', actions: [{ type: 'create' }, { type: 'create' }] });
  });
  it('additional orders: not what is ordered already, and once in an answer', async () => {
    const both = await ask(version, [device('E9005'), device('E0143', { id: 'd2' }), device('E9006', { id: 'd3' })]);
    expect(cardsOf(both).flatMap((card) => actionsOf(card).flat()).map(({ resource }) => resource?.resourceType)).toEqual(['ServiceRequest']);
  });
  it('additional orders: not what is among the drafts without being selected', async () => {
    const reply = await ask(version, [device('E9005'), device('E0143', { id: 'd2' })], { hook: 'order-select', selections: ['DeviceRequest/d1'] });
    expect(cardsOf(reply).flatMap((card) => actionsOf(card).flat()).map(({ resource }) => resource?.resourceType)).toEqual(['ServiceRequest']);
  });
  it('request form completion: Task and, unless the client has it, the form (kit crd_request_form_completion_response_validation)', async () => {
    const [card] = cardsOf(await ask(version, [device('E9007')]));
    const [actions] = actionsOf(card);
    expect(actions).toMatchObject([
      { type: 'create', description: expect.any(String), resource: { resourceType: 'Questionnaire', version: '1.0.0' }, extension: { 'davinci-crd.if-none-exist': 'url=https://payer.openpriorauth.org/fhir/Questionnaire/pap-trial-report&version=1.0.0' } },
      { type: 'create', description: 'Fill in the report', resource: { resourceType: 'Task', status: 'ready', intent: 'order', code: { coding: [{ code: 'complete-questionnaire' }] }, basedOn: [{ reference: 'DeviceRequest/d1' }], for: { reference: 'Patient/p1' }, requester: { reference: 'Organization/o1' } } },
    ]);
    const task = actions?.[1]?.resource as unknown as { input: { type: { text: string }; valueCanonical?: string }[] };
    expect(task.input.map(({ type, valueCanonical }) => [type.text, valueCanonical])).toEqual([['questionnaire', FORM], ...(version === '2.0' ? [['after completion', undefined]] : [])]);
  });
  it('request form completion as a system action', async () => {
    const reply = await ask(version, [device('E9008')]);
    expect(cardsOf(reply)).toEqual([]);
    expect(otherActions(reply)).toMatchObject([{ type: 'create', description: 'Fill in x', resource: { resourceType: 'Task' } }]);
  });
  it('update coverage: one suggestion, one action; once for a coverage (kit crd_create_or_update_coverage_info_response_validation)', async () => {
    const cards = cardsOf(await ask(version, [device('E9009'), device('E9009', { id: 'd2' })]));
    expect(cards).toHaveLength(1);
    expect(actionsOf(cards[0])).toEqual([[{ type: 'update', description: 'Take the plan over', resource: { ...coverage, dependent: '01', subscriberId: 'M1' } }]]);
    expect(otherActions(await ask(version, [device('E9012')]))).toMatchObject([{ type: 'update', resource: { resourceType: 'Coverage', id: 'c1', dependent: '02' } }]);
  });
  it('update coverage: of two system actions on one coverage the second is a card', async () => {
    const reply = await ask(version, [device('E9012'), device('E9013', { id: 'd2' })]);
    expect(otherActions(reply)).toMatchObject([{ resource: { dependent: '02' } }]);
    expect(actionsOf(cardsOf(reply)[0])).toMatchObject([[{ resource: { dependent: '03' } }]]);
  });
  it('create coverage: until 2.2', async () => {
    const created = cardsOf(await ask(version, [device('E9010')])).flatMap((card) => actionsOf(card).flat());
    const { id: _id, meta: _meta, ...asNew } = coverage;
    expect(created).toEqual(version === '2.2' ? [] : [{ type: 'create', description: 'Add the second plan', resource: { ...asNew, subscriberId: 'M2' } }]);
  });
  it('launch SMART app: a smart link with its context (kit crd_launch_smart_app_card_validation)', async () => {
    const [card] = cardsOf(await ask(version, [device('E9011')]));
    expect(card).not.toHaveProperty('suggestions');
    expect(card?.links).toEqual([{ label: 'Open', url: 'https://payer.example/launch', type: 'smart', appContext: '{"order":"DeviceRequest/d1","coverage":"Coverage/c1","patient":"Patient/p1"}' }]);
  });
});

describe('when a response is given', () => {
  it('not when its topic is switched off', async () => {
    expect(cardsOf(await ask('2.0', [device('E9003')], { configuration: { guideline: false } }))).toEqual([]);
    expect(otherActions(await ask('2.0', [device('E9008')], { configuration: { claim: false } }))).toEqual([]);
  });
  it('at secondary hooks, too', async () => {
    const reply = await ask('2.0', [device('E9004')], { hook: 'order-select', selections: ['DeviceRequest/d1'] });
    expect(cardsOf(reply)).toHaveLength(1);
  });
});

describe('the library that ships', () => {
  let shipped: RunningCdsHooks;
  beforeAll(async () => {
    shipped = await runCdsHooks();
  });
  afterAll(() => shipped.stop());
  const service1 = (code: string) => ({ resourceType: 'ServiceRequest', id: 's1', status: 'draft', intent: 'order', authoredOn: '2026-11-22', subject: { reference: 'Patient/p1' }, requester: { reference: 'Practitioner/u1' }, code: { coding: [{ system: CPT, code }] } });
  const monthsOf = (value: number) => device('E0601', { parameter: [{ code: { text: 'Quantity' }, valueQuantity: { value, unit: 'months' } }] });
  const echo = { resourceType: 'DiagnosticReport', id: 'r1', status: 'final', code: { text: 'Transthoracic echocardiogram' }, subject: { reference: 'Patient/p1' } };
  /** Summaries of the cards that policies made. */
  const summaries = async (order: object, more: { readonly coverage?: object; readonly reports?: object; readonly hook?: 'order-sign' | 'order-select' } = {}) => {
    const base = call('2.0', [order], more.hook === 'order-select' ? { hook: more.hook, selections: ['ServiceRequest/s1'] } : {});
    const record = { conditions: null, observations: null, procedures: null, reports: more.reports ?? null, documents: null, medications: null };
    const reply = await shipped.post(`${more.hook ?? 'order-sign'}-crd`, { ...base, prefetch: { ...base.prefetch, ...record, ...(more.coverage ? { coverage: bundle({ ...coverage, ...more.coverage }, organization) } : {}) } });
    expect(reply.status).toBe(200);
    return cardsOf(reply).filter(({ source }) => source.topic.system === 'http://hl7.org/fhir/us/davinci-crd/CodeSystem/temp' && !source.topic.code.startsWith('denial')).map(({ summary }) => summary);
  };
  const own = { subscriberId: 'M1' };
  it.each<[string, object, Parameters<typeof summaries>[1], RegExp, boolean]>([
    ['an echocardiogram before the MRI', service1('75561'), { coverage: own }, /^An echocardiogram comes before/, true],
    ['none where there was one', service1('75561'), { coverage: own, reports: bundle(echo) }, /^An echocardiogram comes before/, false],
    ['but what it left open', service1('75561'), { coverage: own, reports: bundle(echo) }, /^Say why the echocardiogram/, true],
    ['guidelines for the MRI', service1('75561'), { coverage: own }, /^When a cardiac MRI/, true],
    ['an exercise ECG instead of imaging', service1('78452'), { coverage: own }, /^An exercise ECG without imaging/, true],
    ['the app at selection', service1('78452'), { coverage: own, hook: 'order-select' }, /^Check whether imaging/, true],
    ['no app at signing', service1('78452'), { coverage: own }, /^Check whether imaging/, false],
    ['the trial, for a longer rental', monthsOf(13), { coverage: own }, /^The first rental is a trial/, true],
    ['no trial card for three months', monthsOf(3), { coverage: own }, /^The first rental is a trial/, false],
    ['the report after the trial', monthsOf(3), { coverage: own }, /^After the trial/, true],
    ['the member id among the identifiers', device('E9999'), {}, /^The member id stands only/, true],
    ['not where it is in its place', device('E9999'), { coverage: own }, /^The member id/, false],
    ['a coverage that has ended', device('E9999'), { coverage: { ...own, period: { end: '2025-12-31' } } }, /^The coverage has ended/, true],
    ['a coverage that has ended and is marked so', device('E9999'), { coverage: { ...own, status: 'cancelled', period: { end: '2025-12-31' } } }, /^The coverage has ended/, false],
    ['not one that ends today', device('E9999'), { coverage: { ...own, period: { end: '2026-11-22' } } }, /^The coverage has ended/, false],
  ])('%s', async (_name, order, more, summary, given) => {
    const found = await summaries(order, more);
    expect(found.some((each) => summary.test(each))).toBe(given);
  });
  const policies = loadPolicies();
  const all = [...policies.policies.flatMap(({ revisions }) => revisions.flatMap(({ responses = [] }) => responses)), ...(policies.default.everyOrder ?? [])];
  it.each<PolicyResponse['type']>(['external-reference', 'instructions', 'propose-alternate', 'additional-orders', 'form-completion', 'update-coverage', 'launch-app'])('has an example of %s', (type) => {
    expect(all.filter((response) => response.type === type)).not.toEqual([]);
  });
});
