import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chanceOf } from './chance.ts';
import { inquiryAnswer, notificationBundle, type NotifiedEvent, responseBundle } from './payer-answers.ts';
import { behaviourOf, deliveriesOf, isOut } from './payer-behaviour.ts';
import { claimOf, createLedger, type Entry, identifierOf, type Json, laterCode, tracesOf } from './payer-ledger.ts';

// A payer that misbehaves as networks and payers do, and never forgets what it took. It shares no code with the sender.
const seed = Number(process.env['CHAOS_SEED']);
const slowestMs = Number(process.env['CHAOS_SLOWEST_MS']);
const chance = chanceOf(seed);
const ledger = createLedger(chance);
const startedAt = performance.now();
const tokens = new Set<string>();
const inquiries = new Map<string, number>();
const counts: Record<string, number> = {};
const count = (what: string): void => {
  counts[what] = (counts[what] ?? 0) + 1;
};

interface Subscription {
  readonly id: string;
  readonly version: string;
  body: Json;
  readonly events: NotifiedEvent[];
}
const subscriptions = new Map<string, Subscription>();

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const outcome = (code: string): Json => ({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code }] });

function reply(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { 'content-type': 'application/fhir+json' }).end(JSON.stringify(body));
}

async function meet(operation: string, key: string, attempt: number, response: ServerResponse, work: () => Json): Promise<void> {
  const behaviour = isOut(chance, performance.now() - startedAt) ? ({ refuse: 503, delayMs: 0, answer: 'as-it-is' } as const) : behaviourOf(chance, operation, key, attempt, slowestMs);
  if (behaviour.refuse === 'connection-lost') {
    count('connections lost before taking');
    response.destroy();
    return;
  }
  if (behaviour.refuse !== undefined) {
    count(`answers ${behaviour.refuse}`);
    // A token that is refused is of no use any more.
    if (behaviour.refuse === 401) tokens.clear();
    return reply(response, behaviour.refuse, outcome('transient'));
  }
  const answer = work();
  await later(behaviour.delayMs);
  switch (behaviour.answer) {
    case 'as-it-is':
      if (behaviour.delayMs > 500) count('slow answers');
      return reply(response, 200, answer);
    case 'connection-lost':
      count('connections lost after taking');
      response.destroy();
      return;
    case 500:
      count('answers 500 after taking');
      return reply(response, 500, outcome('exception'));
    case 'not-fhir':
      count('answers that are not FHIR');
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Please wait</html>');
  }
}

function submit(version: string, text: string, response: ServerResponse): Promise<void> {
  const bundle = JSON.parse(text) as Json;
  const key = identifierOf(claimOf(bundle));
  const attempt = ledger.noteArrival(key, text);
  return meet('submit', key === '' ? text : memberKey(key), attempt, response, () => {
    const { entry, isNew } = ledger.accept(bundle, version);
    if (isNew && entry.code === 'A4') void decideLater(entry);
    return responseBundle(entry);
  });
}

/** Claim identifiers are made at random, so luck goes by the order in which they came. */
const order = new Map<string, string>();
function memberKey(claimIdentifier: string): string {
  const key = order.get(claimIdentifier) ?? String(order.size);
  order.set(claimIdentifier, key);
  return key;
}

function inquire(version: string, text: string, response: ServerResponse): Promise<void> {
  const traces = tracesOf(claimOf(JSON.parse(text) as Json));
  const key = traces[0] ?? '';
  const attempt = (inquiries.get(key) ?? 0) + 1;
  inquiries.set(key, attempt);
  count('inquiries');
  return meet('inquire', key, attempt, response, () => inquiryAnswer(ledger.byTraces(traces), version));
}

async function decideLater(entry: Entry): Promise<void> {
  await later(300 + chance('review', entry.member) * 3_000);
  entry.code = laterCode(chance, entry.member);
  for (const subscription of subscriptions.values()) {
    if (subscription.version !== entry.version) continue;
    const event = { number: subscription.events.length + 1, entry };
    subscription.events.push(event);
    const copies = deliveriesOf(chance, entry.version, event.number);
    if (copies.length === 0) count('notifications lost');
    if (copies.length > 1) count('notifications doubled');
    for (const delayMs of copies) void later(delayMs).then(() => deliver(subscription, event));
  }
}

const isFull = ({ version }: Subscription): boolean => version !== '2.0.1';

async function deliver(subscription: Subscription, event: NotifiedEvent): Promise<void> {
  for (let attempt = 0; attempt < 4; attempt += 1) {
    if (await post(subscription, notificationBundle(`Subscription/${subscription.id}`, 'event-notification', [event], subscription.events.length, isFull(subscription)))) {
      count('notifications delivered');
      return;
    }
    await later(200 * 2 ** attempt);
  }
  count('notifications given up');
}

async function post({ body }: Subscription, notification: Json): Promise<boolean> {
  const channel = body['channel'] as { readonly endpoint: string; readonly header?: readonly string[] };
  try {
    const response = await fetch(channel.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json', authorization: (channel.header?.[0] ?? '').replace(/^Authorization: /, '') },
      body: JSON.stringify(notification),
      signal: AbortSignal.timeout(3_000),
    });
    await response.arrayBuffer();
    return response.ok;
  } catch (error) {
    // The receiver is being killed, or is not there.
    if (error instanceof TypeError || (error instanceof Error && error.name === 'TimeoutError')) return false;
    throw error;
  }
}

async function writeSubscription(version: string, id: string, text: string, response: ServerResponse): Promise<void> {
  const subscription = subscriptions.get(id) ?? { id, version, body: {}, events: [] };
  subscription.body = { ...(JSON.parse(text) as Json), id, status: 'active' };
  subscriptions.set(id, subscription);
  const active = await post(subscription, notificationBundle(`Subscription/${id}`, 'handshake', [], subscription.events.length, false));
  subscription.body = { ...subscription.body, status: active ? 'active' : 'error' };
  reply(response, 201, subscription.body);
}

function askSubscription(id: string, url: URL, response: ServerResponse): void {
  const subscription = subscriptions.get(id);
  if (!subscription) return reply(response, 404, outcome('not-found'));
  const { events } = subscription;
  if (url.pathname.endsWith('$status')) return reply(response, 200, notificationBundle(`Subscription/${id}`, 'query-status', [], events.length, false));
  if (url.pathname.endsWith('$events')) {
    count('events asked for again');
    const number = (name: string, otherwise: number) => Number(url.searchParams.get(name) ?? otherwise);
    const asked = events.filter((event) => event.number >= number('eventsSinceNumber', 0) && event.number <= number('eventsUntilNumber', Number.MAX_SAFE_INTEGER));
    return reply(response, 200, notificationBundle(`Subscription/${id}`, 'query-event', asked, events.length, isFull(subscription)));
  }
  reply(response, 200, subscription.body);
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

const server = createServer(async (request, response) => {
  try {
    await answer(request, response);
  } catch (error) {
    // A sender that was killed in the middle of its request.
    if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') return;
    throw error;
  }
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '', origin);
  const text = await read(request);
  if (url.pathname === '/report') return reply(response, 200, { members: ledger.report(), pended: ledger.pended().length, counts });
  const [, version = '', , ...path] = url.pathname.split('/');
  const operation = path.join('/');
  if (operation === '.well-known/smart-configuration') return reply(response, 200, { token_endpoint: `${origin}/token` });
  if (url.pathname === '/token') {
    const token = randomUUID();
    tokens.add(token);
    return reply(response, 200, { access_token: token, token_type: 'bearer', expires_in: 300 });
  }
  if (!tokens.has(request.headers.authorization?.replace(/^Bearer /, '') ?? '')) return reply(response, 401, outcome('login'));
  if (operation === 'Claim/$submit') return submit(version, text, response);
  if (operation === 'Claim/$inquire') return inquire(version, text, response);
  if (path[0] === 'Subscription' && request.method === 'GET') return askSubscription(path[1] ?? '', url, response);
  if (path[0] === 'Subscription' && request.method !== 'DELETE') return writeSubscription(version, path[1] ?? randomUUID(), text, response);
  reply(response, 404, outcome('not-found'));
}

await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
process.stdout.write(`${JSON.stringify({ base: origin })}\n`);
