import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Bundle, BundleEntry, Claim, ClaimResponse, CommunicationRequest, OperationOutcome, Organization, Patient } from '@medplum/fhirtypes';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { PAS_EXTENSIONS, PAS_PROFILES } from '#fhir/pas/canonical-urls.ts';
import { writeReviewAction } from '#fhir/pas/review-action.ts';

/** What the payer does with the next `$submit`; after the last one it goes on with `steady`. */
type Behaviour =
  | { readonly kind: 'decide'; readonly code: string; /** What it asks for beside its answer. */ readonly asks?: readonly CommunicationRequest[] }
  /** Takes the request, then the connection is gone. */
  | { readonly kind: 'accept-and-drop' }
  /** Takes the request, answers after so many milliseconds. */
  | { readonly kind: 'accept-slowly'; readonly ms: number }
  | { readonly kind: 'status'; readonly status: number; readonly body?: unknown }
  | { readonly kind: 'garbage'; readonly body: string };

export interface FakePayer {
  readonly fhirBase: string;
  /** What `$submit` does from now on when nothing is planned. */
  steady: Behaviour;
  readonly planned: Behaviour[];
  /** Every `$submit` body that arrived, in order, byte for byte. */
  readonly submits: string[];
  readonly inquiries: Bundle[];
  /** Every `$submit-attachment` body, in order, and the statuses of the next answers; 200 after them. */
  readonly attachments: string[];
  readonly attachmentStatuses: number[];
  /** Each as it was last written, the newest last. Tests set `status` to what the payer made of it. */
  readonly subscriptions: FakeSubscription[];
  /** Of the newest subscription, numbered from 1. */
  readonly events: FakeEvent[];
  /** Which of the operations there are; without `events` a missed one is lost. */
  readonly offers: { status: boolean; events: boolean; subscriptions: boolean };
  /** Numbers an event about the case of a Claim.identifier as it stands now, without telling it. */
  happens(claimIdentifier: string): FakeEvent;
  /** The notification of events, with the complete answer (2.2.1) or the id (2.0.1), to be sent by `notify`. */
  notificationOf(events: readonly FakeEvent[], content: 'id-only' | 'full-resource' | 'flat'): Bundle;
  /** Requests taken in hand: one per Claim.identifier, however often it was sent. */
  accepted(): readonly string[];
  /** The reviewer's decision on everything accepted. */
  decideAll(code: string): void;
  tokenRequests: number;
  /** Tokens given so far are refused from now on. */
  revokeTokens(): void;
  notify(body: unknown, options?: { readonly header?: string; readonly contentType?: string }): Promise<number>;
  close(): Promise<void>;
}

export interface FakeSubscription {
  readonly id: string;
  endpoint: string;
  header: string;
  body: unknown;
  handshakeStatus: number;
  status: 'requested' | 'active' | 'error' | 'off' | 'deleted';
}

export interface FakeEvent {
  readonly number: number;
  /** What an id-only event is about. */
  readonly focus: string;
  readonly answer: Bundle;
}

/** A small payer that shares no code with the sender. It knows a repeated request by Claim.identifier and answers what it answered. */
export async function startFakePayer({ jwksUrl }: { readonly jwksUrl?: () => string } = {}): Promise<FakePayer> {
  const cases = new Map<string, { readonly claim: Claim; readonly bundle: Bundle; code: string }>();
  let tokens = new Set<string>();
  const payer: Omit<FakePayer, 'fhirBase' | 'close'> = {
    steady: { kind: 'decide', code: 'A1' },
    planned: [],
    submits: [],
    inquiries: [],
    attachments: [],
    attachmentStatuses: [],
    subscriptions: [],
    events: [],
    offers: { status: true, events: true, subscriptions: true },
    happens(claimIdentifier) {
      const known = cases.get(claimIdentifier);
      if (!known) throw new Error('no such case');
      const answer = { ...responseBundle(known), id: randomUUID() };
      const event = { number: payer.events.length + 1, focus: `${origin}/fhir/ClaimResponse/response-${claimIdentifier}`, answer };
      payer.events.push(event);
      return event;
    },
    notificationOf: (events, content) => tell('event-notification', events, content),
    tokenRequests: 0,
    accepted: () => [...cases.keys()],
    decideAll: (code) => cases.forEach((known) => (known.code = code)),
    revokeTokens: () => (tokens = new Set()),
    async notify(body, { header, contentType = 'application/fhir+json' } = {}) {
      const subscription = payer.subscriptions.at(-1);
      const response = await fetch(subscription?.endpoint ?? '', {
        method: 'POST',
        headers: { 'content-type': contentType, authorization: header ?? subscription?.header.replace(/^Authorization: /, '') ?? '' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      await response.arrayBuffer();
      return response.status;
    },
  };

  const accept = (text: string, code: string) => {
    const bundle = JSON.parse(text) as Bundle;
    const claim = bundle.entry?.[0]?.resource as Claim;
    const key = claim.identifier?.[0]?.value ?? '';
    const known = cases.get(key) ?? { claim, bundle, code };
    cases.set(key, known);
    return known;
  };

  const answerSubmit = async (text: string, response: ServerResponse) => {
    payer.submits.push(text);
    const behaviour = payer.planned.shift() ?? payer.steady;
    switch (behaviour.kind) {
      case 'decide':
        return reply(response, 200, withAsks(responseBundle(accept(text, behaviour.code)), behaviour.asks));
      case 'accept-and-drop':
        accept(text, 'A1');
        response.destroy();
        return;
      case 'accept-slowly': {
        const known = accept(text, 'A1');
        await new Promise((resolve) => setTimeout(resolve, behaviour.ms));
        return reply(response, 200, responseBundle(known));
      }
      case 'status':
        return reply(response, behaviour.status, behaviour.body ?? outcome('invalid'));
      case 'garbage':
        response.writeHead(200, { 'content-type': 'text/html' }).end(behaviour.body);
    }
  };

  const tell = (type: string, events: readonly FakeEvent[], content: 'id-only' | 'full-resource' | 'flat'): Bundle => {
    const subscription = payer.subscriptions.at(-1);
    const bundle = notificationBundle({
      type, subscription: `${origin}/fhir/Subscription/${subscription?.id}`, status: subscription?.status, count: payer.events.length,
      events: events.map(({ number, focus, answer }) => ({ number, focus: content === 'full-resource' ? `${origin}/fhir/Bundle/${answer.id}` : content === 'flat' ? (answer.entry?.[0]?.fullUrl ?? '') : focus })),
    });
    const [status, ...foci] = bundle.entry ?? [];
    const carried = foci.flatMap((entry, index): BundleEntry[] => {
      const answer = events[index]?.answer;
      if (content === 'id-only' || !answer) return [entry];
      return content === 'full-resource' ? [{ ...entry, resource: answer }] : (answer.entry ?? []);
    });
    return { ...bundle, entry: [...(status ? [status] : []), ...carried] };
  };

  const writeSubscription = async (text: string, id: string | undefined, response: ServerResponse) => {
    if (!payer.offers.subscriptions) return reply(response, 422, outcome('not-supported'));
    const body = JSON.parse(text) as { readonly channel: { readonly endpoint: string; readonly header: readonly string[] } };
    const known = payer.subscriptions.find((subscription) => subscription.id === id && subscription.status !== 'deleted');
    if (id !== undefined && !known) return reply(response, 404, outcome('not-found'));
    const entry = known ?? { id: randomUUID(), endpoint: '', header: '', body, handshakeStatus: 0, status: 'requested' as const };
    Object.assign(entry, { endpoint: body.channel.endpoint, header: body.channel.header[0] ?? '', body });
    if (!known) {
      payer.subscriptions.push(entry);
      payer.events.length = 0;
    }
    entry.handshakeStatus = await payer.notify(notificationBundle({ type: 'handshake', subscription: `Subscription/${entry.id}`, status: 'requested', count: payer.events.length }));
    entry.status = entry.handshakeStatus === 200 ? 'active' : 'error';
    reply(response, known ? 200 : 201, { ...body, id: entry.id, status: entry.status });
  };

  const answerSubscription = async (method: string, path: string, text: string, response: ServerResponse) => {
    const url = new URL(path, origin);
    const [, id, operation] = /^\/fhir\/Subscription(?:\/([^/]+))?(?:\/(\$\w+))?$/.exec(url.pathname) ?? [];
    if (method === 'POST' || method === 'PUT') return writeSubscription(text, id, response);
    const found = payer.subscriptions.find((subscription) => subscription.id === id && subscription.status !== 'deleted');
    if (!found) return reply(response, 404, outcome('not-found'));
    if (method === 'DELETE') {
      found.status = 'deleted';
      response.writeHead(204).end();
      return;
    }
    if (operation === undefined) return reply(response, 200, { ...(found.body as object), id, status: found.status });
    if (operation === '$status' && payer.offers.status) return reply(response, 200, { ...tell('query-status', [], 'id-only'), type: 'searchset' });
    if (operation !== '$events' || !payer.offers.events) return reply(response, 404, outcome('not-found'));
    const [from, until] = [Number(url.searchParams.get('eventsSinceNumber')), Number(url.searchParams.get('eventsUntilNumber'))];
    const content = JSON.stringify(found.body).includes('full-resource') ? 'full-resource' : 'id-only';
    reply(response, 200, tell('query-event', payer.events.filter(({ number }) => number >= from && number <= until), content));
  };

  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    if (path === '/fhir/.well-known/smart-configuration') return reply(response, 200, { token_endpoint: `${origin}/token` });
    const text = await read(request);
    if (path === '/token') {
      payer.tokenRequests += 1;
      const form = new URLSearchParams(text);
      if (jwksUrl) {
        await jwtVerify(form.get('client_assertion') ?? '', createRemoteJWKSet(new URL(jwksUrl())), { audience: `${origin}/token`, issuer: 'open-prior-auth-server', algorithms: ['ES384'] });
      }
      const token = randomUUID();
      tokens.add(token);
      return reply(response, 200, { access_token: token, token_type: 'bearer', expires_in: 300 });
    }
    if (!tokens.has(request.headers.authorization?.replace(/^Bearer /, '') ?? '')) return reply(response, 401, outcome('login'));
    if (path === '/fhir/$submit-attachment') {
      payer.attachments.push(text);
      const status = payer.attachmentStatuses.shift() ?? 200;
      return reply(response, status, outcome(status === 200 ? 'informational' : 'invalid'));
    }
    if (path === '/fhir/Claim/$submit') return answerSubmit(text, response);
    if (path.startsWith('/fhir/Subscription')) return answerSubscription(request.method ?? '', path, text, response);
    if (path === '/fhir/Claim/$inquire') {
      const inquiry = JSON.parse(text) as Bundle;
      payer.inquiries.push(inquiry);
      const traces = traceNumbers(inquiry.entry?.[0]?.resource as Claim);
      const found = [...cases.values()].filter(({ claim }) => traceNumbers(claim).some((trace) => traces.includes(trace)));
      return reply(response, 200, { ...emptyBundle(PAS_PROFILES.inquiryResponseBundle), entry: found.flatMap((known) => responseBundle(known).entry ?? []) });
    }
    reply(response, 404, outcome('not-found'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(payer, {
    fhirBase: `${origin}/fhir`,
    close: () => new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  });
}

/** A backport notification as a payer writes it; `focus` names what an event is about. */
export function notificationBundle({ type, subscription = '', status = 'active', events = [], count }: { readonly type: string; readonly subscription?: string; readonly status?: string | undefined; readonly events?: readonly { readonly number: number; readonly focus: string }[]; readonly count?: number }): Bundle {
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
            ...(subscription === '' ? [] : [{ name: 'subscription', valueReference: { reference: subscription } }]),
            { name: 'topic', valueCanonical: 'http://hl7.org/fhir/us/davinci-pas/SubscriptionTopic/PASSubscriptionTopic' },
            { name: 'status', valueCode: status },
            { name: 'type', valueCode: type },
            { name: 'events-since-subscription-start', valueString: String(count ?? events.at(-1)?.number ?? 0) },
            ...events.map(({ number, focus }) => ({
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
      ...events.map(({ focus }) => ({ fullUrl: focus, request: { method: 'GET' as const, url: focus }, response: { status: '200' } })),
    ],
  };
}

function traceNumbers(claim: Claim): string[] {
  return (claim.item ?? []).flatMap(({ extension = [] }) => extension.flatMap(({ url, valueIdentifier }) => (url === PAS_EXTENSIONS.itemTraceNumber ? (valueIdentifier?.value ?? []) : [])));
}

function responseBundle({ claim, bundle, code }: { readonly claim: Claim; readonly bundle: Bundle; readonly code: string }): Bundle {
  const claimFullUrl = bundle.entry?.[0]?.fullUrl ?? '';
  const parties = (bundle.entry ?? []).filter((entry): entry is typeof entry & { resource: Patient | Organization } => entry.resource?.resourceType === 'Patient' || entry.resource?.resourceType === 'Organization');
  const response: ClaimResponse = {
    resourceType: 'ClaimResponse',
    id: `response-${claim.identifier?.[0]?.value}`,
    meta: { profile: [PAS_PROFILES.claimResponse] },
    status: 'active',
    type: claim.type,
    use: 'preauthorization',
    patient: claim.patient,
    created: new Date().toISOString(),
    insurer: claim.insurer ?? {},
    requestor: claim.provider,
    request: { reference: claimFullUrl },
    outcome: code === 'A4' ? 'queued' : 'complete',
    item: (claim.item ?? []).map(({ sequence, extension = [] }) => ({
      itemSequence: sequence,
      extension: [
        ...extension.filter(({ url }) => url === PAS_EXTENSIONS.itemTraceNumber),
        ...(code === 'A4' ? [{ url: PAS_EXTENSIONS.administrationReferenceNumber, valueString: 'PEND0001' }] : []),
      ],
      adjudication: [
        {
          extension: [writeReviewAction({ code, ...(code === 'A1' ? { number: 'AUTH0001' } : {}) })],
          category: { coding: [{ system: CODE_SYSTEMS.adjudication, code: 'submitted' }] },
        },
      ],
    })),
  };
  return { ...emptyBundle(PAS_PROFILES.responseBundle), entry: [{ fullUrl: `urn:uuid:${randomUUID()}`, resource: response }, ...parties] };
}

function withAsks(bundle: Bundle, asks: readonly CommunicationRequest[] = []): Bundle {
  return { ...bundle, entry: [...(bundle.entry ?? []), ...asks.map((resource) => ({ fullUrl: `urn:uuid:${randomUUID()}`, resource }))] };
}

function emptyBundle(profile: string): Bundle {
  return { resourceType: 'Bundle', meta: { profile: [profile] }, identifier: { system: 'https://payer.example.org/response', value: randomUUID() }, type: 'collection', timestamp: new Date().toISOString() };
}

function outcome(code: OperationOutcome['issue'][number]['code']): OperationOutcome {
  return { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code, expression: ['Bundle.entry[1]'], diagnostics: 'Ada Example is not known' }] };
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/fhir+json' }).end(JSON.stringify(body));
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
