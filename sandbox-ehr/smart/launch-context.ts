import { randomBytes } from 'node:crypto';
import { isStorable } from '#store/storable-text.ts';
import type { EhrDatabase } from '../tables.ts';

/** What the EHR tells a launched app (SMART 2.2, launch context). */
export interface LaunchContext {
  readonly patient: string | undefined;
  readonly encounter: string | undefined;
  readonly fhirContext: readonly { readonly reference: string }[];
  readonly intent?: string | undefined;
  /** Who pressed the button, "Practitioner/…". */
  readonly user: string;
}

const LAUNCH_LIFETIME_MS = 5 * 60_000;

/** Stores the context under a random id that can be used once; the app learns nothing from the id itself. */
export async function createLaunch(db: EhrDatabase, context: LaunchContext, nowMs: number): Promise<string> {
  const id = randomBytes(24).toString('base64url');
  await db.insertInto('ehr.launch').values({ id, context: JSON.stringify(context), expires_ms: nowMs + LAUNCH_LIFETIME_MS, used_ms: null }).execute();
  return id;
}

export async function peekLaunch(db: EhrDatabase, id: string, nowMs: number): Promise<LaunchContext | undefined> {
  // The database would refuse to look for an id that it could not have kept.
  if (!isStorable(id)) return undefined;
  const row = await db.selectFrom('ehr.launch').select('context').where('id', '=', id).where('used_ms', 'is', null).where('expires_ms', '>', nowMs).executeTakeFirst();
  return row && (JSON.parse(row.context) as LaunchContext);
}

/** Marks the launch as used; undefined when it was used meanwhile. */
export async function takeLaunch(db: EhrDatabase, id: string, nowMs: number): Promise<LaunchContext | undefined> {
  const row = await db.updateTable('ehr.launch').set({ used_ms: nowMs }).where('id', '=', id).where('used_ms', 'is', null).where('expires_ms', '>', nowMs).returning('context').executeTakeFirst();
  return row && (JSON.parse(row.context) as LaunchContext);
}

export async function saveGrantContext(db: EhrDatabase, grantId: string, context: LaunchContext): Promise<void> {
  await db.insertInto('ehr.grant_context').values({ grant_id: grantId, context: JSON.stringify(context) }).execute();
}

export async function readGrantContext(db: EhrDatabase, grantId: string): Promise<LaunchContext | undefined> {
  const row = await db.selectFrom('ehr.grant_context').select('context').where('grant_id', '=', grantId).executeTakeFirst();
  return row && (JSON.parse(row.context) as LaunchContext);
}
