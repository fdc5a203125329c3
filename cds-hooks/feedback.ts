import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Store } from '#store/database.ts';
import { FIRST_INSTANT_MS, LAST_INSTANT_MS } from '#store/storable-instant.ts';
import { isStorable } from '#store/storable-text.ts';
import { kindOfCard } from './card-id.ts';
import { faultWords } from './fault-words.ts';
import { Refusal } from './refusal.ts';
import type { CdsTables } from './tables.ts';

const storable = z.string().refine(isStorable, 'must be well-formed Unicode without U+0000');
const short = storable.min(1).max(200);
/** As the database takes it. ISO 8601 has instants, and distances from UTC, that no database has. */
const instant = z.iso
  .datetime({ offset: true })
  .transform((given) => new Date(given))
  .refine((given) => given.getTime() >= FIRST_INSTANT_MS && given.getTime() <= LAST_INSTANT_MS, 'must be between the years 1 and 9999')
  .transform((given) => given.toISOString());
const feedbackCall = z.looseObject({
  feedback: z
    .array(
      z
        .looseObject({
          card: short,
          outcome: z.enum(['accepted', 'overridden']),
          // Empty for a card that brings no suggestion: a clinician may still say that it was of use.
          acceptedSuggestions: z.array(z.looseObject({ id: short })).optional(),
          overrideReason: z.looseObject({ reason: z.looseObject({ system: storable.max(500).optional(), code: short, display: storable.max(500).optional().catch(undefined) }).optional(), userComment: storable.max(4_000).optional() }).optional(),
          outcomeTimestamp: instant,
        })
        .refine((each) => (each.outcome === 'accepted') === (each.acceptedSuggestions !== undefined), 'must have acceptedSuggestions if, and only if, its outcome is accepted'),
    )
    .min(1)
    .max(200),
});

/** CDS Hooks 2.0 §2.5. @throws Refusal 422 */
export function readFeedback(body: unknown): z.infer<typeof feedbackCall>['feedback'] {
  const parsed = feedbackCall.safeParse(body, { reportInput: true });
  if (!parsed.success) throw new Refusal(422, 'invalid', faultWords(parsed.error.issues));
  return parsed.data.feedback;
}

export interface FeedbackFrom {
  readonly client: string;
  readonly service: string;
  readonly cardKinds: readonly string[];
  readonly nowMs: number;
  readonly retentionDays: number;
  /** The store does not answer, and the client is told so. */
  readonly onStoreError?: (error: unknown) => void;
}

/** A client that is told to come again waits for us no longer than this. */
const WAIT_MS = 1_500;

/** What comes again, word for word, is stored once. @throws Refusal 503 */
export async function storeFeedback(store: Store, feedback: ReturnType<typeof readFeedback>, from: FeedbackFrom): Promise<void> {
  const rows = feedback.map(({ card, outcome, outcomeTimestamp, overrideReason }) => {
    const given = {
      client: from.client,
      service: from.service,
      card,
      outcome,
      outcome_at: outcomeTimestamp,
      override_reason: overrideReason?.reason ? `${overrideReason.reason.system ?? ''}|${overrideReason.reason.code}` : null,
      override_display: overrideReason?.reason?.display ?? null,
      user_comment: overrideReason?.userComment ?? null,
    };
    return { id: idOf(given), received_at: new Date(from.nowMs).toISOString(), expires_at: new Date(from.nowMs + from.retentionDays * 86_400_000).toISOString(), card_kind: kindOfCard(card, from.cardKinds) ?? '', ...given };
  });
  const db = store.db.withTables<CdsTables>();
  const write = async (): Promise<void> => {
    await db.deleteFrom('cds.feedback').where('expires_at', '<', new Date(from.nowMs).toISOString()).execute();
    await db.insertInto('cds.feedback').values(rows).onConflict((conflict) => conflict.doNothing()).execute();
  };
  await inTime(write()).catch((error: unknown) => {
    if (isOurFault(error)) throw error;
    from.onStoreError?.(error);
    throw new Refusal(503, 'transient', 'The feedback could not be stored. Send it again later.');
  });
}

/** UUID version 8 (RFC 9562) of what was given. */
function idOf(given: object): string {
  const hash = createHash('sha256').update(JSON.stringify(given)).digest('hex');
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

async function inTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the store did not answer in time')), WAIT_MS);
  });
  work.catch(() => undefined);
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** SQLSTATE classes of a statement or value that the database does not take: it would not take it later either. */
function isOurFault(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^(?:22|23|42)\w{3}$/.test(error.code);
}
