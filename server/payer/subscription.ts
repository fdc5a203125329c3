import type { Subscription } from '@medplum/fhirtypes';
import { z } from 'zod';
import type { Payer, SubscriptionFilter } from '#prior-auth/coverage-requirement/payer.ts';
import { parseJson, type PayerClient, type PayerReply } from './payer-client.ts';
import { type Notification, PAS_TOPIC, readNotification } from './read-notification.ts';

const BACKPORT = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition';
const PAS_SUBSCRIPTION = 'http://hl7.org/fhir/us/davinci-pas/StructureDefinition/profile-subscription';

export interface WantedSubscription {
  readonly endpoint: string;
  readonly secret: string;
  /** Identifiers of the submitting organizations (2.2.1: of the sending system). */
  readonly organizations: readonly string[];
  /** Subscription.id at the payer, to write it again. */
  readonly id?: string | undefined;
}

/**
 * Creates or rewrites the Subscription (R4 backport): the PAS topic, one filter, rest-hook; id-only in 2.0.1, full-resource in 2.2.1.
 * The filter's name differs between the guide's narrative, its topic and its versions: `org-identifier` unless the payer is configured otherwise.
 */
export function sendSubscription(client: PayerClient, payer: Payer, { endpoint, secret, organizations, id }: WantedSubscription): Promise<PayerReply> {
  const isFull = payer.pasVersion === '2.2.1';
  const filter: SubscriptionFilter = payer.subscriptionFilter ?? 'org-identifier';
  const subscription: Subscription = {
    resourceType: 'Subscription',
    ...(id === undefined ? {} : { id }),
    meta: { profile: [isFull ? PAS_SUBSCRIPTION : `${BACKPORT}/backport-subscription`] },
    status: 'requested',
    reason: 'Decisions about pended prior authorizations',
    criteria: PAS_TOPIC,
    channel: { type: 'rest-hook', endpoint, payload: 'application/fhir+json', header: [`Authorization: Bearer ${secret}`] },
  };
  // Extensions of primitives, which the FHIR types leave out.
  const body = JSON.stringify({
    ...subscription,
    _criteria: { extension: [{ url: `${BACKPORT}/backport-filter-criteria`, valueString: `${filter}=${organizations.join(',')}` }] },
    channel: { ...subscription.channel, _payload: { extension: [{ url: `${BACKPORT}/backport-payload-content`, valueCode: isFull ? 'full-resource' : 'id-only' }] } },
  });
  return id === undefined ? client.post(payer, 'Subscription', body) : client.request(payer, 'PUT', `Subscription/${id}`, body);
}

export type SubscriptionReading =
  | { readonly kind: 'written'; readonly id: string | null; readonly isActive: boolean; /** ISO instant. */ readonly endsAt: string | null }
  /** The payer no longer has the Subscription that was to be rewritten, or does not rewrite any. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'refused'; readonly error: string }
  | { readonly kind: 'retry'; readonly error: string };

const written = z.looseObject({ resourceType: z.literal('Subscription'), id: z.string().regex(/^[A-Za-z0-9.-]{1,64}$/).optional(), status: z.string().optional(), end: z.string().optional() });

export function readSubscriptionAnswer(reply: PayerReply, wasRewritten: boolean): SubscriptionReading {
  if (reply.kind === 'unavailable') return { kind: 'retry', error: reply.error };
  if (wasRewritten && [404, 405, 410, 501].includes(reply.status)) return { kind: 'gone' };
  if (reply.status >= 400) return { kind: 'refused', error: `HTTP ${reply.status}` };
  const { data } = written.safeParse(parseJson(reply.body));
  if (data?.status === 'error') return { kind: 'refused', error: 'status error' };
  return { kind: 'written', id: data?.id ?? null, isActive: data?.status === 'active', endsAt: instantOf(data?.end) };
}

export function sendUnsubscription(client: PayerClient, payer: Payer, id: string): Promise<PayerReply> {
  return client.request(payer, 'DELETE', `Subscription/${id}`);
}

export type SubscriptionStanding =
  | { readonly kind: 'standing'; readonly status: 'requested' | 'active' | 'error' | 'off'; readonly eventCount: number | undefined; readonly endsAt?: string | null }
  | { readonly kind: 'gone' }
  | { readonly kind: 'retry'; readonly error: string };

const standingStatus = z.enum(['requested', 'active', 'error', 'off']);

/** `$status`; where the payer does not offer it, the Subscription itself, which has no event count. */
export async function askStanding(client: PayerClient, payer: Payer, id: string): Promise<SubscriptionStanding> {
  const reply = await client.request(payer, 'GET', `Subscription/${id}/$status`);
  if (reply.kind === 'unavailable') return { kind: 'retry', error: reply.error };
  const status = reply.status < 400 ? readNotification(parseJson(reply.body), 'full-resource') : undefined;
  const told = standingStatus.safeParse(status?.status);
  if (status && told.success) return { kind: 'standing', status: told.data, eventCount: status.eventsSinceStart };
  const read = await client.request(payer, 'GET', `Subscription/${id}`);
  if (read.kind === 'unavailable') return { kind: 'retry', error: read.error };
  if (read.status === 404 || read.status === 410) return { kind: 'gone' };
  const { data } = written.safeParse(parseJson(read.body));
  const kept = standingStatus.safeParse(data?.status);
  if (read.status >= 400 || !kept.success) return { kind: 'retry', error: `its status cannot be read (HTTP ${read.status})` };
  return { kind: 'standing', status: kept.data, eventCount: status?.eventsSinceStart, endsAt: instantOf(data?.end) };
}

export type MissedEvents =
  | { readonly kind: 'told'; readonly notification: Notification }
  | { readonly kind: 'not-offered'; readonly error: string }
  | { readonly kind: 'retry'; readonly error: string };

/** `$events` of the numbers given, both included. */
export async function askEvents(client: PayerClient, payer: Payer, id: string, { from, until }: { readonly from: number; readonly until: number }): Promise<MissedEvents> {
  const content = contentOf(payer);
  const query = new URLSearchParams({ eventsSinceNumber: String(from), eventsUntilNumber: String(until), content });
  const reply = await client.request(payer, 'GET', `Subscription/${id}/$events?${query.toString()}`);
  if (reply.kind === 'unavailable') return { kind: 'retry', error: reply.error };
  const notification = reply.status < 400 ? readNotification(parseJson(reply.body), content) : undefined;
  return notification ? { kind: 'told', notification } : { kind: 'not-offered', error: `$events: HTTP ${reply.status}` };
}

/** What rides along: the complete answer in 2.2.1; in 2.0.1 the answer is fetched by `$inquire`. */
export function contentOf({ pasVersion }: Pick<Payer, 'pasVersion'>): 'id-only' | 'full-resource' {
  return pasVersion === '2.2.1' ? 'full-resource' : 'id-only';
}

function instantOf(text: string | undefined): string | null {
  const epochMs = Date.parse(text ?? '');
  return Number.isNaN(epochMs) ? null : new Date(epochMs).toISOString();
}
