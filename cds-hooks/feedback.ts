import { z } from 'zod';
import type { Store } from '#store/database.ts';
import { isStorable } from '#store/storable-text.ts';
import { uuidv7 } from '#store/uuid.ts';
import { kindOfCard } from './card-id.ts';
import { Refusal } from './refusal.ts';
import type { CdsTables } from './tables.ts';

const storable = z.string().refine(isStorable, 'must be well-formed Unicode without U+0000');
const short = storable.min(1).max(200);
const feedbackCall = z.looseObject({
  feedback: z
    .array(
      z
        .looseObject({
          card: short,
          outcome: z.enum(['accepted', 'overridden']),
          // Empty for a card that brings no suggestion: a clinician may still say that it was of use.
          acceptedSuggestions: z.array(z.looseObject({ id: short })).optional(),
          overrideReason: z.looseObject({ reason: z.looseObject({ system: storable.max(500).optional(), code: short }).optional(), userComment: storable.max(4_000).optional() }).optional(),
          outcomeTimestamp: z.iso.datetime({ offset: true }),
        })
        .refine((each) => (each.outcome === 'accepted') === (each.acceptedSuggestions !== undefined), 'acceptedSuggestions if, and only if, accepted'),
    )
    .min(1)
    .max(200),
});

/** CDS Hooks 2.0 §2.5. @throws Refusal 422 */
export function readFeedback(body: unknown): z.infer<typeof feedbackCall>['feedback'] {
  const parsed = feedbackCall.safeParse(body);
  if (!parsed.success) throw new Refusal(422, 'invalid', parsed.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`).join('; '));
  return parsed.data.feedback;
}

export async function storeFeedback(store: Store, feedback: ReturnType<typeof readFeedback>, from: { readonly client: string; readonly service: string; readonly cardKinds: readonly string[]; readonly nowMs: number; readonly retentionDays: number }): Promise<void> {
  const rows = feedback.map(({ card, outcome, outcomeTimestamp, overrideReason }) => ({
    id: uuidv7(from.nowMs),
    received_at: new Date(from.nowMs).toISOString(),
    expires_at: new Date(from.nowMs + from.retentionDays * 86_400_000).toISOString(),
    client: from.client,
    service: from.service,
    card,
    card_kind: kindOfCard(card, from.cardKinds) ?? '',
    outcome,
    outcome_at: outcomeTimestamp,
    override_reason: overrideReason?.reason ? `${overrideReason.reason.system ?? ''}|${overrideReason.reason.code}` : null,
    user_comment: overrideReason?.userComment ?? null,
  }));
  const db = store.db.withTables<CdsTables>();
  await db.deleteFrom('cds.feedback').where('expires_at', '<', new Date(from.nowMs).toISOString()).execute();
  await db.insertInto('cds.feedback').values(rows).execute();
}
