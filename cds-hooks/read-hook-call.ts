import type { Resource } from '@medplum/fhirtypes';
import { z } from 'zod';
import { CRD_VERSIONS, type CrdVersion, type Hook, type HookCall } from './hook-call.ts';
import { faultWords } from './fault-words.ts';
import { PREFETCH_KEYS } from './prefetch/prefetch-keys.ts';
import { Refusal } from './refusal.ts';
import { ANSWER_WRITERS } from './versions/answer-writers.ts';

/*
 * What must be so in a call (CDS Hooks 2.0 §2.2 and the hooks' own pages). Elements that are not named here are let through unread.
 * Resources are checked as far as they are read: resourceType and id.
 */

const ID = '[A-Za-z0-9\\-.]{1,64}';
const id = z.string().regex(new RegExp(`^${ID}$`), 'an id of 1 to 64 letters, digits, "-" and "."');
const referenceTo = (...types: readonly string[]) => z.string().regex(new RegExp(`^(?:${types.join('|')})/${ID}$`), `a reference to ${types.join(' or ')}`);
const resource = z.looseObject({ resourceType: z.string().min(1) });
/** What came with the orders, such as the drug that one names, need have no id that we know of. */
const draft = z.looseObject({ resourceType: z.string().min(1) }).refine((given) => !(ORDER_TYPES as readonly string[]).includes(given.resourceType) || id.safeParse(given['id']).success, { path: ['id'], message: 'must be an id of 1 to 64 letters, digits, "-" and "."' });
const bundleOf = (entryResource: z.ZodType) => z.looseObject({ resourceType: z.literal('Bundle'), entry: z.array(z.looseObject({ resource: entryResource })).min(1).max(200) });

export const ORDER_TYPES = ['CommunicationRequest', 'DeviceRequest', 'MedicationRequest', 'NutritionOrder', 'ServiceRequest', 'VisionPrescription'] as const;
const order = referenceTo(...ORDER_TYPES);
const clinician = referenceTo('Practitioner', 'PractitionerRole');
const someone = referenceTo('Practitioner', 'PractitionerRole', 'Patient', 'RelatedPerson');
const always = { patientId: id, encounterId: id.nullish() };
const drafts = { ...always, userId: clinician, draftOrders: bundleOf(draft) };
const encounter = z.object({ ...always, userId: clinician, encounterId: id });

/** What is not named here is dropped unread: an element of another hook is as unknown as any other. */
const CONTEXTS = {
  'order-sign': z.object(drafts),
  'order-select': z.object({ ...drafts, selections: z.array(z.string()) }),
  // 1.0 names one order, 1.1 several. Either is read, whatever version of CRD the answer has.
  'order-dispatch': z
    .object({ patientId: id, performer: referenceTo('Practitioner', 'PractitionerRole', 'Organization', 'CareTeam', 'HealthcareService', 'Patient', 'Device', 'RelatedPerson'), order: order.optional(), dispatchedOrders: z.array(order).min(1).max(200).optional() })
    .refine((context) => context.order !== undefined || context.dispatchedOrders !== undefined, { path: ['dispatchedOrders'], message: 'must be there, or order (1.0)' }),
  'appointment-book': z.object({ ...always, userId: someone, appointments: bundleOf(z.looseObject({ resourceType: z.literal('Appointment'), id })) }),
  'encounter-start': encounter,
  'encounter-discharge': encounter,
} as const satisfies Record<Hook, z.ZodType>;

const common = {
  hookInstance: z.string().regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'a UUID'),
  fhirServer: z.string().max(2_000).pipe(z.url({ protocol: /^https?$/ })).optional(),
  fhirAuthorization: z.looseObject({ access_token: z.string().min(1), token_type: z.literal('Bearer') }).optional(),
  prefetch: z.record(z.string(), z.unknown()).nullish(),
  // Options that are unknown, or not of the form we know, never break a call.
  extension: z.looseObject({ 'davinci-crd.configuration': z.record(z.string(), z.unknown()).optional().catch(undefined) }).nullish().catch(undefined),
};

const SCHEMAS = new Map(Object.entries(CONTEXTS).map(([hook, context]) => [hook, z.looseObject({ ...common, hook: z.literal(hook), context: context as z.ZodType<Context> })]));

interface Context {
  readonly userId?: string;
  readonly patientId: string;
  readonly encounterId?: string | null;
  readonly draftOrders?: BundleOfAny;
  readonly selections?: readonly string[];
  readonly appointments?: BundleOfAny;
  readonly order?: string;
  readonly dispatchedOrders?: readonly string[];
  readonly performer?: string;
}
interface BundleOfAny {
  readonly entry: readonly { readonly resource: Resource }[];
}

/** @throws Refusal 400 when it is no object; else the status by which the version asked for tells a call that does not conform. */
export function readHookCall(hook: Hook, body: unknown): HookCall {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Refusal(400, 'structure', 'The body is not a JSON object.');
  const version = requestedVersion(body);
  const { statusNotConforming } = ANSWER_WRITERS[version];
  const parsed = SCHEMAS.get(hook)?.safeParse(body, { reportInput: true });
  if (!parsed?.success) throw new Refusal(statusNotConforming, 'invalid', faultWords(parsed?.error.issues ?? []));
  const { context, ...call } = parsed.data;
  if (call.fhirAuthorization && call.fhirServer === undefined) throw new Refusal(statusNotConforming, 'required', 'fhirAuthorization needs fhirServer.');
  const orders = resourcesIn(context.draftOrders).filter(({ resourceType }) => (ORDER_TYPES as readonly string[]).includes(resourceType));
  if (context.draftOrders && orders.length === 0) throw new Refusal(statusNotConforming, 'invalid', `context.draftOrders holds none of ${ORDER_TYPES.join(', ')}.`);
  const prefetch = readPrefetch(call.prefetch ?? {}, statusNotConforming);
  return {
    hook,
    version,
    hookInstance: call.hookInstance,
    fhirServer: call.fhirServer,
    accessToken: call.fhirAuthorization?.access_token,
    userId: context.userId,
    patientId: context.patientId,
    encounterId: context.encounterId ?? undefined,
    orders,
    appointments: resourcesIn(context.appointments),
    named: namedIn(hook, context),
    selections: context.selections,
    performer: context.performer,
    prefetch,
    beside: (context.draftOrders?.entry ?? []).filter(({ resource }) => !orders.includes(resource)),
    configuration: call.extension?.['davinci-crd.configuration'] ?? {},
  };
}

/** What came under a key that nobody here asked for is passed over unless it is a resource. */
function readPrefetch(given: Readonly<Record<string, unknown>>, statusNotConforming: number): Record<string, Resource | null> {
  const read = Object.entries(given).map(([key, value]): readonly [string, Resource | null | undefined] => {
    const found = value === null ? null : (resource.safeParse(value).data as Resource | undefined);
    if (found === undefined && PREFETCH_KEYS.has(key)) throw new Refusal(statusNotConforming, 'invalid', `prefetch.${key}: a resource or null`);
    return [key, found];
  });
  return Object.fromEntries(read.filter((each): each is readonly [string, Resource | null] => each[1] !== undefined));
}

/** Absent, or one that is not spoken here: the version the rule names. A third number is passed over. */
export function requestedVersion(body: unknown): CrdVersion {
  const extension = typeof body === 'object' && body !== null && 'extension' in body && typeof body.extension === 'object' ? body.extension : undefined;
  const asked = (extension as Readonly<Record<string, unknown>> | null | undefined)?.['davinci-crd.requestedVersion'];
  return CRD_VERSIONS.find((version) => typeof asked === 'string' && (asked === version || asked.startsWith(`${version}.`))) ?? '2.0';
}

function namedIn(hook: Hook, context: Context): readonly string[] {
  if (hook === 'order-dispatch') return [...new Set([...(context.dispatchedOrders ?? []), ...(context.order === undefined ? [] : [context.order])])];
  return hook === 'encounter-start' || hook === 'encounter-discharge' ? [`Encounter/${context.encounterId}`] : [];
}

function resourcesIn(bundle: BundleOfAny | undefined): readonly Resource[] {
  return (bundle?.entry ?? []).map((entry) => entry.resource);
}
