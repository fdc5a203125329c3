import { sql, type Transaction } from 'kysely';
import { type AuditTrail } from '#store/audit.ts';
import type { AnyDatabase, Store } from '#store/database.ts';
import { readStored } from '#store/stored-form.ts';
import { uuidv7 } from '#store/uuid.ts';
import type { CdsTables } from '../tables.ts';
import { storedClientSchema, type TrustedCdsClient } from './trusted-client.ts';

/** A client that was registered on the admin page. */
export interface RegisteredClient extends TrustedCdsClient {
  readonly id: string;
  readonly disabled: boolean;
  /** Why this version of the program cannot read the registration, which is then disabled and says nothing but whose it is. */
  readonly unreadable?: string;
}

/** Registrations in the store. Each change is in the audit trail with it, in one transaction. */
export interface RegisteredClients {
  list(): Promise<readonly RegisteredClient[]>;
  /** Takes the place of a disabled registration. False: issuer and tenant are registered already. */
  add(client: TrustedCdsClient): Promise<boolean>;
  setDisabled(id: string, disabled: boolean): Promise<void>;
}

export function openRegisteredClients(store: Store, audit: AuditTrail, now: () => number): RegisteredClients {
  const change = async (action: 'cds-client-added' | 'cds-client-disabled' | 'cds-client-enabled', work: (trx: Transaction<CdsTables & AnyDatabase>) => Promise<{ readonly iss: string } | undefined>): Promise<boolean> =>
    store.transaction(async (trx) => {
      const changed = await work(trx.withTables<CdsTables>());
      if (changed) await audit.recordWithin(trx, { action, who: 'admin', details: { issuer: changed.iss } });
      return changed !== undefined;
    });
  const saidNow = (client: TrustedCdsClient) => ({ registration: JSON.stringify(client), disabled: false, created_at: new Date(now()).toISOString() });
  return {
    async list() {
      const rows = await store.db.withTables<CdsTables>().selectFrom('cds.client').selectAll().orderBy('created_at').execute();
      return rows.map(toClient);
    },
    add: (client) =>
      change('cds-client-added', (trx) =>
        trx
          .insertInto('cds.client')
          .values({ id: uuidv7(now()), iss: client.iss, tenant: client.tenant ?? '', ...saidNow(client) })
          .onConflict((conflict) => conflict.columns(['iss', 'tenant']).doUpdateSet(saidNow(client)).where(sql<boolean>`cds.client.disabled`))
          .returning('iss')
          .executeTakeFirst(),
      ),
    async setDisabled(id, disabled) {
      await change(disabled ? 'cds-client-disabled' : 'cds-client-enabled', (trx) => trx.updateTable('cds.client').set({ disabled }).where('id', '=', id).where('disabled', '=', !disabled).returning('iss').executeTakeFirst());
    },
  };
}

function toClient({ id, iss, tenant, registration, disabled }: CdsTables['cds.client']): RegisteredClient {
  const stored = readStored(storedClientSchema, registration);
  const why = stored.kind === 'unreadable' ? stored.why : stored.value.jku === undefined && stored.value.jwks === undefined ? 'neither jku nor jwks' : undefined;
  if (stored.kind === 'read' && why === undefined) return { ...stored.value, id, disabled };
  // Not left out: its tenant would then be taken for one of the issuer's others.
  return { id, iss, ...(tenant === '' ? {} : { tenant }), name: 'Cannot be read by this version of the program', jwks: { keys: [] }, fhirServers: [], disabled: true, unreadable: why ?? '' };
}
