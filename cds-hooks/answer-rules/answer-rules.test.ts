import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { tarFiles } from '#fhir/tables/package-archive.ts';
import type { CrdVersion, Hook } from '../hook-call.ts';
import { allowedAnswer } from './allowed-answer.ts';
import { answerFaults, type AnswerContext } from './answer-rules.ts';
import { coverageInformationFaults } from './coverage-information-rules.ts';

const VERSIONS = ['2.0', '2.2'] as const;
const COVERAGE_INFORMATION = 'http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-coverage-information';
const TEMP = 'http://hl7.org/fhir/us/davinci-crd/CodeSystem/temp';
const TOPICS: { readonly [V in CrdVersion]: string } = { '2.0': TEMP, '2.2': 'http://terminology.hl7.org/CodeSystem/cdshooks-card-type' };
const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

const draft = { resourceType: 'DeviceRequest', id: 'd1', status: 'draft', intent: 'order', subject: { reference: 'Patient/p1' }, codeCodeableConcept: { text: 'x' }, note: [{ text: 'n' }] };
const context = (version: CrdVersion, more: Partial<AnswerContext> = {}): AnswerContext => ({ hook: 'order-sign', version, sent: new Map([['DeviceRequest/d1', draft as unknown as Resource]]), drafts: new Set(['DeviceRequest/d1']), coverageInformation: true, ...more });

type Part = readonly [url: string, value: object];
const INFORMATION: readonly Part[] = [
  ['coverage', { valueReference: { reference: 'Coverage/c1' } }], ['covered', { valueCode: 'covered' }], ['pa-needed', { valueCode: 'auth-needed' }], ['doc-needed', { valueCode: 'clinical' }],
  ['doc-purpose', { valueCode: 'withpa' }], ['reason', { valueCodeableConcept: { text: 'because' } }], ['questionnaire', { valueCanonical: 'https://payer.example/q|1' }], ['date', { valueDate: '2026-11-22' }], ['coverage-assertion-id', { valueString: 'a1' }],
];
const information = (parts: readonly Part[] = INFORMATION) => ({ url: COVERAGE_INFORMATION, extension: parts.map(([url, value]) => ({ url, ...value })) });
/** INFORMATION without the parts named first, with the parts after them. */
const but = (without: readonly string[], ...more: readonly Part[]) => information([...INFORMATION.filter(([url]) => !without.includes(url)), ...more]);
const informed = (...extension: readonly object[]) => ({ type: 'update', description: 'Coverage information', resource: { ...draft, extension } });

const card = (version: CrdVersion, more: object = {}) => ({ uuid: uuid(1), summary: 'A card', detail: 'Detail', indicator: 'info', source: { label: 'A payer', topic: { system: TOPICS[version], code: 'guideline' } }, extension: { 'davinci-crd.associated-resource': version === '2.0' ? ['DeviceRequest/d1'] : [{ reference: 'DeviceRequest/d1' }] }, ...more });
const suggestion = (n: number, ...actions: readonly object[]) => ({ label: 'Do', uuid: uuid(n), actions });
const suggesting = (...suggestions: readonly object[]) => ({ selectionBehavior: 'any', suggestions });
const create = (resource: object, more: object = {}) => ({ type: 'create', description: 'Create', resource, ...more });
const update = (resource: object) => ({ type: 'update', description: 'Update', resource });
const remove = (resourceId: string) => ({ type: 'delete', description: 'Remove', resourceId });
const order = { resourceType: 'DeviceRequest', status: 'draft' };
const task = { resourceType: 'Task', code: { coding: [{ code: 'complete-questionnaire' }] }, input: [{ type: { text: 'questionnaire' }, valueCanonical: 'https://payer.example/q|1' }] };
const form = create({ resourceType: 'Questionnaire', url: 'https://payer.example/q', version: '1' }, { extension: { 'davinci-crd.if-none-exist': 'url=https://payer.example/q&version=1' } });
const coverage = { resourceType: 'Coverage', id: 'c1', status: 'active' };
const link = (more: object = {}) => ({ label: 'Read', url: 'https://payer.example/rule', type: 'absolute', ...more });

const rulesOf = (answer: object, ...given: Parameters<typeof context>): readonly string[] => [...new Set(answerFaults(answer, context(...given)).map(({ rule }) => rule))];
const ofCard = (version: CrdVersion, more: object): readonly string[] => rulesOf({ cards: [card(version, more)], systemActions: [informed(information())] }, version);
const both = (...rules: readonly string[]) => ({ '2.0': rules, '2.2': rules });

describe.each(VERSIONS)('cards of CRD %s', (version) => {
  it.each<[string, object, Readonly<Record<CrdVersion, readonly string[]>>]>([
    ['instructions', {}, both()],
    ['external reference', { links: [link()] }, both()],
    ['SMART app', { links: [link({ type: 'smart', appContext: '{}' })] }, both()],
    ['alternate by update', suggesting(suggestion(2, update({ ...draft, priority: 'urgent' }))), both()],
    ['alternate by delete and create', suggesting(suggestion(2, remove('DeviceRequest/d1'), create(order))), both()],
    ['alternate with what it refers to', suggesting(suggestion(2, remove('DeviceRequest/d1'), create(order), create({ resourceType: 'Device', id: 'x' }))), { '2.0': [], '2.2': ['response-type'] }],
    ['additional orders', suggesting(suggestion(2, create(order)), suggestion(3, create({ resourceType: 'ServiceRequest' }), create({ resourceType: 'Medication' }))), both()],
    ['form', suggesting(suggestion(2, form, create(task))), both()],
    ['coverage updated', suggesting(suggestion(2, update(coverage))), both()],
    ['coverage created', suggesting(suggestion(2, create({ resourceType: 'Coverage', status: 'active' }))), { '2.0': [], '2.2': ['response-type'] }],
    ['override reasons', { overrideReasons: [{ system: 'https://x', code: 'c', display: 'd' }] }, both()],
    ['an own topic', { source: { label: 'P', topic: { system: 'https://own', code: 'x' } } }, both()],

    ['no summary', { summary: undefined }, both('summary')],
    ['a summary of 140 characters', { summary: 'x'.repeat(140) }, both('summary')],
    ['an unknown indicator', { indicator: 'hard-stop' }, both('indicator')],
    ['no source', { source: undefined }, both('source', 'topic')],
    ['no label', { source: { topic: { system: TOPICS[version], code: 'guideline' } } }, both('source')],
    ['no topic', { source: { label: 'P' } }, both('topic')],
    ['a code that is no card type', { source: { label: 'P', topic: { system: TOPICS[version], code: 'order-select' } } }, both('topic-code')],
    ["the other version's topic", { source: { label: 'P', topic: { system: TOPICS[version === '2.0' ? '2.2' : '2.0'], code: 'guideline' } } }, both('topic-code')],
    ['coverage information as a card', { source: { label: 'P', topic: { system: TOPICS[version], code: 'coverage-info' } } }, both('coverage-information-card')],
    ['no uuid', { uuid: undefined }, both('uuid')],
    ['a suggestion without uuid', suggesting({ label: 'Do', actions: [create(order)] }), both('uuid')],
    ['instructions without detail', { detail: undefined }, both('detail')],
    ['links that are none', { links: [] }, both('lists', 'nothing-empty')],
    ['a link that is no web address', { links: [link({ url: 'javascript:alert(1)' })] }, both('links')],
    ['a link without label', { links: [link({ label: '' })] }, both('links', 'nothing-empty')],
    ['appContext without smart', { links: [link({ appContext: 'x' })] }, both('links')],
    ['links of two types', { links: [link(), link({ type: 'smart' })] }, both('links-of-one-type')],
    ['links and suggestions', { links: [link()], ...suggesting(suggestion(2, create(order))) }, both('links-or-suggestions')],
    ['suggestions without selectionBehavior', { suggestions: [suggestion(2, create(order))] }, both('selection-behavior')],
    ['an unknown selectionBehavior', { ...suggesting(suggestion(2, create(order))), selectionBehavior: 'all' }, both('selection-behavior')],
    ['a suggestion without actions', suggesting({ label: 'Do', uuid: uuid(2) }), both('suggestions', 'response-type')],
    ['two recommended of which one may be taken', { selectionBehavior: 'at-most-one', suggestions: [2, 3].map((n) => ({ ...suggestion(n, create(order)), isRecommended: true })) }, both('recommended')],
    ['two response types in one card', suggesting(suggestion(2, create(order)), suggestion(3, create(task))), both('response-type')],
    ['two updates at once', suggesting(suggestion(2, update(draft), update(draft))), both('response-type')],
    ['delete and create of another type', suggesting(suggestion(2, remove('DeviceRequest/d1'), create({ resourceType: 'ServiceRequest' }))), both('response-type')],
    ['a delete alone', suggesting(suggestion(2, remove('DeviceRequest/d1'))), both('response-type')],
    ['a patient created', suggesting(suggestion(2, create({ resourceType: 'Patient' }))), both('response-type')],
    ['a task that asks for no form', suggesting(suggestion(2, create({ resourceType: 'Task' }))), both('response-type')],
    ['two coverage suggestions', suggesting(suggestion(2, update(coverage)), suggestion(3, update(coverage))), both('one-coverage-suggestion')],
    ['an update of what is no draft', suggesting(suggestion(2, update({ ...draft, id: 'd9' }))), both('drafts')],
    ['a delete of what is no draft', suggesting(suggestion(2, remove('DeviceRequest/d9'), create(order))), both('drafts')],
    ['an override reason without display', { overrideReasons: [{ system: 's', code: 'c' }] }, both('override-reasons')],
    ['an associated resource that is not of the call', { extension: { 'davinci-crd.associated-resource': version === '2.0' ? ['DeviceRequest/d9'] : [{ reference: 'DeviceRequest/d9' }] } }, both('associated-resource')],
    ["the other version's associated resource", { extension: { 'davinci-crd.associated-resource': version === '2.2' ? ['DeviceRequest/d1'] : [{ reference: 'DeviceRequest/d1' }] } }, both('associated-resource')],
    ['null', { detail: null }, both('detail', 'nothing-empty')],
    ['an empty extension', { extension: {} }, both('nothing-empty')],
    ['an action without type', suggesting(suggestion(2, { description: 'x' })), both('response-type', 'action-type')],
    ['an action without description', suggesting(suggestion(2, { type: 'create', resource: order })), both('action-description')],
    ['a create without resource', suggesting(suggestion(2, { type: 'create', description: 'x' })), both('response-type', 'action-resource')],
    ['an update without id', suggesting(suggestion(2, update(order))), both('drafts', 'action-target')],
    ['a delete with the resource', suggesting(suggestion(2, { ...remove('DeviceRequest/d1'), resource: draft }, create(order))), both('action-either')],
    ['a delete with a list', suggesting(suggestion(2, { type: 'delete', description: 'x', resourceId: ['DeviceRequest/d1'] }, create(order))), both('response-type', 'drafts', 'action-target')],
    ['if-none-exist that is no query', suggesting(suggestion(2, create(order, { extension: { 'davinci-crd.if-none-exist': true } }))), both('if-none-exist')],
    ['a created resource with null', suggesting(suggestion(2, create({ ...order, note: [] }))), both('nothing-empty')],
  ])('%s', (_name, more, rules) => {
    expect(ofCard(version, more).toSorted()).toEqual(rules[version].toSorted());
  });
  it('no uuid twice', () => {
    expect(rulesOf({ cards: [card(version), card(version)], systemActions: [informed(information())] }, version)).toEqual(['unique-uuid']);
  });
});

describe.each(VERSIONS)('coverage-information of CRD %s', (version) => {
  const satisfied: readonly Part[] = [['pa-needed', { valueCode: 'satisfied' }], ['satisfied-pa-id', { valueString: 'pa1' }]];
  it.each<[string, object, Readonly<Record<CrdVersion, readonly string[]>>]>([
    ['authorization needed', information(), both()],
    ['not covered', but(['covered', 'pa-needed', 'doc-needed', 'doc-purpose', 'questionnaire'], ['covered', { valueCode: 'not-covered' }]), both()],
    ['conditional', but(['pa-needed'], ['pa-needed', { valueCode: 'conditional' }], ['info-needed', { valueCode: 'performer' }]), both()],
    ['satisfied', but(['pa-needed', 'doc-purpose'], ...satisfied), both()],
    ['indeterminate', but(['covered', 'pa-needed', 'doc-needed', 'doc-purpose', 'questionnaire'], ['covered', { valueCode: 'indeterminate' }], ['pa-needed', { valueCode: 'indeterminate' }]), { '2.0': ['codes'], '2.2': [] }],
    ['documents of both kinds', but(['doc-needed'], ['doc-needed', { valueCode: 'both' }]), { '2.0': [], '2.2': ['codes'] }],
    ['two doc-needed', information([...INFORMATION, ['doc-needed', { valueCode: 'admin' }]]), { '2.0': ['elements'], '2.2': [] }],
    ['an expiry date', information([...INFORMATION, ['expiry-date', { valueDate: '2027-01-01' }]]), { '2.0': ['elements'], '2.2': [] }],
    ['a response', information([...INFORMATION, ['response', { valueReference: { reference: 'QuestionnaireResponse/1' } }]]), { '2.0': [], '2.2': ['elements'] }],
    ['a ContactPoint', information([...INFORMATION, ['contact', { valueContactPoint: { value: '1' } }]]), { '2.0': [], '2.2': ['elements'] }],
    ['a ContactDetail', information([...INFORMATION, ['contact', { valueContactDetail: { name: 'x' } }]]), { '2.0': ['elements'], '2.2': [] }],
    ['a detail', information([...INFORMATION, ['detail', { extension: [{ url: 'code', valueCodeableConcept: { text: 'c' } }, { url: 'value', valueString: 'v' }] }]]), { '2.0': [], '2.2': ['details'] }],
    ['a detail with category', information([...INFORMATION, ['detail', { extension: [{ url: 'category', valueCode: 'cat-other' }, { url: 'code', valueCodeableConcept: { text: 'c' } }, { url: 'value', valueString: 'v' }] }]]), { '2.0': ['details'], '2.2': [] }],

    ['no coverage', but(['coverage']), both('elements')],
    ['no assertion id', but(['coverage-assertion-id']), both('elements')],
    ['two dates', information([...INFORMATION, ['date', { valueDate: '2026-11-22' }]]), both('elements')],
    ['a date with time', but(['date'], ['date', { valueDate: '2026-11-22T10:00:00Z' }]), both('date')],
    ['an unknown element', information([...INFORMATION, ['mood', { valueString: 'x' }]]), both('elements')],
    ['a value of the wrong type', but(['covered'], ['covered', { valueString: 'covered' }]), both('codes', 'elements')],
    ['an unknown code', but(['covered'], ['covered', { valueCode: 'maybe' }]), both('codes')],
    ['1: covered without pa-needed', but(['pa-needed', 'doc-purpose']), both('pa-needed')],
    ['1: not-covered with pa-needed', but(['covered'], ['covered', { valueCode: 'not-covered' }]), both('not-covered')],
    ['2: conditional without info-needed', but(['pa-needed'], ['pa-needed', { valueCode: 'conditional' }]), both('info-needed')],
    ['2: info-needed without conditional', information([...INFORMATION, ['info-needed', { valueCode: 'performer' }]]), both('conditional')],
    ['3: doc-purpose without reason', but(['reason']), both('doc-purpose-reason')],
    ['3: withpa though none is needed', but(['pa-needed'], ['pa-needed', { valueCode: 'no-auth' }]), both('withpa')],
    ['4: satisfied without its id', but(['pa-needed', 'doc-purpose'], ['pa-needed', { valueCode: 'satisfied' }]), both('satisfied')],
    ['4: an id without satisfied', information([...INFORMATION, ['satisfied-pa-id', { valueString: 'x' }]]), both('satisfied')],
    ['4: satisfied with withpa', but(['pa-needed'], ...satisfied), both('satisfied-withpa', 'withpa')],
    ['5: questionnaire without doc-needed', but(['doc-needed']), both('questionnaire')],
    ['6: OTH without reason', but(['pa-needed', 'doc-purpose', 'reason'], ['pa-needed', { valueCode: 'conditional' }], ['info-needed', { valueCode: 'OTH' }]), both('other-reason')],
    ['a reason without words', but(['reason'], ['reason', { valueCodeableConcept: { coding: [{ system: 'https://else', code: 'x' }] } }]), both('reason-text')],
  ])('%s', (_name, extension, rules) => {
    expect(rulesOf({ cards: [], systemActions: [informed(extension)] }, version).toSorted()).toEqual(rules[version].toSorted());
  });
  it('9: one coverage has one id, another coverage another', () => {
    const second = but(['coverage'], ['coverage', { valueReference: { reference: 'Coverage/c2' } }]);
    const other = but(['coverage', 'coverage-assertion-id'], ['coverage', { valueReference: { reference: 'Coverage/c2' } }], ['coverage-assertion-id', { valueString: 'a2' }]);
    expect(rulesOf({ cards: [], systemActions: [informed(information(), second)] }, version)).toEqual(['assertion-id']);
    expect(rulesOf({ cards: [], systemActions: [informed(information(), but(['coverage-assertion-id'], ['coverage-assertion-id', { valueString: 'a2' }]))] }, version)).toEqual(['assertion-id']);
    expect(rulesOf({ cards: [], systemActions: [informed(information(), other)] }, version)).toEqual([]);
  });
  it('what the client sent is not held against the answer', () => {
    const old = but(['covered']);
    const sent = new Map([['DeviceRequest/d1', { ...draft, extension: [old] } as unknown as Resource]]);
    expect(rulesOf({ cards: [], systemActions: [informed(old, but(['coverage', 'coverage-assertion-id'], ['coverage', { valueReference: { reference: 'Coverage/c2' } }], ['coverage-assertion-id', { valueString: 'a2' }]))] }, version, { sent })).toEqual([]);
  });
});

describe.each(VERSIONS)('system actions of CRD %s', (version) => {
  it.each<[string, readonly object[], readonly string[], Partial<AnswerContext>?]>([
    ['coverage information', [informed(information())], []],
    ['a form', [informed(information()), form, create(task)], []],
    ['coverage updated', [informed(information()), update(coverage)], []],
    ['10: without description', [{ ...informed(information()), description: undefined }], ['action-description']],
    ['as a create', [{ ...informed(information()), type: 'create' }], ['coverage-information-update']],
    ['on a resource that is not of the call', [{ ...informed(information()), resource: { ...draft, id: 'd9', extension: [information()] } }], ['of-the-call']],
    ['with another change', [{ ...informed(information()), resource: { ...draft, note: [{ text: 'changed' }], extension: [information()] } }], ['nothing-else-changed']],
    ['with an element lost', [{ ...informed(information()), resource: { ...draft, note: undefined, extension: [information()] } }], ['nothing-else-changed']],
    ['two for one resource', [informed(information()), informed(information())], ['one-update']],
    ['a delete', [informed(information()), remove('DeviceRequest/d1')], ['system-action-type']],
    ['an order created', [informed(information()), create(order)], ['system-action-type']],
    ['none at a primary hook', [], ['primary-hook']],
    ['none at a primary hook, where the order carries an answer', [], [], { sent: new Map([['DeviceRequest/d1', { ...draft, extension: [information()] } as unknown as Resource]]) }],
    ['none where it is switched off', [], [], { coverageInformation: false }],
    ['one where it is switched off', [informed(information())], ['switched-off'], { coverageInformation: false }],
    ['none at a secondary hook', [], [], { hook: 'order-select' }],
    ['documents at a secondary hook', [informed(information())], ['secondary-hook'], { hook: 'order-select' }],
  ])('%s', (_name, systemActions, rules, more) => {
    expect(rulesOf({ cards: [], systemActions }, version, more)).toEqual(rules);
  });
  it.each([[{}, ['cards', 'primary-hook']], [null, ['cards', 'primary-hook']], [{ cards: [], systemActions: {} }, ['system-actions', 'primary-hook']], [{ cards: [null, 'x'] }, ['summary', 'indicator', 'source', 'topic', 'uuid', 'detail', 'nothing-empty', 'primary-hook']]])('%j', (answer, rules) => {
    expect(rulesOf(answer as object, version).filter((rule) => rule !== 'nothing-empty')).toEqual(rules.filter((rule) => rule !== 'nothing-empty'));
  });
});

describe('what breaks a rule is not sent', () => {
  const guard = (answer: object, hook: Hook = 'order-sign') => {
    const told: string[] = [];
    const inconclusive = (resource: Resource, of: string) => ({ type: 'update' as const, description: 'd', resource: { ...resource, extension: [but(['coverage', 'pa-needed'], ['coverage', { valueReference: { reference: of } }], ['pa-needed', { valueCode: 'conditional' }], ['info-needed', { valueCode: 'OTH' }])] } as unknown as Resource });
    const sent = allowedAnswer(answer as Parameters<typeof allowedAnswer>[0], { ...context('2.0', { hook }), inconclusive, onFault: ({ rule }, card) => told.push(card === undefined ? rule : `${rule} ${card}`) });
    return { sent, told };
  };
  it('a good answer leaves as it is', () => {
    const answer = { cards: [card('2.0')], systemActions: [informed(information())] };
    expect(guard(answer)).toEqual({ sent: answer, told: [] });
  });
  it('a card is left out, the rest stays', () => {
    const good = card('2.0', { uuid: uuid(7) });
    const { sent, told } = guard({ cards: [card('2.0', { indicator: 'x' }), good], systemActions: [informed(information())] });
    expect(sent).toEqual({ cards: [good], systemActions: [informed(information())] });
    expect(told).toEqual([`indicator ${uuid(1)}`]);
  });
  it('coverage information becomes an inconclusive one', () => {
    const { sent, told } = guard({ cards: [], systemActions: [informed(but(['doc-needed']))] });
    expect(told).toEqual(['questionnaire']);
    expect(JSON.stringify(sent.systemActions)).toContain('"valueCode":"conditional"');
    expect(answerFaults(sent, context('2.0'))).toEqual([]);
  });
  it('without its coverage, or on another resource, it is left out', () => {
    for (const action of [informed(but(['coverage'])), { ...informed(information()), resource: { ...draft, id: 'd9', extension: [information()] } }]) expect(guard({ cards: [], systemActions: [action] }).sent.systemActions).toEqual([]);
  });
  it('other actions are left out', () => {
    expect(guard({ cards: [], systemActions: [informed(information()), remove('DeviceRequest/d1')] }).sent.systemActions).toHaveLength(1);
  });
});

const CASES = join(import.meta.dirname, '..', '..', '..', 'shared', 'cases', 'crd');
const IG = join(CASES, '..', '..', 'igs', 'crd-2.0.1.tgz');
if (!existsSync(CASES)) console.warn(`left out: published answers, ${CASES} is not there`);
describe.skipIf(!existsSync(CASES))('published answers', () => {
  const read = (file: string): unknown => JSON.parse(readFileSync(join(CASES, `${file}.json`), 'utf8'));
  /** Every resource inside that carries coverage-information. */
  const answered = (value: unknown): readonly object[] => {
    if (typeof value !== 'object' || value === null) return [];
    if (Array.isArray(value)) return value.flatMap(answered);
    const own = 'extension' in value && Array.isArray(value.extension) && value.extension.some((each: { url?: unknown }) => each.url === COVERAGE_INFORMATION) ? [value] : [];
    return [...own, ...Object.values(value).flatMap(answered)];
  };
  const guideFaults = (value: unknown, version: CrdVersion): readonly string[] => {
    const resources = answered(value);
    expect(resources).not.toEqual([]);
    return resources.flatMap((resource) => coverageInformationFaults(resource, version).filter(({ guide }) => guide).map(({ rule }) => rule));
  };
  const fromPackage = (): unknown => JSON.parse([...tarFiles(gunzipSync(readFileSync(IG)))].find(([name]) => name.endsWith('example/MedicationRequest-annotated-example.json'))?.[1] ?? 'null');
  it.each<[string, boolean, boolean]>([
    ['ig-2.2.1/CRDServiceResponse3', true, true],
    ['spec/coverage_info_system_action_covered', true, true],
    ['spec/crd_authorization_hook_response', true, false],
    ['client-api-2.0.1/encounter_discharge_custom_response_template', true, false],
    ['ig-2.2.1/CRDServiceResponse', false, true],
    ['spec/coverage_info_system_action_conditional', false, false],
  ])('%s: coverage-information by the guide, 2.0 %s, 2.2 %s', (file, in20, in22) => {
    expect([guideFaults(read(file), '2.0').length === 0, guideFaults(read(file), '2.2').length === 0]).toEqual([in20, in22]);
  });
  it.skipIf(!existsSync(IG))("the guide's annotated example is of 2.0", () => {
    expect([guideFaults(fromPackage(), '2.0').length === 0, guideFaults(fromPackage(), '2.2').length === 0]).toEqual([true, false]);
  });

  /** Faults by the guide of the version, of one card in an answer to a call that is about whatever it names. */
  const cardRules = (published: unknown, version: CrdVersion): readonly string[] => {
    const targets = [...JSON.stringify(published).matchAll(/"resourceId":"([^"]+)"/g)].map(([, target]) => target ?? '');
    return answerFaults({ cards: [published], systemActions: [] }, context(version, { coverageInformation: false, drafts: new Set(targets) })).filter(({ guide }) => guide).map(({ rule }) => rule);
  };
  it.each<[string, readonly string[]]>([
    ['companions_prerequisites', []],
    ['create_update_coverage_information', ['suggestions', 'response-type']],
    ['external_reference', []],
    ['instructions', []],
    // Its link is a placeholder.
    ['launch_smart_app', ['links']],
    ['propose_alternate_request', ['suggestions', 'response-type']],
    ['request_form_completion', []],
  ])('card_responses/%s', (file, rules) => {
    expect(cardRules(read(`spec/card_responses/${file}`), '2.0')).toEqual(rules);
  });
  it('valid_cards: by the guide of 2.0 all are valid', () => {
    for (const each of read('spec/valid_cards') as readonly object[]) expect(cardRules(each, '2.0')).toEqual([]);
  });
  it('valid_cards: this service sends none of them, for their uuids and topics', () => {
    for (const each of read('spec/valid_cards') as readonly object[]) expect(rulesOf({ cards: [each], systemActions: [] }, '2.0', { coverageInformation: false })).toContain('uuid');
  });
  it('other_system_action: no response type of CRD', () => {
    expect(rulesOf({ cards: [], systemActions: [read('spec/other_system_action')] }, '2.0', { coverageInformation: false })).toEqual(['action-description', 'system-action-type']);
  });
});
