import { randomUUID } from 'node:crypto';
import type { Entry, Json } from './payer-ledger.ts';

const PAS = 'http://hl7.org/fhir/us/davinci-pas/StructureDefinition';
const X12_306 = 'https://codesystem.x12.org/005010/306';

/** The answer as it stands, by the guide's rules and no others. */
export function responseBundle({ claim, claimFullUrl, claimIdentifier, responseId, parties, code, version }: Entry): Json {
  const items = (claim['item'] as readonly Json[] | undefined) ?? [];
  const response = {
    resourceType: 'ClaimResponse',
    id: responseId,
    meta: { profile: [`${PAS}/profile-claimresponse`] },
    identifier: [{ system: 'https://chaos.payer.example.org/responses', value: responseId }],
    status: 'active',
    type: claim['type'],
    use: 'preauthorization',
    patient: claim['patient'],
    created: new Date().toISOString(),
    insurer: claim['insurer'],
    requestor: claim['provider'],
    request: { reference: claimFullUrl, identifier: { value: claimIdentifier } },
    outcome: code === 'A4' && version === '2.0.1' ? 'queued' : 'complete',
    item: items.map((item) => ({
      itemSequence: item['sequence'],
      extension: ((item['extension'] as readonly Json[] | undefined) ?? []).filter(({ url }) => String(url).endsWith('itemTraceNumber')),
      adjudication: [
        {
          extension: [
            {
              url: `${PAS}/extension-reviewAction`,
              extension: [
                ...(code === 'A4' ? [] : [{ url: 'number', valueString: `AUTH-${responseId.slice(-8)}` }]),
                { url: `${PAS}/extension-reviewActionCode`, valueCodeableConcept: { coding: [{ system: X12_306, code }] } },
              ],
            },
          ],
          category: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/adjudication', code: 'submitted' }] },
        },
      ],
    })),
  };
  return bundleOf('profile-pas-response-bundle', [{ fullUrl: `urn:uuid:${randomUUID()}`, resource: response }, ...parties]);
}

export function inquiryAnswer(found: readonly Entry[], version: string): Json {
  if (version === '2.0.1') return bundleOf('profile-pas-inquiry-response-bundle', found.flatMap((entry) => responseBundle(entry)['entry'] as readonly Json[]));
  return { resourceType: 'Parameters', parameter: found.map((entry) => ({ name: 'return', resource: responseBundle(entry) })) };
}

function bundleOf(profile: string, entry: readonly Json[]): Json {
  return {
    resourceType: 'Bundle',
    meta: { profile: [`${PAS}/${profile}`] },
    identifier: { system: 'https://chaos.payer.example.org/bundles', value: randomUUID() },
    type: 'collection',
    timestamp: new Date().toISOString(),
    entry,
  };
}

export interface NotifiedEvent {
  readonly number: number;
  readonly entry: Entry;
}

/** R4 backport; with `isFull` each event brings the complete answer along. */
export function notificationBundle(subscription: string, type: 'handshake' | 'event-notification' | 'query-status' | 'query-event', events: readonly NotifiedEvent[], count: number, isFull: boolean): Json {
  const focused = events.map(({ number, entry }) => ({ number, entry, focus: isFull ? `urn:uuid:${randomUUID()}` : `ClaimResponse/${entry.responseId}` }));
  return {
    resourceType: 'Bundle',
    type: 'history',
    timestamp: new Date().toISOString(),
    entry: [
      {
        fullUrl: `urn:uuid:${randomUUID()}`,
        resource: {
          resourceType: 'Parameters',
          parameter: [
            { name: 'subscription', valueReference: { reference: subscription } },
            { name: 'topic', valueCanonical: 'http://hl7.org/fhir/us/davinci-pas/SubscriptionTopic/PASSubscriptionTopic' },
            { name: 'status', valueCode: 'active' },
            { name: 'type', valueCode: type },
            { name: 'events-since-subscription-start', valueString: String(count) },
            ...focused.map(({ number, focus }) => ({
              name: 'notification-event',
              part: [
                { name: 'event-number', valueString: String(number) },
                { name: 'focus', valueReference: { reference: focus } },
              ],
            })),
          ],
        },
        request: { method: 'GET', url: `${subscription}/$status` },
        response: { status: '200' },
      },
      ...focused.map(({ entry, focus }) => ({
        fullUrl: focus,
        ...(isFull ? { resource: responseBundle(entry) } : {}),
        request: { method: 'GET', url: isFull ? `ClaimResponse/${entry.responseId}` : focus },
        response: { status: '200' },
      })),
    ],
  };
}
