import type { Questionnaire, Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policySchema } from '#prior-auth/coverage-requirement/policy.ts';
import { createPolicyLibrary } from '#prior-auth/coverage-requirement/policy-library.ts';
import { PLACEHOLDERS, RESPONSE_TOPICS } from '#prior-auth/coverage-requirement/policy-response.ts';
import { playPolicies } from '../../test-fixtures/played-policies.ts';
import { answerFaults } from '../answer-rules/answer-rules.ts';
import { HOOKS } from '../hook-call.ts';

const CPT = 'http://www.ama-assn.org/go/cpt';
const word = fc.string({ unit: fc.constantFrom('a', 'B', ' ', 'ä', '\u{10348}', '*', '<b>', '_', '[x](y)', '|', '\\'), minLength: 1, maxLength: 60 }).map((text) => `w${text}`);
const text = fc.tuple(word, fc.option(fc.constantFrom(...PLACEHOLDERS))).map(([before, name]) => (name === null ? before : `${before} {{${name}}}`.slice(0, 119).replace(/\{\{?\w*$|\{\{\w*\}$/, 'x')));
const id = fc.stringMatching(/^[a-z][a-z0-9]{0,12}$/);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const code = fc.constantFrom('75561', '78452', '93306', '93015', 'E0601');

const change = fc.oneof(
  fc.record({ set: fc.constantFrom({ priority: 'urgent' }, { note: [{ text: 'x' }] }, { status: 'cancelled' }, { dependent: '01' }) }),
  fc.record({ compute: fc.constantFrom({ subscriberId: "identifier.where(type.coding.code='MB').value.first()" }, { priority: "'stat'" }, { dependent: 'subscriberId' }) }),
);
const order = fc.oneof(
  fc.record({ resourceType: fc.constantFrom('ServiceRequest', 'DeviceRequest', 'MedicationRequest'), code: fc.record({ system: fc.constant(CPT), code, display: word }), elements: maybe(fc.constantFrom({ note: [{ text: 'x' }] }, { priority: 'asap' })) }),
  fc.constantFrom({ resourceType: 'NutritionOrder', elements: { oralDiet: { type: [{ text: 'x' }] } } }, { resourceType: 'VisionPrescription', elements: { lensSpecification: [{ product: { text: 'x' }, eye: 'left' }] } }, { resourceType: 'CommunicationRequest', elements: { payload: [{ contentString: 'x' }] } }),
);
const shared = {
  id,
  when: fc.record({ criteria: fc.constantFrom('always', 'always', 'always', 'all-met', 'any-open', 'any-not-met', { one: 'open' }), codes: maybe(fc.array(code, { minLength: 1, maxLength: 2 })), hooks: maybe(fc.subarray([...HOOKS], { minLength: 1 })), order: maybe(fc.constantFrom('true', "status = 'draft'", '1/0 > 3', '{}')), coverage: maybe(fc.constantFrom("status = 'active'", 'period.end < %today')) }),
  summary: text, detail: maybe(text), topic: maybe(fc.constantFrom(...RESPONSE_TOPICS)), indicator: maybe(fc.constantFrom('info', 'warning', 'critical')),
  overrideReasons: maybe(fc.array(fc.record({ code: id, display: word }), { minLength: 1, maxLength: 3 })),
};
const recommended = maybe(fc.boolean());
const as = maybe(fc.constantFrom('card', 'system-action', 'system-action'));
const url = fc.constantFrom('https://payer.example/a', 'https://payer.example/b?c=d');
const response = fc.oneof(
  fc.record({ ...shared, type: fc.constant('external-reference'), links: maybe(fc.array(fc.record({ label: text, url }), { minLength: 1, maxLength: 3 })) }),
  fc.record({ ...shared, type: fc.constant('instructions'), detail: text }),
  fc.record({ ...shared, type: fc.constant('propose-alternate'), alternatives: fc.array(fc.oneof(fc.record({ label: text, recommended, change }), fc.record({ label: text, recommended, replaceBy: order })), { minLength: 1, maxLength: 3 }) }),
  fc.record({ ...shared, type: fc.constant('additional-orders'), orders: fc.array(fc.record({ label: text, recommended, order }), { minLength: 1, maxLength: 3 }), together: maybe(fc.boolean()) }),
  fc.record({ ...shared, type: fc.constant('form-completion'), questionnaire: fc.constantFrom('https://payer.example/q|1', 'https://payer.example/held|1'), label: text, afterCompletion: fc.constantFrom('prior-auth-include', 'initial-claim-include'), as }),
  { weight: 2, arbitrary: fc.record({ ...shared, type: fc.constant('update-coverage'), label: text, change, action: maybe(fc.constantFrom('update', 'create')), as }) },
  fc.record({ ...shared, type: fc.constant('launch-app'), app: fc.record({ label: text, url, context: maybe(fc.dictionary(id, text, { maxKeys: 2 })) }) }),
);
const policy = fc.tuple(fc.constantFrom('auth-needed', 'no-auth'), fc.uniqueArray(response, { selector: (each) => each.id, minLength: 1, maxLength: 6, size: 'max' })).map(([authorization, responses]) => ({
  id: 'p', title: 'A policy', family: 'f', payers: ['*'],
  revisions: [{
    revision: '1', effectiveFrom: '2020-01-01', source: { title: 'S', url: 'https://payer.example/s' }, services: [{ system: CPT, codes: ['75561', '78452'] }], covered: 'covered', authorization, documentation: 'clinical', questionnaires: [],
    criteria: [{ id: 'one', label: 'One', evidence: [{ type: 'Condition', codes: ['I20*'] }], record: '%evidence.exists()', submission: 'true' }], decision: { route: 'automatic', denial: 'd' }, instructions: null, responses,
  }],
}));

const orders = fc.uniqueArray(fc.record({ id: fc.constantFrom('a', 'b', 'c'), code, requester: maybe(fc.constant({ reference: 'Practitioner/u1' })), display: maybe(fc.string({ minLength: 1, maxLength: 300 })) }), { selector: (each) => each.id, minLength: 1, maxLength: 3 })
  .map((all) => all.map(({ id: orderId, code: ordered, requester, display }) => ({ resourceType: 'ServiceRequest', id: orderId, status: 'draft', intent: 'order', subject: { reference: 'Patient/p1' }, ...(requester ? { requester } : {}), code: { coding: [{ system: CPT, code: ordered }], ...(display ? { text: display } : {}) } }) as unknown as Resource));
const form: Questionnaire = { resourceType: 'Questionnaire', url: 'https://payer.example/held', version: '1', title: 'Held', status: 'active', item: [{ linkId: '1', type: 'string' }] };
const libraryOf = (given: unknown) => createPolicyLibrary([policySchema.parse(JSON.parse(JSON.stringify(given)))], { covered: 'covered', authorization: 'no-auth' }, [form]);

describe('whatever the policies of a library say', () => {
  it('no rule of the checker refuses the answer', async () => {
    const seen = new Set<string>();
    const situation = fc.record({ policy, drafts: orders, hook: fc.constantFrom(...HOOKS), version: fc.constantFrom('2.0' as const, '2.2' as const), userId: maybe(fc.constantFrom('Practitioner/u1', 'Patient/p1')) });
    await fc.assert(
      fc.asyncProperty(situation, async ({ policy: given, ...call }) => {
        const { answer: found, context } = await playPolicies({ ...call, library: libraryOf(given) });
        for (const { suggestions, links } of found.cards) seen.add(suggestions?.[0]?.actions.map(({ type, resource }) => `${type} ${resource?.resourceType ?? ''}`).join() ?? links?.[0]?.type ?? 'text');
        expect(answerFaults(found, context).map(({ rule, part }) => `${part} ${rule}`)).toEqual([]);
      }),
      { numRuns: 3_000, seed: 20261122 },
    );
    // The situations are not all empty.
    expect([...seen]).toEqual(expect.arrayContaining(['text', 'absolute', 'smart', 'update Coverage', 'create Task', 'create ServiceRequest', 'delete ,create ServiceRequest', 'update ServiceRequest']));
  });
});
