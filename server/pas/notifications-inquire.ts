import type { Bundle } from '@medplum/fhirtypes';
import { followPended } from '../jobs/follow-pended.ts';
import { submitterOf } from './notifications-want.ts';
import type { SenderParts } from './sender-parts.ts';
import type { PasTables } from './submission-table.ts';

/** While notifications are waited for, a pended request is looked at this seldom. */
const LOOK_AGAIN_MS = 3_600_000;

/**
 * Asks about a pended submission where waiting by inquiry is allowed: always in 2.0.1; in 2.2.1 not while a Subscription works, because `$inquire`
 * lacks what the payer asks for (PAS: SHOULD NOT be used to wait), unless notifications were lost for good.
 */
export async function followByInquiry(parts: SenderParts, submissionId: string): Promise<void> {
  const db = parts.store.db.withTables<PasTables>();
  const submission = db.updateTable('pas.submission').where('id', '=', submissionId);
  if (!(await mayInquire(parts, submissionId))) {
    await submission.where('status', '=', 'pended').set({ next_at: new Date(parts.now() + LOOK_AGAIN_MS).toISOString() }).execute();
    return;
  }
  await followPended(parts, submissionId);
  await submission.where('last_error', 'is', null).set({ inquiry_due: false }).execute();
}

async function mayInquire({ store, payers }: SenderParts, submissionId: string): Promise<boolean> {
  const db = store.db.withTables<PasTables>();
  const row = await db.selectFrom('pas.submission').select(['payer_id', 'pas_version', 'inquiry_due', 'bundle']).where('id', '=', submissionId).executeTakeFirst();
  const payer = row && payers.byId(row.payer_id);
  if (!payer || row.pas_version !== '2.2.1' || row.inquiry_due || payer.subscriptions !== 'rest-hook') return true;
  const organization = submitterOf(JSON.parse(row.bundle) as Bundle, payer);
  const kept = await db.selectFrom('pas.subscription').select(['status', 'organizations']).where('payer_id', '=', row.payer_id).where('status', 'in', ['wanted', 'requested', 'active']).execute();
  return !kept.some(({ organizations }) => (organizations as unknown as readonly string[]).includes(organization ?? ''));
}
