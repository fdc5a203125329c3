import type { Subscription } from '@medplum/fhirtypes';
import { z } from 'zod';
import { parseJson, type PayerClient, type PayerReply } from './payer-client.ts';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import { isStorable } from '#store/storable-text.ts';

const TOPIC = 'http://hl7.org/fhir/us/davinci-pas/SubscriptionTopic/PASSubscriptionTopic';
const BACKPORT = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition';

/**
 * Subscription of PAS 2.0.1 (R4 backport): the PAS topic, one filter, rest-hook, id-only. The filter's name differs between versions of the guide;
 * `org-identifier` is what 2.1 and later, and the public test kits, use; its value is the requesting organization's identifier.
 */
export function sendSubscription(client: PayerClient, payer: Payer, { endpoint, secret, organizationIdentifier }: { readonly endpoint: string; readonly secret: string; readonly organizationIdentifier: string }): Promise<PayerReply> {
  const subscription: Subscription = {
    resourceType: 'Subscription',
    meta: { profile: [`${BACKPORT}/backport-subscription`] },
    status: 'requested',
    reason: 'Decisions about pended prior authorizations',
    criteria: TOPIC,
    channel: { type: 'rest-hook', endpoint, payload: 'application/fhir+json', header: [`Authorization: Bearer ${secret}`] },
  };
  // Extensions of primitives, which the FHIR types leave out.
  const body = {
    ...subscription,
    _criteria: { extension: [{ url: `${BACKPORT}/backport-filter-criteria`, valueString: `org-identifier=${organizationIdentifier}` }] },
    channel: { ...subscription.channel, _payload: { extension: [{ url: `${BACKPORT}/backport-payload-content`, valueCode: 'id-only' }] } },
  };
  return client.post(payer, 'Subscription', JSON.stringify(body));
}

export type SubscriptionReading =
  | { readonly kind: 'created'; readonly id: string | null; readonly isActive: boolean }
  | { readonly kind: 'refused'; readonly error: string }
  | { readonly kind: 'retry'; readonly error: string };

export function readSubscriptionAnswer(reply: PayerReply): SubscriptionReading {
  if (reply.kind === 'unavailable') return { kind: 'retry', error: reply.error };
  if (reply.status >= 400) return { kind: 'refused', error: `HTTP ${reply.status}` };
  const created = z.looseObject({ resourceType: z.literal('Subscription'), id: z.string().optional(), status: z.string().optional() }).safeParse(parseJson(reply.body));
  if (!created.success) return { kind: 'created', id: null, isActive: false };
  return created.data.status === 'error' ? { kind: 'refused', error: 'status error' } : { kind: 'created', id: created.data.id ?? null, isActive: created.data.status === 'active' };
}

export interface Notification {
  readonly type: 'handshake' | 'heartbeat' | 'event-notification' | 'query-status';
  readonly subscription: string;
  readonly eventsSinceStart: number | undefined;
  readonly events: readonly { readonly number: number | undefined; readonly focus: string | undefined }[];
}

const parameter = z.looseObject({ name: z.string() });
const notificationBundle = z.looseObject({
  resourceType: z.literal('Bundle'),
  type: z.enum(['history', 'subscription-notification']),
  // The first entry is the status; what follows may be without a resource (id-only).
  entry: z.array(z.looseObject({ resource: z.unknown().optional() })).min(1),
});
const statusParameters = z.looseObject({ resourceType: z.literal('Parameters'), parameter: z.array(z.looseObject({ ...parameter.shape, part: z.array(parameter).optional() })) });
const notificationType = z.enum(['handshake', 'heartbeat', 'event-notification', 'query-status']);

/** Reads a backport notification; undefined for anything else. Which resources ride along is not looked at: the decision is fetched by inquiry. */
export function readNotification(body: unknown): Notification | undefined {
  const bundle = notificationBundle.safeParse(body);
  const status = bundle.success ? statusParameters.safeParse(bundle.data.entry[0]?.resource) : undefined;
  if (!status?.success) return undefined;
  const named = (name: string) => status.data.parameter.filter((candidate) => candidate.name === name);
  const type = notificationType.safeParse(named('type')[0]?.['valueCode']);
  const topic = named('topic')[0]?.['valueCanonical'];
  if (!type.success || (topic !== undefined && topic !== TOPIC)) return undefined;
  return {
    type: type.data,
    subscription: referenceIn(named('subscription')[0]?.['valueReference']) ?? '',
    eventsSinceStart: eventNumber(named('events-since-subscription-start')[0]),
    events: named('notification-event').map(({ part = [] }) => ({
      number: eventNumber(part.find(({ name }) => name === 'event-number')),
      focus: referenceIn(part.find(({ name }) => name === 'focus')?.['valueReference']),
    })),
  };
}

function referenceIn(value: unknown): string | undefined {
  const parsed = z.looseObject({ reference: z.string().max(500).refine(isStorable) }).safeParse(value);
  return parsed.success ? parsed.data.reference : undefined;
}

/** The backport writes 64-bit numbers as strings. */
function eventNumber(value: Readonly<Record<string, unknown>> | undefined): number | undefined {
  const text = value?.['valueString'] ?? value?.['valueInteger'] ?? value?.['valueUnsignedInt'];
  const number = typeof text === 'string' || typeof text === 'number' ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}
