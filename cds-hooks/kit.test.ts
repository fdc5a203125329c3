import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCoverageInformation } from '#fhir/crd/coverage-information.ts';
import { CARD_TYPE_CODES } from '#fhir/generated/code-sets.ts';
import { type HookReply, runCdsHooks, type RunningCdsHooks } from '../test-fixtures/running-cds-hooks.ts';
import { CRD_VERSIONS, type CrdVersion, type Hook, HOOKS, PRIMARY_HOOKS } from './hook-call.ts';

/*
 * The public conformance kit's server tests by their ids, as far as they can be told without the kit: each checks again, by its own means,
 * what the kit checks. docs/conformance/crd.md says which ids are covered elsewhere.
 */

const hcpcs = (code: string) => ({ coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code }] });
const cpt = (code: string) => ({ coding: [{ system: 'http://www.ama-assn.org/go/cpt', code }] });
const subject = { reference: 'Patient/p1' };
const order = { status: 'draft', intent: 'order', authoredOn: '2026-11-22', requester: { reference: 'Practitioner/u1' }, subject };
const device = { resourceType: 'DeviceRequest', id: 'd1', ...order, codeCodeableConcept: hcpcs('E1390') };
const uncoded = { resourceType: 'ServiceRequest', id: 's1', ...order, code: { text: 'something' } };
const appointment = { resourceType: 'Appointment', id: 'a1', status: 'proposed', serviceType: [cpt('75561')], start: '2026-12-01T09:00:00Z', end: '2026-12-01T10:00:00Z', requestedPeriod: [{ start: '2026-12-01', end: '2026-12-02' }], participant: [{ actor: subject, status: 'accepted' }, { type: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'PPRF' }] }], actor: { reference: 'Practitioner/u1' }, status: 'accepted' }] };
const encounter = { resourceType: 'Encounter', id: 'e1', status: 'in-progress', identifier: [{ system: 'https://ehr.example/visits', value: '1' }], class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' }, type: [cpt('75561')], subject, location: [{ location: { reference: 'Location/l1' } }] };
const coverage = { resourceType: 'Coverage', id: 'c1', status: 'active', subscriberId: 'M1', beneficiary: subject, payor: [{ display: 'Medicare' }] };
const bundle = (...resources: readonly object[]) => ({ resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ resource })) });
const person = { userId: 'Practitioner/u1', patientId: 'p1' };
const CONTEXTS: { readonly [H in Hook]: object } = {
  'order-sign': { ...person, draftOrders: bundle(device, uncoded) },
  'order-select': { ...person, draftOrders: bundle(device), selections: ['DeviceRequest/d1'] },
  'order-dispatch': { patientId: 'p1', performer: 'Organization/o1', order: 'DeviceRequest/d1' },
  'appointment-book': { ...person, appointments: bundle(appointment) },
  'encounter-start': { ...person, encounterId: 'e1' },
  'encounter-discharge': { ...person, encounterId: 'e1' },
};
const patient = { resourceType: 'Patient', id: 'p1', address: [{ state: 'WA' }] };
const prefetch = { patient, coverage: bundle(coverage), order: device, encounter };

let service: RunningCdsHooks;
const replies = new Map<string, HookReply>();
const ask = (hook: Hook, more: object = {}): Promise<HookReply> => service.post(`${hook}-crd`, { hook, hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea', context: CONTEXTS[hook], prefetch, ...more });
const inVersion = (version: CrdVersion) => ({ extension: { 'davinci-crd.requestedVersion': version } });
const reply = (hook: Hook, version: CrdVersion): HookReply => replies.get(`${hook} ${version}`) ?? { status: 0, text: '', cards: [], systemActions: [] };
const information = ({ systemActions }: HookReply) => systemActions.flatMap(({ resource }) => readCoverageInformation(resource as Parameters<typeof readCoverageInformation>[0]));
const all = (): readonly HookReply[] => [...replies.values()];

beforeAll(async () => {
  service = await runCdsHooks();
  for (const hook of HOOKS) for (const version of CRD_VERSIONS) replies.set(`${hook} ${version}`, await ask(hook, inVersion(version)));
});
afterAll(() => service.stop());

type Loose = Readonly<Record<string, unknown>>;
const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const list = (value: unknown): readonly Loose[] => (value === undefined ? [] : (value as readonly Loose[]));
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function actionProblems(action: Loose): readonly string[] {
  const { type, description, resource, resourceId } = action;
  return [
    ...(['create', 'update', 'delete'].includes(String(type)) ? [] : ['type']),
    ...(isText(description) ? [] : ['description']),
    ...(type === 'delete' ? (isText(resourceId) ? [] : ['resourceId']) : isText((resource as Loose | undefined)?.['resourceType']) ? [] : ['resource']),
  ];
}
function cardProblems(card: Loose): readonly string[] {
  const source = card['source'] as Loose;
  const topic = source['topic'] as Loose | undefined;
  const suggestions = list(card['suggestions']);
  const checks: readonly (readonly [string, boolean])[] = [
    ['summary', isText(card['summary']) && String(card['summary']).length < 140],
    ['indicator', ['info', 'warning', 'critical'].includes(String(card['indicator']))],
    ['label', isText(source['label'])],
    ['topic', isText(topic?.['system']) && isText(topic?.['code'])],
    ['uuid', UUID.test(String(card['uuid']))],
    ['detail', isText(card['detail'])],
    ['selectionBehavior', suggestions.length === 0 || ['any', 'at-most-one'].includes(String(card['selectionBehavior']))],
    ['suggestion', suggestions.every((suggestion) => isText(suggestion['label']) && UUID.test(String(suggestion['uuid'])))],
    ['links', list(card['links']).every((link) => isText(link['label']) && isText(link['url']) && ['absolute', 'smart'].includes(String(link['type'])) && (link['appContext'] === undefined || link['type'] === 'smart'))],
    ['overrideReasons', list(card['overrideReasons']).every((reason) => isText(reason['system']) && isText(reason['code']) && isText(reason['display']))],
  ];
  return [...checks.flatMap(([name, good]) => (good ? [] : [name])), ...suggestions.flatMap((suggestion) => list(suggestion['actions']).flatMap(actionProblems))];
}

describe('CRD 2.0.1 kit', () => {
  it('crd_server_discovery_group: crd_discovery_endpoint_test, crd_discovery_services_validation', async () => {
    const response = await fetch(`${service.url}/cds-services`);
    const { services } = (await response.json()) as { services: Loose[] };
    expect([response.status, response.headers.get('content-type'), services.length]).toEqual([200, 'application/json; charset=utf-8', 6]);
    expect(services.filter((each) => !isText(each['hook']) || !isText(each['description']) || !isText(each['id']))).toEqual([]);
  });
  it.each(HOOKS)('crd_server_hooks, crd_server_demonstrate_hook_response, crd_service_call_test: %s', (hook) => {
    expect(CRD_VERSIONS.map((version) => reply(hook, version).status)).toEqual([200, 200]);
  });
  it.each(HOOKS)('crd_service_response_validation, crd_card_optional_fields_validation: %s', (hook) => {
    for (const version of CRD_VERSIONS) {
      const { text } = reply(hook, version);
      const { cards, systemActions } = JSON.parse(text) as { cards: Loose[]; systemActions: Loose[] };
      expect([cards.flatMap(cardProblems), systemActions.flatMap(actionProblems)]).toEqual([[], []]);
    }
  });
  it.each([...PRIMARY_HOOKS])('crd_coverage_info_system_action_received: %s', (hook) => {
    expect(information(reply(hook, '2.0')).length).toBeGreaterThan(0);
  });
  it('crd_coverage_info_system_action_validation: one id for each resource and coverage', () => {
    for (const each of all()) expect(new Set(information(each).map(({ assertionId }) => assertionId)).size).toBe(each.systemActions.length);
  });
  it('crd_server_required_card_response_validation: external reference, instructions and coverage information across hooks', () => {
    const cards = HOOKS.flatMap((hook) => reply(hook, '2.0').cards as unknown as readonly Loose[]);
    const linked = cards.filter((card) => list(card['links']).length > 0 && list(card['links']).every(({ type }) => type === 'absolute') && card['suggestions'] === undefined);
    const plain = cards.filter((card) => card['links'] === undefined && card['suggestions'] === undefined);
    const informed = HOOKS.flatMap((hook) => information(reply(hook, '2.0')));
    expect([linked.length > 0, plain.length > 0, informed.length > 0]).toEqual([true, true, true]);
  });
  it.each<[Hook, string, number]>([
    ['order-sign', 'PractitionerRole/r1', 200],
    ['order-sign', 'Patient/p1', 422],
    ['appointment-book', 'Patient/p1', 200],
    ['appointment-book', 'RelatedPerson/x1', 200],
  ])('crd_service_request_context_validation: %s by %s is %i', async (hook, userId, status) => {
    expect((await ask(hook, { context: { ...CONTEXTS[hook], userId } })).status).toBe(status);
  });
});

describe('CRD 2.2 kit', () => {
  it.each([...PRIMARY_HOOKS])('all_responses_include_coverage_information, order_dispatch_coverage_information: %s', (hook) => {
    expect(information(reply(hook, '2.2')).length).toBeGreaterThan(0);
  });
  it('coverage_information_card_absence', () => {
    expect(all().flatMap(({ cards }) => cards.filter(({ source }) => ['coverage-info', 'unsolicited-determ'].includes(source.topic.code)))).toEqual([]);
  });
  it('topics and associated resources are written as 2.2 writes them', () => {
    const cards = HOOKS.flatMap((hook) => reply(hook, '2.2').cards);
    const ofCrd = cards.filter(({ source }) => (CARD_TYPE_CODES as readonly string[]).includes(source.topic.code));
    expect(new Set(ofCrd.map(({ source }) => source.topic.system))).toEqual(new Set(['http://terminology.hl7.org/CodeSystem/cdshooks-card-type']));
    for (const { extension } of cards) expect(extension['davinci-crd.associated-resource']).toEqual([{ reference: expect.stringMatching(/^[A-Z]\w+\/\w+$/) }]);
  });
  it.each(HOOKS)('coverage_info_configuration: %s', async (hook) => {
    expect((await ask(hook, { extension: { 'davinci-crd.configuration': { 'coverage-info': false } } })).systemActions).toEqual([]);
  });
  it.each([...PRIMARY_HOOKS])('unknown_configuration, unknown_context, unknown_cds_hooks_elements: %s', async (hook) => {
    const odd = { extension: { 'davinci-crd.configuration': { 'foo-bar': 1 }, 'com.example.odd': {} }, context: { ...CONTEXTS[hook], odd: { deep: [1] } }, odd: 'x' };
    expect(information(await ask(hook, odd)).length).toBeGreaterThan(0);
  });
  it.each([...PRIMARY_HOOKS])('verify_response_without_configuration, without_billing_options, service_request_no_custom_extensions: %s', async (hook) => {
    expect(information(await ask(hook)).length).toBeGreaterThan(0);
  });
  it('coverage_information_must_support: elements seen', () => {
    const parts = new Set(HOOKS.flatMap((hook) => reply(hook, '2.2').systemActions.flatMap(({ resource }) => list(resource['extension']).flatMap(({ extension }) => list(extension).map(({ url }) => url)))));
    const seen = ['coverage', 'covered', 'pa-needed', 'doc-needed', 'doc-purpose', 'info-needed', 'billingCode', 'reason', 'detail', 'questionnaire', 'date', 'coverage-assertion-id', 'contact'];
    expect(seen.filter((part) => !parts.has(part))).toEqual([]);
    // What no policy of the library says: written when one does (versions/differences.test.ts).
    expect(['dependency', 'satisfied-pa-id', 'expiry-date'].filter((part) => parts.has(part))).toEqual([]);
  });
  it.each<[string, object]>([
    ['3.1.1', { identifier: [{ type: { coding: [{ code: 'MR' }] }, value: '1' }], extension: [{ url: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex', valueCode: 'F' }] }],
    ['6.1.0', { extension: [{ url: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-sex', valueCode: '248152002' }] }],
    ['7.0.0', { extension: [{ url: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-interpreter-needed', valueCoding: { code: '373066001' } }] }],
  ])('supported_us_core_versions: %s', async (_version, more) => {
    expect(information(await ask('order-sign', { prefetch: { ...prefetch, patient: { ...patient, ...more } } })).length).toBeGreaterThan(0);
  });
  it.each<[string, object, object]>([
    ['coverage_info_technical_issues', { payor: [{ reference: 'Organization/unreadable' }] }, { covered: 'indeterminate', reasons: [{ coding: [{ code: 'technical' }], text: expect.any(String) }] }],
    ['coverage_info_reason: no_active_coverage', { status: 'cancelled' }, { covered: 'not-covered', reasons: [{ coding: [{ code: 'no-active-coverage' }] }] }],
  ])('%s', async (_id, more, expected) => {
    expect(information(await ask('order-sign', { ...inVersion('2.2'), prefetch: { ...prefetch, coverage: bundle({ ...coverage, ...more }) } }))[0]).toMatchObject(expected);
  });
});

it('the checker has kept nothing back in all of this', async () => {
  expect(await service.keptBack()).toEqual([]);
});
