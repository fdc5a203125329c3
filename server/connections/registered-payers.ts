import { sql } from 'kysely';
import { payerSchema } from '#policies/payer-schema.ts';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import type { PartMigrations } from '#store/migrate.ts';
import { readStored, type UnreadableRow } from '#store/stored-form.ts';

type ConnectionTables = {
  'connections.payer': { id: string; registration: unknown; disabled: boolean; created_at: string; changed_at: string };
  'connections.payer_mode': { payer_id: string; mode: string; changed_at: string };
};

export const PAYER_MIGRATIONS: PartMigrations = {
  '000001-payers': `
    create schema if not exists connections;
    create table connections.payer (id text primary key, registration jsonb not null, disabled boolean not null, created_at timestamptz not null, changed_at timestamptz not null);
    create table connections.payer_mode (payer_id text primary key, mode text not null, changed_at timestamptz not null)`,
};

export interface KnownPayer {
  readonly source: 'file' | 'admin-page';
  readonly payer: Payer;
  readonly disabled: boolean;
}

export interface StoredPayers {
  /** As registered: addresses may be paths. */
  readonly registered: readonly KnownPayer[];
  /** Registrations that this version of the program cannot read: nobody is sent to these payers. */
  readonly unreadable: readonly UnreadableRow[];
  /** Of any payer, those of the file too. */
  readonly modes: ReadonlyMap<string, 'electronic' | 'manual'>;
}

/** Registrations in the store. Each change is in the audit trail with it, in one transaction. */
export interface RegisteredPayers {
  read(): Promise<StoredPayers>;
  save(payer: Payer): Promise<void>;
  setDisabled(id: string, disabled: boolean): Promise<void>;
  setMode(id: string, mode: 'electronic' | 'manual'): Promise<void>;
}

export function openRegisteredPayers(store: Store, audit: AuditTrail, now: () => number): RegisteredPayers {
  const at = () => new Date(now()).toISOString();
  return {
    async read() {
      const db = store.db.withTables<ConnectionTables>();
      const rows = await db.selectFrom('connections.payer').selectAll().orderBy('created_at').orderBy('id').execute();
      const modes = await db.selectFrom('connections.payer_mode').selectAll().orderBy('payer_id').execute();
      const read = rows.map(({ id, registration, disabled }) => ({ id, disabled, stored: readStored(payerSchema, registration) }));
      return {
        registered: read.flatMap(({ stored, disabled }) => (stored.kind === 'read' ? [{ source: 'admin-page', payer: stored.value, disabled }] : [])),
        unreadable: read.flatMap(({ id, stored }) => (stored.kind === 'unreadable' ? [{ id, why: stored.why }] : [])),
        modes: new Map(modes.map(({ payer_id, mode }) => [payer_id, mode === 'manual' ? 'manual' : 'electronic'])),
      };
    },
    save: (payer) =>
      store.transaction(async (trx) => {
        const registration = JSON.stringify(payer);
        const { was_there } = await trx
          .withTables<ConnectionTables>()
          .insertInto('connections.payer')
          .values({ id: payer.id, registration, disabled: false, created_at: at(), changed_at: at() })
          .onConflict((conflict) => conflict.column('id').doUpdateSet({ registration, changed_at: at() }))
          // A row that was inserted has no transaction that has changed it.
          .returning(sql<boolean>`xmax <> 0`.as('was_there'))
          .executeTakeFirstOrThrow();
        await audit.recordWithin(trx, { action: was_there ? 'payer-connection-changed' : 'payer-connection-added', who: 'admin', details: { payerId: payer.id } });
      }),
    setDisabled: (id, disabled) =>
      store.transaction(async (trx) => {
        const row = await trx.withTables<ConnectionTables>().updateTable('connections.payer').set({ disabled, changed_at: at() }).where('id', '=', id).where('disabled', '=', !disabled).returning('id').executeTakeFirst();
        if (row) await audit.recordWithin(trx, { action: disabled ? 'payer-connection-disabled' : 'payer-connection-enabled', who: 'admin', details: { payerId: id } });
      }),
    setMode: (id, mode) =>
      store.transaction(async (trx) => {
        await trx
          .withTables<ConnectionTables>()
          .insertInto('connections.payer_mode')
          .values({ payer_id: id, mode, changed_at: at() })
          .onConflict((conflict) => conflict.column('payer_id').doUpdateSet({ mode, changed_at: at() }))
          .execute();
        await audit.recordWithin(trx, { action: 'payer-mode-changed', who: 'admin', details: { payerId: id, mode } });
      }),
  };
}
