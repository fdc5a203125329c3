import { randomUUID } from 'node:crypto';
import type { Bundle, BundleEntry, Parameters, ParametersParameter } from '@medplum/fhirtypes';
import { claimResponseUrl } from '../submit/build-answer.ts';
import { BACKPORT_URL, PAS_TOPIC } from '../terms.ts';

export type NotificationType = 'handshake' | 'heartbeat' | 'event-notification' | 'query-event';

export interface SubscriptionEvent {
  readonly number: number;
  readonly occurredAt: Date | string;
  readonly caseId: string;
  /** The response bundle as it stood then; without it the event carries the id only. */
  readonly answer?: Bundle | undefined;
}

export interface SubscriptionStatus {
  /** Of the PAS version that it was made at. */
  readonly fhirBase: string;
  readonly version: '2.0.1' | '2.2.1';
  readonly subscriptionId: string;
  readonly status: string;
  /** Events since the subscription began. */
  readonly eventCount: number;
}

export interface NotificationInput extends SubscriptionStatus {
  readonly type: NotificationType;
  readonly events?: readonly SubscriptionEvent[];
  readonly epochMs: number;
}

/** A backport R4 notification, or the answer to `$events`: the status first, then what each event is about, under the focus's address. */
export function notificationBundle({ type, events = [], epochMs, ...of }: NotificationInput): Bundle {
  const told = events.map((event) => ({ event, focus: focusOf(of, event) }));
  const parameters = statusParameters(of, type, told.map(({ event, focus }) => eventParameter(event, focus.fullUrl)));
  return {
    resourceType: 'Bundle',
    id: randomUUID(),
    meta: { profile: [BACKPORT_URL.notification] },
    type: 'history',
    timestamp: new Date(epochMs).toISOString(),
    entry: [
      { fullUrl: `urn:uuid:${parameters.id}`, resource: parameters, request: { method: 'GET', url: `${of.fhirBase}/Subscription/${of.subscriptionId}/$status` }, response: { status: '200' } },
      // One for each, however many events are about it: entries of a Bundle have different addresses.
      ...new Map(told.map(({ focus }) => [focus.fullUrl, { ...focus, request: { method: 'GET' as const, url: focus.fullUrl }, response: { status: '200' } }])).values(),
    ],
  };
}

/** The answer to `$status`: a searchset. */
export function statusBundle(subscriptions: readonly SubscriptionStatus[], epochMs: number): Bundle {
  return {
    resourceType: 'Bundle',
    id: randomUUID(),
    type: 'searchset',
    total: subscriptions.length,
    timestamp: new Date(epochMs).toISOString(),
    entry: subscriptions.map((of): BundleEntry => {
      const parameters = statusParameters(of, 'query-status', []);
      return { fullUrl: `urn:uuid:${parameters.id}`, resource: parameters, search: { mode: 'match' } };
    }),
  };
}

function statusParameters({ fhirBase, subscriptionId, status, eventCount }: SubscriptionStatus, type: NotificationType | 'query-status', events: readonly ParametersParameter[]): Parameters {
  return {
    resourceType: 'Parameters',
    id: randomUUID(),
    meta: { profile: [BACKPORT_URL.status] },
    parameter: [
      { name: 'subscription', valueReference: { reference: `${fhirBase}/Subscription/${subscriptionId}` } },
      { name: 'topic', valueCanonical: PAS_TOPIC },
      { name: 'status', valueCode: status },
      { name: 'type', valueCode: type },
      { name: 'events-since-subscription-start', valueString: String(eventCount) },
      ...events,
    ],
  };
}

function eventParameter({ number, occurredAt }: SubscriptionEvent, focus: string): ParametersParameter {
  return {
    name: 'notification-event',
    part: [
      { name: 'event-number', valueString: String(number) },
      { name: 'timestamp', valueInstant: new Date(occurredAt).toISOString() },
      { name: 'focus', valueReference: { reference: focus } },
    ],
  };
}

/** 2.0.1: the ClaimResponse, with or without its content. 2.2.1: the whole response bundle. */
function focusOf({ fhirBase, version }: SubscriptionStatus, { caseId, answer }: SubscriptionEvent): { readonly fullUrl: string; readonly resource?: NonNullable<BundleEntry['resource']> } {
  if (version === '2.2.1' && answer) return { fullUrl: `${fhirBase}/Bundle/${answer.id}`, resource: answer };
  const claimResponse = answer?.entry?.[0]?.resource;
  return { fullUrl: claimResponseUrl(fhirBase, caseId), ...(claimResponse ? { resource: claimResponse } : {}) };
}
