import { z } from 'zod/mini';
import { CARD_TYPE_CODES } from '#fhir/generated/code-sets.ts';
import { expression } from './hold-criteria.ts';

/*
 * What a payer's rule answers besides coverage-information: CRD's response types as data. docs/policies.md tells how to write one.
 * A response says when it is given, what its card says, and what its suggestions would do.
 */

export const HOOKS = ['appointment-book', 'encounter-start', 'encounter-discharge', 'order-dispatch', 'order-select', 'order-sign'] as const;
export type Hook = (typeof HOOKS)[number];

/** Card types of CRD, without coverage-info: what coverage-information says is never said again by a card. */
export const RESPONSE_TOPICS = CARD_TYPE_CODES.filter((code) => code !== 'coverage-info');

/** What `{{…}}` in a text can stand for. */
export const PLACEHOLDERS = ['service', 'code', 'payer', 'policy', 'order', 'coverage', 'patient'] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

/** Filled from the order or from the draft's rules: a policy does not write them. */
const FILLED_IN = ['resourceType', 'id', 'meta', 'status', 'intent', 'subject', 'patient', 'authoredOn', 'dateTime', 'created', 'dateWritten', 'requester', 'orderer', 'prescriber', 'encounter', 'insurance', 'code', 'codeCodeableConcept', 'medicationCodeableConcept'];
/** Identity and state of what is changed: no policy may touch them. */
const NEVER_CHANGED = ['resourceType', 'id', 'meta', 'extension', 'subject', 'patient', 'beneficiary'];

const words = z.string().check(z.minLength(1));
const id = z.string().check(z.regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and hyphens'));
const placeholders = z.refine<string>((text) => [...text.matchAll(/\{\{(.*?)\}\}/g)].every(([, name]) => PLACEHOLDERS.includes(name as Placeholder)), `{{…}} may be one of ${PLACEHOLDERS.join(', ')}`);
const text = words.check(placeholders);
const path = words.check(z.refine<string>(compiles, 'not a FHIRPath expression'));
const address = z.url({ protocol: /^https$/, error: 'an https address' });
const canonical = z.string().check(z.regex(/^https?:\/\/[^|\s]+\|[^|\s]+$/, 'a canonical with its version, url|version'));

const STATUS = ['met', 'not-met', 'unknown', 'open'] as const;

const when = z.strictObject({
  /**
   * always; all-met; any-open (not met or unknown); any-not-met; or the status of criteria by id, all of which must hold
   * (`open` = not met or unknown).
   */
  criteria: z.union([z.enum(['always', 'all-met', 'any-open', 'any-not-met']), z.record(id, z.enum(STATUS))], { error: 'always, all-met, any-open, any-not-met, or { criterion id: met | not-met | unknown | open }' }),
  /** Only for orders with one of these codes; absent = every service of the revision. A code that ends in * stands for all that begin so. */
  codes: z.optional(z.array(words).check(z.minLength(1))),
  /** Absent = every hook. */
  hooks: z.optional(z.array(z.enum(HOOKS)).check(z.minLength(1))),
  /** FHIRPath over the order, `%today` a date: given only when it is true. */
  order: z.optional(path),
  /** FHIRPath over the Coverage, `%today` a date: given only when it is true. */
  coverage: z.optional(path),
});

const overrideReason = z.strictObject({ code: id, display: words });

const shared = {
  id,
  when,
  /** Fewer than 140 characters when filled in; it is cut there. */
  summary: text.check(z.maxLength(120)),
  /** Markdown. */
  detail: z.optional(text),
  topic: z.optional(z.enum(RESPONSE_TOPICS)),
  /** `critical` only where the patient would come to harm. */
  indicator: z.optional(z.enum(['info', 'warning', 'critical'])),
  /** What a clinician may give as the reason not to follow the card. */
  overrideReasons: z.optional(z.array(overrideReason).check(z.minLength(1))),
};

/** Elements of a FHIR resource: as they stand in `set`, as the first result of a FHIRPath over the resource in `compute`. */
const change = z
  .strictObject({ set: z.optional(z.record(words, z.unknown())), compute: z.optional(z.record(words, path)) })
  .check(
    z.refine(({ set = {}, compute = {} }) => Object.keys({ ...set, ...compute }).length > 0, 'set or compute names at least one element'),
    z.refine(({ set = {}, compute = {} }) => !Object.keys({ ...set, ...compute }).some((name) => NEVER_CHANGED.includes(name)), `may not touch ${NEVER_CHANGED.join(', ')}`),
  );

/** Types of the orders that a response may draft. */
export const DRAFT_TYPES = ['ServiceRequest', 'DeviceRequest', 'MedicationRequest', 'NutritionOrder', 'VisionPrescription', 'CommunicationRequest'] as const;
const CODED = ['ServiceRequest', 'DeviceRequest', 'MedicationRequest'];
/** Elements of which one says what is asked, in the types that have no code. */
const ASKED_IN: Readonly<Record<string, readonly string[]>> = { NutritionOrder: ['oralDiet', 'supplement', 'enteralFormula'], VisionPrescription: ['lensSpecification'], CommunicationRequest: ['payload'] };

const order = z
  .strictObject({
    resourceType: z.enum(DRAFT_TYPES),
    /** Of a ServiceRequest, DeviceRequest or MedicationRequest; the other types say what is asked in `elements`. */
    code: z.optional(z.strictObject({ system: words, code: words, display: words })),
    /** Further FHIR elements. Patient, requester, dates, status, intent, encounter and insurance come from the order that is answered. */
    elements: z.optional(z.record(words, z.unknown())),
  })
  .check(
    z.refine(({ resourceType, code }) => CODED.includes(resourceType) === (code !== undefined), `code if, and only if, the type is ${CODED.join(', ')}`),
    z.refine(({ resourceType, elements = {} }) => ASKED_IN[resourceType]?.some((name) => name in elements) ?? true, `elements say what is asked: ${Object.entries(ASKED_IN).map(([type, names]) => `${type} ${names.join(' or ')}`).join(', ')}`),
    z.refine(({ elements = {} }) => !Object.keys(elements).some((name) => FILLED_IN.includes(name)), `elements are filled in and may not be named: ${FILLED_IN.join(', ')}`),
  );

const link = z.strictObject({ label: text, url: address });

const alternative = z
  .strictObject({
    label: text,
    recommended: z.optional(z.boolean()),
    /** The draft with some elements changed… */
    change: z.optional(change),
    /** …or another draft of the same type in its place. */
    replaceBy: z.optional(order),
  })
  .check(z.refine((each) => (each.change === undefined) !== (each.replaceBy === undefined), 'either change or replaceBy'));

const response = z.discriminatedUnion('type', [
  z.strictObject({
    ...shared,
    type: z.literal('external-reference'),
    /** Absent: the revision's `source` and `alsoBasedOn`. */
    links: z.optional(z.array(link).check(z.minLength(1))),
  }),
  z.strictObject({ ...shared, type: z.literal('instructions'), detail: text }),
  z.strictObject({ ...shared, type: z.literal('propose-alternate'), alternatives: z.array(alternative).check(z.minLength(1)) }),
  z.strictObject({
    ...shared,
    type: z.literal('additional-orders'),
    /** Each is a suggestion of its own; an order whose code is already among the drafts is left out. */
    orders: z.array(z.strictObject({ label: text, recommended: z.optional(z.boolean()), order })).check(z.minLength(1)),
    /** One suggestion for all of them: take all or none. */
    together: z.optional(z.boolean()),
  }),
  z.strictObject({
    ...shared,
    type: z.literal('form-completion'),
    /** A form that does not go through DTR: none of the revision's `questionnaires`. Sent along where policies/forms/ holds it. */
    questionnaire: canonical,
    label: text,
    afterCompletion: z.enum(['prior-auth-include', 'initial-claim-include', 'all-claims-include']),
    /** Default: card. A system-action puts the task on the list without asking. */
    as: z.optional(z.enum(['card', 'system-action'])),
  }),
  z.strictObject({
    ...shared,
    type: z.literal('update-coverage'),
    label: text,
    change,
    /** Default: update of the coverage that is answered. From CRD 2.2 on only update is sent. */
    action: z.optional(z.enum(['update', 'create'])),
    as: z.optional(z.enum(['card', 'system-action'])),
  }),
  z.strictObject({
    ...shared,
    type: z.literal('launch-app'),
    /** Not for DTR: the client opens that itself. `url` is the app's SMART launch address. */
    app: z.strictObject({ label: text, url: address, context: z.optional(z.record(words, text)) }),
  }),
]);

export const responsesSchema = z.array(response).check(z.refine((list) => new Set(list.map((each) => each.id)).size === list.length, 'two responses have the same id'));

export type PolicyResponse = z.infer<typeof response>;
export type ResponseWhen = z.infer<typeof when>;
export type ResponseChange = z.infer<typeof change>;
export type ResponseOrder = z.infer<typeof order>;

interface RevisionWithResponses {
  readonly criteria: readonly { readonly id: string }[];
  readonly questionnaires: readonly string[];
  readonly responses?: readonly PolicyResponse[] | undefined;
}

/** Rules between a revision and its responses, each with the path of the element at fault. */
export function responseFaults({ criteria, questionnaires, responses = [] }: RevisionWithResponses): readonly { readonly path: (string | number)[]; readonly message: string }[] {
  return responses.flatMap((each, i) => {
    const wanted = each.when.criteria;
    const unknown = typeof wanted === 'string' ? [] : Object.keys(wanted).filter((name) => !criteria.some((criterion) => criterion.id === name));
    return [
      ...unknown.map((name) => ({ path: ['responses', i, 'when', 'criteria', name], message: `no criterion of this revision has the id ${name}` })),
      ...(typeof wanted === 'string' && wanted !== 'always' && criteria.length === 0 ? [{ path: ['responses', i, 'when', 'criteria'], message: 'this revision has no criteria' }] : []),
      ...(each.type === 'form-completion' && questionnaires.includes(each.questionnaire) ? [{ path: ['responses', i, 'questionnaire'], message: "is one of the revision's questionnaires: those are filled in through DTR" }] : []),
    ];
  });
}

function compiles(text: string): boolean {
  try {
    expression(text);
    return true;
  } catch {
    return false;
  }
}
