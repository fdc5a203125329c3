import { isDeepStrictEqual } from 'node:util';
import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import { z } from 'zod';
import { extensionsByUrl } from '#fhir/base/extension.ts';
import { relativeReference } from '#fhir/base/reference.ts';
import { PAS_EXTENSIONS } from '#fhir/pas/canonical-urls.ts';
import { readDecision } from '#prior-auth/payer-decision/read-decision.ts';
import type { AnyDatabase } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';
import { parseJson } from '../payer/payer-client.ts';
import { askedOf } from '../payer/submit.ts';
import { QUEUES, type SenderParts } from './sender-parts.ts';
import { type PasTables, type SubmissionRow, toSubmissionRow } from './submission-table.ts';

const LONGEST_WAIT_MS = 60_000;
const MOST_CANDIDATES = 20;

/** What became of an event. `waiting`: the submission it speaks of is still on its way; the answer to that comes first. */
type EventOutcome =
  | { readonly kind: 'done'; readonly submissionId?: string; readonly note?: string }
  | { readonly kind: 'left'; readonly submissionId?: string; readonly note: string }
  | { readonly kind: 'waiting' };

/**
 * Works off one stored event, in one transaction with its number: a full resource is read and recorded like any answer of the payer's; an id
 * leads to an inquiry. An event that runs twice finds itself done; one that was overtaken by a later one of the same request is left.
 */
export async function recordEvent(parts: SenderParts, eventId: string): Promise<void> {
  const { store, now } = parts;
  await store.transaction(async (trx) => {
    const pas = trx.withTables<PasTables>();
    const event = await pas.selectFrom('pas.subscription_event').selectAll().where('id', '=', eventId).where('state', '=', 'waiting').forUpdate().skipLocked().executeTakeFirst();
    const subscription = event && (await pas.selectFrom('pas.subscription').select('payer_id').where('id', '=', event.subscription).executeTakeFirst());
    if (!event || !subscription) return;
    const told: StoredEvent = {
      subscription: event.subscription, reference: event.reference, number: event.event_number, focus: event.focus,
      payerId: subscription.payer_id, receivedAt: new Date(event.received_at).toISOString(),
    };
    const outcome = event.answer === null ? await inquireAbout(parts, trx, told) : await recordAnswer(parts, trx, told, event.answer);
    const change = pas.updateTable('pas.subscription_event').where('id', '=', eventId);
    if (outcome.kind === 'waiting') {
      await change.set({ attempts: event.attempts + 1, next_at: new Date(now() + Math.min(1_000 * 2 ** Math.min(event.attempts, 10), LONGEST_WAIT_MS)).toISOString() }).execute();
      return;
    }
    // An answer that was recorded stands in pas.answer; one that was left stays for a person to look at.
    await change.set({ state: outcome.kind, note: outcome.note ?? null, submission_id: outcome.submissionId ?? null, next_at: null, ...(outcome.kind === 'done' ? { answer: null } : {}) }).execute();
    if (outcome.kind === 'left') parts.log.warn({ payerId: told.payerId, eventId, submissionId: outcome.submissionId, why: outcome.note }, 'notification left');
  });
}

interface StoredEvent {
  readonly subscription: string;
  readonly reference: string;
  readonly number: number | null;
  readonly focus: string | null;
  readonly payerId: string;
  readonly receivedAt: string;
}

async function recordAnswer(parts: SenderParts, trx: Transaction<AnyDatabase>, event: StoredEvent, text: string): Promise<EventOutcome> {
  const { now, cases, audit, log } = parts;
  const payer = parts.payers.byId(event.payerId);
  if (!payer) return { kind: 'left', note: 'PAYER_NOT_CONFIGURED' };
  const answer = parseJson(text);
  const row = await namedSubmission(trx, event, answer);
  if (row.kind !== 'found') return row;
  const { submission } = row;
  const left = (note: string): EventOutcome => ({ kind: 'left', submissionId: submission.id, note });
  const reading = readDecision(answer, askedOf({ ...payer, pasVersion: submission.pasVersion }, submission.keys, event.receivedAt, true));
  if (reading.kind === 'no-decision') return left(`PAYER_ANSWER_UNREADABLE: ${reading.why}`);
  const { decision } = reading;
  if (await isOvertaken(trx, event, submission.id)) return { kind: 'done', submissionId: submission.id, note: 'overtaken by a later event' };
  if (submission.status === 'decided' && isDeepStrictEqual(decision, submission.decision)) return { kind: 'done', submissionId: submission.id, note: 'known already' };
  const pas = trx.withTables<PasTables>();
  if (!reading.isFinal && decision.overall !== 'pended') {
    const why = `PAYER_ANSWER_UNREADABLE: ${decision.overall}`;
    await pas.updateTable('pas.submission').set({ last_error: why }).where('id', '=', submission.id).execute();
    return left(why);
  }
  const knownAt = submission.decision?.decidedAt ?? '';
  if (submission.status === 'decided' && !reading.isFinal) return left('pended, after it was decided');
  // A decision always takes the place of a pended answer; anything else must be newer than what it replaces.
  if (submission.status === 'decided' && decision.decidedAt <= knownAt) return left('another decision, and no newer than the one that is known');
  if (!reading.isFinal && decision.decidedAt < knownAt) return { kind: 'done', submissionId: submission.id, note: 'older than what is known' };

  const nowMs = now();
  const status = reading.isFinal ? ('decided' as const) : ('pended' as const);
  const submittedAt = submission.submittedAt ?? event.receivedAt;
  await pas
    .updateTable('pas.submission')
    .set({ status, last_error: null, next_at: reading.isFinal ? null : new Date(nowMs + parts.inquiryIntervalMs).toISOString(), decision: JSON.stringify(decision) })
    .where('id', '=', submission.id)
    .execute();
  await pas.insertInto('pas.answer').values({ id: uuidv7(nowMs), submission_id: submission.id, operation: 'notification', http_status: 200, body: text, received_at: event.receivedAt }).execute();
  const behind = await pas.selectFrom('pas.submission').select('id').where('case_id', '=', submission.caseId).where('status', 'in', ['queued', 'held']).executeTakeFirst();
  const told = reading.isFinal ? { kind: 'decided' as const, submittedAt, decision } : { kind: 'pended' as const, submittedAt, decision, asks: reading.asks };
  await cases.recordAnswer(trx, submission.caseId, told, behind ? 'before' : 'latest');
  await audit.recordWithin(trx, { action: 'payer-decision-received', who: payer.id, caseId: submission.caseId, details: { submissionId: submission.id, overall: decision.overall } });
  log.info({ submissionId: submission.id, caseId: submission.caseId, payerId: payer.id, event: event.number, answer: status }, 'notification recorded');
  return { kind: 'done', submissionId: submission.id };
}

type Named = { readonly kind: 'found'; readonly submission: SubmissionRow } | EventOutcome;

const list = <T extends z.ZodType>(item: T) => z.array(item).catch([]);
const traced = z.looseObject({ extension: list(z.looseObject({ url: z.string(), valueIdentifier: z.looseObject({ value: z.string().optional() }).optional() })) });
const namesSchema = z.looseObject({
  entry: list(z.looseObject({
    resource: z.looseObject({
      resourceType: z.string(),
      request: z.looseObject({ reference: z.string().optional(), identifier: z.looseObject({ value: z.string().optional() }).optional() }).optional().catch(undefined),
      item: list(traced),
      addItem: list(traced),
    }).optional().catch(undefined),
  })),
});

/** The submission that the answer names: by the request it echoes, else by its items' trace numbers, which an update shares with what it changes. */
async function namedSubmission(trx: Transaction<AnyDatabase>, event: StoredEvent, answer: unknown): Promise<Named> {
  const responses = namesSchema.safeParse(answer).data?.entry.flatMap(({ resource }) => (resource?.resourceType === 'ClaimResponse' ? [resource] : [])) ?? [];
  const requests = responses.flatMap(({ request }) => request?.reference ?? []);
  const claims = responses.flatMap(({ request }) => request?.identifier?.value ?? []);
  const traces = responses.flatMap(({ item, addItem }) => [...item, ...addItem].flatMap((line) => extensionsByUrl(line as Parameters<typeof extensionsByUrl>[0], PAS_EXTENSIONS.itemTraceNumber).flatMap(({ valueIdentifier }) => valueIdentifier?.value ?? [])));
  const keys: readonly RawBuilder<boolean>[] = [
    ...requests.map((claimFullUrl) => sql<boolean>`keys ->> 'claimFullUrl' = ${claimFullUrl}`),
    ...claims.map((claimIdentifier) => sql<boolean>`claim_identifier = ${claimIdentifier}`),
    ...[...new Set(traces)].map((traceNumber) => sql<boolean>`keys -> 'items' @> ${JSON.stringify([{ traceNumber }])}::jsonb`),
  ];
  if (keys.length === 0) return { kind: 'left', note: 'names no request' };
  const found = await trx
    .withTables<PasTables>()
    .selectFrom('pas.submission')
    .selectAll()
    .where('payer_id', '=', event.payerId)
    .where((where) => where.or(keys))
    .orderBy('queued_at', 'desc')
    .limit(MOST_CANDIDATES)
    .forUpdate()
    .execute();
  const rows = found.map(toSubmissionRow);
  const echoed = rows.find(({ keys: { claimFullUrl, claimIdentifier } }) => requests.includes(claimFullUrl) || claims.includes(claimIdentifier));
  const standing = rows.find(({ status }) => status === 'pended' || status === 'decided');
  const submission = echoed ?? standing ?? rows[0];
  switch (submission?.status) {
    case 'pended':
    case 'decided':
      return { kind: 'found', submission };
    case 'queued':
    case 'held':
      return { kind: 'waiting' };
    default:
      return submission ? { kind: 'done', submissionId: submission.id, note: `about a request that is ${submission.status}` } : { kind: 'left', note: 'about no request of ours' };
  }
}

async function isOvertaken(trx: Transaction<AnyDatabase>, { subscription, reference, number }: StoredEvent, submissionId: string): Promise<boolean> {
  if (number === null) return false;
  const later = await trx
    .withTables<PasTables>()
    .selectFrom('pas.subscription_event')
    .select('id')
    .where('submission_id', '=', submissionId)
    .where('subscription', '=', subscription)
    .where('reference', '=', reference)
    .where('event_number', '>', number)
    .where('state', '=', 'done')
    .limit(1)
    .executeTakeFirst();
  return later !== undefined;
}

/** An event of which only an id is known. One that names nothing of ours is about one of the pended requests. */
async function inquireAbout(parts: SenderParts, trx: Transaction<AnyDatabase>, { focus, payerId }: StoredEvent): Promise<EventOutcome> {
  const names = focus === null ? [] : [...new Set([focus, relativeReference(focus) ?? focus])];
  const named = names.length === 0 ? [] : await trx
    .withTables<PasTables>()
    .selectFrom('pas.submission')
    .select('id')
    .where('payer_id', '=', payerId)
    .where('status', '=', 'pended')
    .where((where) => where.or(names.map((name) => sql<boolean>`response_references @> ${JSON.stringify([name])}::jsonb`)))
    .execute();
  for (const { id } of named) await parts.jobs.sendWithin(trx, QUEUES.inquire, { submissionId: id });
  const [only] = named;
  if (only) return { kind: 'done', submissionId: only.id };
  await inquireAboutAll(parts, trx, payerId);
  return { kind: 'done', note: 'names none of our pended requests; each was asked about' };
}

/** Makes every pended submission to the payer due: the sender's tick asks about each once, however often this is said. */
export async function inquireAboutAll({ now }: Pick<SenderParts, 'now'>, trx: Kysely<AnyDatabase>, payerId: string): Promise<void> {
  const at = new Date(now()).toISOString();
  await trx
    .withTables<PasTables>()
    .updateTable('pas.submission')
    .set({ next_at: at, inquiry_due: true })
    .where('payer_id', '=', payerId)
    .where('status', '=', 'pended')
    .where('inquiry_due', '=', false)
    .execute();
}
