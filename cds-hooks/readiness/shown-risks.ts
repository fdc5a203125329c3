import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { referenceTo } from '#fhir/base/reference.ts';
import type { DenialRisk } from '#prior-auth/learning/denial-risk.ts';
import type { Store } from '#store/database.ts';
import type { DeterminedFocus } from '../determined-focus.ts';
import type { Hook } from '../hook-call.ts';
import type { CdsTables } from '../tables.ts';

/**
 * Which denial-risk cards a clinician has seen at an earlier hook, so that signing does not repeat what selecting said.
 * Kept under a keyed hash of client, patient, order and what the card said; nothing of the record is kept, and all of it only for some hours.
 */
export interface ShownRisks {
  /** True when another hook has shown this card; a card that says something new is not the same card. */
  seenElsewhere(shown: ShownRisk): boolean;
  note(shown: ShownRisk): void;
  /** Writes what this process has shown, reads what others have, forgets what has expired. */
  flush(): Promise<void>;
}

export interface ShownRisk {
  readonly hook: Hook;
  /** Whose order it is: two clients may use the same ids. */
  readonly client: string;
  readonly patientId: string;
  readonly focus: DeterminedFocus;
  readonly risk: DenialRisk;
}

const KEPT_MS = 12 * 3_600_000;
/** Oldest go first. */
const MAX_KEPT = 50_000;
/** Rows of other processes may be written a little later than their time says. */
const OVERLAP_MS = 10_000;

export async function openShownRisks(store: Store, now: () => number): Promise<ShownRisks> {
  const db = store.db.withTables<CdsTables>();
  const secret = await readSecret(store);
  const process = randomUUID();
  /** By key; in the order in which they were shown. */
  const kept = new Map<string, { readonly hook: string; readonly shownMs: number }>();
  let unwritten: CdsTables['cds.shown_risk'][] = [];
  let readUpTo = now() - KEPT_MS;

  const keyOf = ({ client, patientId, focus, risk }: ShownRisk): string => {
    const said = [risk.band, ...focus.determination.findings.map(({ criterionId, status }) => `${criterionId}=${status}`)];
    return createHmac('sha256', secret).update(JSON.stringify([client, patientId, referenceTo(focus.focus) ?? '', ...said])).digest('base64url');
  };
  const keep = (key: string, hook: string, shownMs: number): void => {
    if (kept.has(key)) return;
    kept.set(key, { hook, shownMs });
    if (kept.size > MAX_KEPT) for (const oldest of kept.keys()) { kept.delete(oldest); break; }
  };
  return {
    seenElsewhere(shown) {
      if (kept.size === 0) return false;
      const found = kept.get(keyOf(shown));
      return found !== undefined && found.hook !== shown.hook && found.shownMs > now() - KEPT_MS;
    },
    note(shown) {
      const key = keyOf(shown);
      if (kept.has(key)) return;
      keep(key, shown.hook, now());
      if (unwritten.length < MAX_KEPT) unwritten.push({ key, hook: shown.hook, shown_at: new Date(now()).toISOString(), process });
    },
    async flush() {
      const startedAt = now();
      const expired = new Date(startedAt - KEPT_MS).toISOString();
      const writing = unwritten;
      unwritten = [];
      try {
        for (let i = 0; i < writing.length; i += 500) await db.insertInto('cds.shown_risk').values(writing.slice(i, i + 500)).onConflict((conflict) => conflict.doNothing()).execute();
      } catch (error) {
        unwritten = [...writing, ...unwritten].slice(-MAX_KEPT);
        throw error;
      }
      const rows = await db.selectFrom('cds.shown_risk').select(['key', 'hook', 'shown_at']).where('shown_at', '>', new Date(readUpTo).toISOString()).where('process', '<>', process).orderBy('shown_at').limit(MAX_KEPT).execute();
      for (const { key, hook, shown_at } of rows) keep(key, hook, new Date(shown_at).getTime());
      readUpTo = startedAt - OVERLAP_MS;
      for (const [key, { shownMs }] of kept) if (shownMs <= startedAt - KEPT_MS) kept.delete(key);
      await db.deleteFrom('cds.shown_risk').where('shown_at', '<=', expired).execute();
    },
  };
}

/** One key for all processes of the store, made at the first start. */
async function readSecret(store: Store): Promise<string> {
  const db = store.db.withTables<CdsTables>();
  await db.insertInto('cds.hash_key').values({ name: 'shown-risk', secret: randomBytes(32).toString('base64url') }).onConflict((conflict) => conflict.doNothing()).execute();
  return (await db.selectFrom('cds.hash_key').select('secret').where('name', '=', 'shown-risk').executeTakeFirstOrThrow()).secret;
}
