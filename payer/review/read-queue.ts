import { z } from 'zod';
import type { Ask } from '../ask/ask.ts';
import type { PayerDatabase } from '../database.ts';
import { confidenceOf, type ItemReview } from '../policy/item-review.ts';
import type { ItemDecision, Reviewer } from '../submit/item-decision.ts';

const MOST_ITEMS = 200;

const FACTS = ['item.id', 'item.case_id', 'item.sequence', 'item.state', 'item.decision', 'item.review', 'item.due_at', 'item.decide_by', 'item.expedited', 'item.claimed_by', 'item.claimed_at', 'found.received_at', 'found.pas_version'] as const;

type At = Date | string | null;

/** What waits for a person, the clock that ends first before the others. `nowMs` in epoch milliseconds. */
export async function readQueue(db: PayerDatabase, nowMs: number) {
  const rows = await db
    .selectFrom('payer.authorization_item as item')
    .innerJoin('payer.authorization_case as found', 'found.id', 'item.case_id')
    .select(FACTS)
    .where('item.state', '=', 'pended')
    .orderBy('item.decide_by')
    .orderBy('found.received_at')
    .orderBy('item.sequence')
    .limit(MOST_ITEMS)
    .execute();
  const open = rows.length === 0 ? [] : await db.selectFrom('payer.information_request').select('item_id').where('state', '=', 'open').where('item_id', 'in', rows.map(({ id }) => id)).execute();
  return rows.map((row) => ({ ...factsOf(row, nowMs), openAsks: open.filter(({ item_id }) => item_id === row.id).length }));
}

/** One item with all that it is decided by; undefined when there is none. */
export async function readQueueItem(db: PayerDatabase, itemId: string, nowMs: number) {
  const id = z.uuid().safeParse(itemId);
  if (!id.success) return undefined;
  const row = await db
    .selectFrom('payer.authorization_item as item')
    .innerJoin('payer.authorization_case as found', 'found.id', 'item.case_id')
    .select([...FACTS, 'found.request', 'found.current_answer', 'found.replaces_id'])
    .where('item.id', '=', id.data)
    .executeTakeFirst();
  if (!row) return undefined;
  const notes = await db.selectFrom('payer.review_note').select(['author', 'words', 'written_at']).where('item_id', '=', row.id).orderBy('written_at').execute();
  const asks = await db.selectFrom('payer.information_request').select(['ask', 'state', 'asked_by', 'asked_at', 'answered_at', 'control_number']).where('item_id', '=', row.id).orderBy('asked_at').execute();
  const attachments = asks.length === 0 ? [] : await db.selectFrom('payer.attachment').select(['control_number', 'code', 'content', 'received_at']).where('control_number', 'in', asks.map(({ control_number }) => control_number)).orderBy('received_at').execute();
  return {
    ...factsOf(row, nowMs),
    state: row.state,
    replaces: row.replaces_id,
    notes: notes.map(({ author, words, written_at }) => ({ author, words, writtenAt: toInstant(written_at) })),
    asks: asks.map(({ ask, state, asked_by, asked_at, answered_at }) => ({ ...(JSON.parse(ask) as Ask), state, askedBy: asked_by, askedAt: toInstant(asked_at), answeredAt: toInstant(answered_at) })),
    attachments: attachments.map(({ control_number, code, content, received_at }) => ({ controlNumber: control_number, code, receivedAt: toInstant(received_at), content: JSON.parse(content) as unknown })),
    request: JSON.parse(row.request) as unknown,
    answer: JSON.parse(row.current_answer) as unknown,
  };
}

interface Row {
  readonly id: string;
  readonly case_id: string;
  readonly sequence: number;
  readonly decision: string;
  readonly review: string;
  readonly due_at: At;
  readonly decide_by: At;
  readonly expedited: boolean;
  readonly claimed_by: string | null;
  readonly claimed_at: At;
  readonly received_at: At;
  readonly pas_version: string;
}

function factsOf(row: Row, nowMs: number) {
  const decision: ItemDecision = JSON.parse(row.decision);
  const review: ItemReview = JSON.parse(row.review);
  const decideBy = toInstant(row.decide_by);
  const claimedBy: Reviewer | null = row.claimed_by === null ? null : JSON.parse(row.claimed_by);
  return {
    id: row.id,
    caseId: row.case_id,
    sequence: row.sequence,
    pasVersion: row.pas_version,
    receivedAt: toInstant(row.received_at),
    /** The legal clock. */
    decideBy,
    msLeft: decideBy === null ? null : Date.parse(decideBy) - nowMs,
    expedited: row.expedited,
    claimedBy: claimedBy?.name ?? null,
    claimedAt: toInstant(row.claimed_at),
    /** When the sandbox's stand-in decides, if no person has; null leaves it to a person. */
    dueAt: toInstant(row.due_at),
    referenceNumber: decision.referenceNumber ?? null,
    service: review.service ?? null,
    asked: review.asked ?? null,
    policy: review.policy ? { id: review.policy.policyId, revision: review.policy.revision } : null,
    criteria: review.criteria,
    /** Share of the criteria that the record proves, 0 to 1. */
    confidence: confidenceOf(review),
    note: decision.note ?? null,
  };
}

const toInstant = (at: At): string | null => (at === null ? null : new Date(at).toISOString());
