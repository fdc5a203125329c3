import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import type { KeyRing } from '#store/signing-keys.ts';

/** Our key set may be kept for five minutes by who reads it; an hour suits those who keep it longer. The old keys stay a day, for clocks and queues. */
export const ROTATION_TIMES = { leadMs: 3_600_000, overlapMs: 86_400_000 } as const;

export async function rotateKeys({ store, audit, keys }: { readonly store: Store; readonly audit: AuditTrail; readonly keys: KeyRing }, times: { readonly leadMs: number; readonly overlapMs: number }): Promise<void> {
  await store.transaction(async (trx) => {
    await keys.rotateWithin(trx, times);
    await audit.recordWithin(trx, { action: 'signing-keys-rotated', who: 'admin', details: { ...times } });
  });
  await keys.reload();
}
