import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { relativeReference } from '#fhir/base/reference.ts';
import { isStorable } from '#store/storable-text.ts';

export const PAS_TOPIC = 'http://hl7.org/fhir/us/davinci-pas/SubscriptionTopic/PASSubscriptionTopic';

export interface NotifiedEvent {
  readonly number: number | undefined;
  readonly focus: string | undefined;
  /** The PAS response bundle that the event carries, as JSON; only where full resources were asked for. */
  readonly answer: string | undefined;
}

export interface Notification {
  readonly type: 'handshake' | 'heartbeat' | 'event-notification' | 'query-status' | 'query-event';
  /** Subscription.id at the payer; empty when it does not say. */
  readonly subscriptionId: string;
  readonly status: string | undefined;
  readonly eventsSinceStart: number | undefined;
  readonly events: readonly NotifiedEvent[];
}

const parameter = z.looseObject({ name: z.string() });
const statusParameters = z.looseObject({ resourceType: z.literal('Parameters'), parameter: z.array(z.looseObject({ ...parameter.shape, part: z.array(parameter).optional() })) });
const notificationType = z.enum(['handshake', 'heartbeat', 'event-notification', 'query-status', 'query-event']);
const entrySchema = z.looseObject({ fullUrl: z.string().optional(), resource: z.looseObject({ resourceType: z.string(), id: z.string().optional() }).optional() });
type Entry = z.infer<typeof entrySchema>;
const notificationBundle = z.looseObject({
  resourceType: z.literal('Bundle'),
  // `$status` answers as a searchset; R5 servers say subscription-notification.
  type: z.enum(['history', 'searchset', 'subscription-notification']),
  entry: z.array(entrySchema).min(1),
});

/** Reads a backport notification or the answer to `$status` or `$events`; undefined for anything else. With `id-only` resources that ride along are not looked at. */
export function readNotification(body: unknown, content: 'id-only' | 'full-resource'): Notification | undefined {
  const bundle = notificationBundle.safeParse(body);
  const [first, ...others] = bundle.data?.entry ?? [];
  const status = statusParameters.safeParse(bundle.success ? first?.resource : body);
  if (!status.success) return undefined;
  const named = (name: string) => status.data.parameter.filter((candidate) => candidate.name === name);
  const type = notificationType.safeParse(named('type')[0]?.['valueCode']);
  const topic = named('topic')[0]?.['valueCanonical'];
  if (!type.success || (topic !== undefined && topic !== PAS_TOPIC)) return undefined;
  const told = named('notification-event');
  const statusCode = named('status')[0]?.['valueCode'];
  return {
    type: type.data,
    subscriptionId: /([A-Za-z0-9.-]{1,64})$/.exec(referenceIn(named('subscription')[0]?.['valueReference']) ?? '')?.[1] ?? '',
    status: typeof statusCode === 'string' ? statusCode : undefined,
    eventsSinceStart: eventNumber(named('events-since-subscription-start')[0]),
    events: told.map(({ part = [] }) => {
      const focus = referenceIn(part.find(({ name }) => name === 'focus')?.['valueReference']);
      return {
        number: eventNumber(part.find(({ name }) => name === 'event-number')),
        focus,
        answer: content === 'full-resource' ? answerOf(focus, others, told.length === 1) : undefined,
      };
    }),
  };
}

/** PAS 2.2.1: the focus is an entry that is the whole response bundle. Read too: the ClaimResponse as focus with its resources as entries beside it. */
function answerOf(focus: string | undefined, entries: readonly Entry[], isOnlyEvent: boolean): string | undefined {
  const carried = entries.filter(({ resource }) => resource !== undefined);
  const focused = carried.find((entry) => focus !== undefined && isAt(entry, focus));
  const bundles = carried.filter(({ resource }) => resource?.resourceType === 'Bundle');
  const inner = focused?.resource?.resourceType === 'Bundle' ? focused.resource : isOnlyEvent && bundles.length === 1 ? bundles[0]?.resource : undefined;
  const responses = carried.filter(({ resource }) => resource?.resourceType === 'ClaimResponse');
  const response = focused?.resource?.resourceType === 'ClaimResponse' ? focused : isOnlyEvent && responses.length === 1 ? responses[0] : undefined;
  const flat = response && {
    resourceType: 'Bundle',
    id: randomUUID(),
    type: 'collection',
    entry: [response, ...carried.filter(({ resource }) => resource?.resourceType !== 'ClaimResponse')].map(({ fullUrl, resource }) => ({ fullUrl, resource })),
  };
  const answer = JSON.stringify(inner ?? flat);
  // Escaped by JSON.stringify: U+0000 and half a surrogate pair, which no jsonb takes.
  return answer === undefined || /\\u(?:0000|d[89a-f])/i.test(answer) ? undefined : answer;
}

function isAt({ fullUrl, resource }: Entry, focus: string): boolean {
  return fullUrl === focus || `${resource?.resourceType}/${resource?.id}` === (relativeReference(focus) ?? focus);
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
