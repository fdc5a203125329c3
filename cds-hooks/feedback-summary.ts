import { sql } from 'kysely';
import type { Store } from '#store/database.ts';
import type { CardKind } from './card-kinds.ts';
import type { CdsTables } from './tables.ts';

/** What clinicians did with the cards of one kind, as far as their systems reported it. */
export interface KindFeedback {
  readonly kind: string;
  readonly name: string;
  /** Response type of CRD; `unknown` of a card that no present policy makes. */
  readonly type: string;
  readonly topic: string;
  readonly accepted: number;
  readonly overridden: number;
  /** Most frequent first. Overridden cards without a reason are not among them. */
  readonly reasons: readonly { readonly code: string; readonly display: string; readonly count: number }[];
  /** Newest first. */
  readonly comments: readonly string[];
}

const MAX_COMMENTS = 5;
/** Of a card that no present policy makes nothing is known but its id. */
const OTHER: Omit<CardKind, 'kind' | 'type'> & { readonly type: string } = { name: 'Other cards', type: 'unknown', topic: '', reasons: {} };

const newestDisplay = sql<string | null>`(array_agg(override_display order by received_at desc) filter (where override_display is not null))[1]`.as('display');

/** Feedback of the kept days, by kind of card, the most reported first. Cards that no present policy makes are counted together. */
export async function feedbackSummary(store: Store, kinds: readonly CardKind[]): Promise<readonly KindFeedback[]> {
  const db = store.db.withTables<CdsTables>();
  const [counts, comments] = await Promise.all([
    db.selectFrom('cds.feedback').select(['card_kind', 'outcome', 'override_reason', ({ fn }) => fn.countAll().as('count'), newestDisplay]).groupBy(['card_kind', 'outcome', 'override_reason']).execute(),
    db
      .with('numbered', (from) => from.selectFrom('cds.feedback').select(['card_kind', 'user_comment', sql<number>`row_number() over (partition by card_kind order by received_at desc)`.as('place')]).where('user_comment', 'is not', null))
      .selectFrom('numbered').select(['card_kind', 'user_comment']).where('place', '<=', MAX_COMMENTS).orderBy('place').execute(),
  ]);
  const known = new Map(kinds.map((kind) => [kind.kind, kind]));
  return [...new Set(counts.map(({ card_kind }) => card_kind))]
    .map((kind): KindFeedback => {
      const { name, type, topic, reasons: words } = known.get(kind) ?? OTHER;
      const ofKind = counts.filter(({ card_kind }) => card_kind === kind);
      const total = (outcome: string): number => ofKind.reduce((sum, row) => (row.outcome === outcome ? sum + Number(row.count) : sum), 0);
      const reasons = ofKind.flatMap(({ override_reason: reason, display, count }) => {
        if (reason === null) return [];
        const code = reason.slice(reason.lastIndexOf('|') + 1);
        return [{ code: reason, display: words[code] ?? display ?? code, count: Number(count) }];
      });
      return {
        kind, name: kind === '' || known.has(kind) ? name : kind, type, topic,
        accepted: total('accepted'), overridden: total('overridden'),
        reasons: reasons.toSorted((a, b) => b.count - a.count),
        comments: comments.flatMap(({ card_kind, user_comment }) => (card_kind === kind && user_comment !== null ? [user_comment] : [])),
      };
    })
    .toSorted((a, b) => b.accepted + b.overridden - (a.accepted + a.overridden) || Number(a.type === OTHER.type) - Number(b.type === OTHER.type) || a.name.localeCompare(b.name));
}
