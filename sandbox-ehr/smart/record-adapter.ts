import { type Adapter, errors } from 'oidc-provider';
import { isStorable } from '#store/storable-text.ts';
import type { EhrDatabase } from '../tables.ts';
import { clientMetadata } from './client.ts';
import type { ClientRegister } from './client-register.ts';

/** Keeps oidc-provider's records (codes, grants, refresh tokens, seen assertion ids) in ehr.oauth_record; clients come from the register. */
export function recordAdapter(db: EhrDatabase, clients: ClientRegister, now: () => number): (model: string) => Adapter {
  return (model) => {
    const rows = () => db.selectFrom('ehr.oauth_record').selectAll().where('model', '=', model);
    const read = async (query: ReturnType<typeof rows>): Promise<object | undefined> => {
      const row = await query.executeTakeFirst();
      if (!row || (row.expires_ms !== null && row.expires_ms <= now())) return undefined;
      return { ...JSON.parse(row.payload), ...(row.consumed_ms === null ? {} : { consumed: Math.floor(row.consumed_ms / 1000) }) };
    };
    return {
      async upsert(id, payload, expiresInSeconds) {
        const { grantId, uid } = payload as { readonly grantId?: string; readonly uid?: string };
        const row = {
          payload: JSON.stringify(payload),
          grant_id: grantId ?? null,
          uid: uid ?? null,
          expires_ms: expiresInSeconds === undefined ? null : now() + expiresInSeconds * 1000,
        };
        await db.insertInto('ehr.oauth_record').values({ model, id, consumed_ms: null, ...row }).onConflict((c) => c.columns(['model', 'id']).doUpdateSet(row)).execute();
      },
      // The database would refuse to look for an id that it could not have kept.
      async find(id) {
        if (!isStorable(id)) return undefined;
        if (model !== 'Client') return read(rows().where('id', '=', id));
        const client = await clients.find(id);
        return client && clientMetadata(client);
      },
      findByUid: (uid) => read(rows().where('uid', '=', uid)),
      findByUserCode: async () => undefined,
      async consume(id) {
        const { numUpdatedRows } = await db.updateTable('ehr.oauth_record').set({ consumed_ms: now() }).where('model', '=', model).where('id', '=', id).where('consumed_ms', 'is', null).executeTakeFirst();
        // Two exchanges of the same code at the same moment: only one may win.
        if (numUpdatedRows === 0n) throw new errors.InvalidGrant('already used');
      },
      async destroy(id) {
        await db.deleteFrom('ehr.oauth_record').where('model', '=', model).where('id', '=', id).execute();
      },
      async revokeByGrantId(grantId) {
        await db.deleteFrom('ehr.oauth_record').where('model', '=', model).where('grant_id', '=', grantId).execute();
      },
    };
  };
}

/** Expired rows serve nobody; called at start and then now and again. */
export async function deleteExpired(db: EhrDatabase, nowMs: number): Promise<void> {
  await db.deleteFrom('ehr.oauth_record').where('expires_ms', '<', nowMs).execute();
  await db.deleteFrom('ehr.grant_context').where('grant_id', 'not in', db.selectFrom('ehr.oauth_record').select('id').where('model', '=', 'Grant')).execute();
  await db.deleteFrom('ehr.launch').where('expires_ms', '<', nowMs).execute();
  await db.deleteFrom('ehr.revoked_token').where('expires_ms', '<', nowMs).execute();
  await db.deleteFrom('ehr.ui_session').where('expires_ms', '<', nowMs).execute();
}
