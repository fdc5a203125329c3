import { randomUUID } from 'node:crypto';
import type { Bundle, BundleEntry, Parameters, ParametersParameter } from '@medplum/fhirtypes';
import { BACKPORT_URL, PAS_TOPIC } from '../terms.ts';
import { claimResponseUrl } from '../submit/build-answer.ts';

export type NotificationType = 'handshake' | 'event-notification' | 'query-status' | 'query-event';

export interface SubscriptionEvent {
  readonly number: number;
  readonly occurredAt: Date | string;
  readonly caseId: string;
}

export interface StatusBundleInput {
  readonly fhirBase: string;
  readonly subscriptionId: string;
  readonly status: string;
  readonly type: NotificationType;
  /** Events since the subscription began. */
  readonly eventCount: number;
  readonly events?: readonly SubscriptionEvent[];
  readonly epochMs: number;
}

/** A backport R4 notification or the answer to $status ($status answers as a searchset, the rest as history). Events carry ids only. */
export function statusBundle({ fhirBase, subscriptionId, status, type, eventCount, events = [], epochMs }: StatusBundleInput): Bundle {
  const subscriptionUrl = `${fhirBase}/Subscription/${subscriptionId}`;
  const parameters: Parameters = {
    resourceType: 'Parameters',
    id: randomUUID(),
    meta: { profile: [BACKPORT_URL.status] },
    parameter: [
      { name: 'subscription', valueReference: { reference: subscriptionUrl } },
      { name: 'topic', valueCanonical: PAS_TOPIC },
      { name: 'status', valueCode: status },
      { name: 'type', valueCode: type },
      { name: 'events-since-subscription-start', valueString: String(eventCount) },
      ...events.map((event) => eventParameter(fhirBase, event)),
    ],
  };
  const isHistory = type !== 'query-status';
  const statusEntry: BundleEntry = {
    fullUrl: `urn:uuid:${parameters.id}`,
    resource: parameters,
    ...(isHistory ? { request: { method: 'GET', url: `${subscriptionUrl}/$status` }, response: { status: '200' } } : { search: { mode: 'match' } }),
  };
  return {
    resourceType: 'Bundle',
    id: randomUUID(),
    ...(isHistory ? { meta: { profile: [BACKPORT_URL.notification] } } : {}),
    type: isHistory ? 'history' : 'searchset',
    timestamp: new Date(epochMs).toISOString(),
    entry: [statusEntry, ...focusEntries(fhirBase, events)],
  };
}

function eventParameter(fhirBase: string, { number, occurredAt, caseId }: SubscriptionEvent): ParametersParameter {
  return {
    name: 'notification-event',
    part: [
      { name: 'event-number', valueString: String(number) },
      { name: 'timestamp', valueInstant: new Date(occurredAt).toISOString() },
      { name: 'focus', valueReference: { reference: claimResponseUrl(fhirBase, caseId) } },
    ],
  };
}

/** One entry without a resource for each ClaimResponse that the events are about. */
function focusEntries(fhirBase: string, events: readonly SubscriptionEvent[]): BundleEntry[] {
  return [...new Set(events.map(({ caseId }) => caseId))].map((caseId) => ({
    fullUrl: claimResponseUrl(fhirBase, caseId),
    request: { method: 'GET', url: claimResponseUrl(fhirBase, caseId) },
    response: { status: '200' },
  }));
}
