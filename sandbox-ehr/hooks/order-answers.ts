import { sql } from 'kysely';
import type { EhrDatabase } from '../tables.ts';
import type { GivenCard, HookOutcome } from './ask-order-service.ts';

/** What the payer's service last said about an order, as the screens show it. */
export interface HookAnswer {
  readonly hook: { readonly ms: number; readonly status: number | null };
  readonly cards: readonly GivenCard[];
  /** Which suggestions the clinician has taken, by `suggestionKey`. */
  readonly accepted?: readonly string[];
  readonly failure?: { readonly kind: 'refused' | 'failed'; readonly message: string };
}

export function toHookAnswer(outcome: HookOutcome, tookMs: number): HookAnswer {
  return {
    hook: { ms: Math.round(tookMs), status: outcome.status },
    cards: outcome.kind === 'answered' ? outcome.cards : [],
    ...(outcome.kind === 'answered' ? {} : { failure: { kind: outcome.kind, message: outcome.message } }),
  };
}

const DAY_MS = 86_400_000;

/** Only inside a transaction, before it writes resources: until it ends, nobody else takes a suggestion of this answer. */
export async function lockHookAnswer(db: EhrDatabase, order: string): Promise<HookAnswer | undefined> {
  const row = await db.selectFrom('ehr.order_hook').select('outcome').where('order_reference', '=', order).forUpdate().executeTakeFirst();
  return row && (JSON.parse(row.outcome) as HookAnswer);
}

export async function keepHookAnswer(db: EhrDatabase, order: string, nowMs: number, answer: HookAnswer): Promise<void> {
  const row = { answered_ms: nowMs, outcome: JSON.stringify(answer) };
  await db.insertInto('ehr.order_hook').values({ order_reference: order, ...row }).onConflict((c) => c.column('order_reference').doUpdateSet(row)).execute();
}

/** Answers about orders that were picked and never written. */
export async function dropAbandonedAnswers(db: EhrDatabase, nowMs: number): Promise<void> {
  await sql`delete from ehr.order_hook h where h.answered_ms < ${nowMs - DAY_MS}
    and not exists (select 1 from ehr.resource r where r.type = split_part(h.order_reference, '/', 1) and r.id = split_part(h.order_reference, '/', 2))`.execute(db);
}

/**
 * A service may leave out at signing what it said while the order was written (CRD: nothing is repeated). So the earlier cards stay,
 * but those of a topic that it speaks of again.
 */
export function withEarlierCards(cards: readonly GivenCard[], earlier: readonly GivenCard[]): readonly GivenCard[] {
  const topic = (card: GivenCard): string => card.source.topic?.code ?? card.summary;
  const again = new Set(cards.map(topic));
  return [...cards, ...earlier.filter((card) => !again.has(topic(card)))];
}

/** Each answer gives its cards and suggestions new ids: a suggestion is known again by what it says. */
export const suggestionKey = (card: GivenCard, { label }: { readonly label: string }): string => JSON.stringify([card.summary, label]);

/** A suggestion that was taken says so in every later answer about its order, and is not offered again. */
export function withAccepted(answer: HookAnswer, accepted: readonly string[] = []): HookAnswer {
  if (accepted.length === 0) return answer;
  const marked = (card: GivenCard): GivenCard => ({ ...card, ...(card.suggestions && { suggestions: card.suggestions.map((one) => (accepted.includes(suggestionKey(card, one)) ? { ...one, accepted: true } : one)) }) });
  return { ...answer, cards: answer.cards.map(marked), accepted };
}
