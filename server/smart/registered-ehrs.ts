import { withoutSlashes } from '#fhir/base/reference.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { readStored, type UnreadableRow } from '#store/stored-form.ts';
import { uuidv7 } from '#store/uuid.ts';
import { followFile } from '#policies/follow-file.ts';
import { readEhrsFile } from './ehrs-file.ts';
import { type EhrRegistration, ehrRegistrationSchema, findEhr } from './ehr-registration.ts';

type EhrTables = {
  'panel.ehr': { id: string; fhir_base: string; registration: unknown; disabled: boolean; created_at: string };
};

export interface KnownEhr {
  /** Of two for the same FHIR base the one of the source named first here counts. */
  readonly source: 'built-in' | 'file' | 'admin-page';
  readonly ehr: EhrRegistration;
  /** Of one registered on the admin page. */
  readonly id?: string;
}

/** The EHRs that may launch the panel: the program's own, those of EHRS_FILE, those of the admin page. */
export interface RegisteredEhrs {
  /** Undefined for one that is not registered, or disabled. */
  find(iss: string): EhrRegistration | undefined;
  list(): readonly KnownEhr[];
  /** What is wrong with the file since it was last good: the registrations from before stay in force. */
  fileFault(): string | undefined;
  /** False: that FHIR base is registered already. */
  add(ehr: EhrRegistration): Promise<boolean>;
  setDisabled(id: string, disabled: boolean): Promise<void>;
  /** Takes over what was changed on the admin page, here or in another process. */
  reload(): Promise<void>;
  stop(): void;
}

export interface RegisteredEhrsOptions {
  readonly store: Store;
  readonly audit: AuditTrail;
  readonly now: () => number;
  readonly builtIn: readonly EhrRegistration[];
  /** JSON file of registrations, read again when it changes. */
  readonly file?: string | undefined;
  readonly onFileFault: (error: Error) => void;
  /** A registration of the admin page cannot be read by this version of the program: it is disabled. Heard once for each fault. */
  readonly onUnreadable?: (row: UnreadableRow) => void;
  readonly followEveryMs?: number;
}

/** @throws EhrsFileError when the file is bad at the start. */
export async function openRegisteredEhrs({ store, audit, now, builtIn, file, onFileFault, onUnreadable, followEveryMs }: RegisteredEhrsOptions): Promise<RegisteredEhrs> {
  const followed = file === undefined ? undefined : followFile({ file, read: readEhrsFile, onChange: () => arrange(), onFault: onFileFault, everyMs: followEveryMs });
  let ofPage: readonly KnownEhr[] = [];
  let all: readonly KnownEhr[] = [];
  /** What was said of unreadable rows, by id. */
  const heard = new Map<string, string>();

  const arrange = (): void => {
    const written: readonly KnownEhr[] = [...builtIn.map((ehr) => ({ source: 'built-in' as const, ehr })), ...(followed?.said() ?? []).map((ehr) => ({ source: 'file' as const, ehr })), ...ofPage];
    // Cases are known by the FHIR base: one spelling for each.
    all = written.map((known) => ({ ...known, ehr: { ...known.ehr, fhirBase: withoutSlashes(known.ehr.fhirBase) } }));
  };
  const reload = async (): Promise<void> => {
    const rows = await store.db.withTables<EhrTables>().selectFrom('panel.ehr').selectAll().orderBy('created_at').execute();
    ofPage = rows.map(({ id, fhir_base, registration, disabled }): KnownEhr => {
      const stored = readStored(ehrRegistrationSchema, registration);
      if (stored.kind === 'read') return { source: 'admin-page', id, ehr: { ...stored.value, disabled } };
      if (heard.get(id) !== stored.why) onUnreadable?.({ id, why: stored.why });
      heard.set(id, stored.why);
      return { source: 'admin-page', id, ehr: { fhirBase: fhir_base, name: 'Cannot be read by this version of the program', clientId: 'unknown', disabled: true } };
    });
    arrange();
  };
  await reload();
  return {
    find: (iss) => findEhr(all.map(({ ehr }) => ehr), iss),
    list: () => all,
    fileFault: () => followed?.fault(),
    reload,
    async add(ehr) {
      const added = await store.transaction(async (trx) => {
        const row = await trx
          .withTables<EhrTables>()
          .insertInto('panel.ehr')
          .values({ id: uuidv7(now()), fhir_base: withoutSlashes(ehr.fhirBase), registration: JSON.stringify(ehr), disabled: false, created_at: new Date(now()).toISOString() })
          .onConflict((conflict) => conflict.doNothing())
          .returning('id')
          .executeTakeFirst();
        if (row) await audit.recordWithin(trx, { action: 'ehr-registered', who: 'admin', details: { ehr: ehr.fhirBase } });
        return row !== undefined;
      });
      await reload();
      return added;
    },
    async setDisabled(id, disabled) {
      await store.transaction(async (trx) => {
        const row = await trx.withTables<EhrTables>().updateTable('panel.ehr').set({ disabled }).where('id', '=', id).where('disabled', '=', !disabled).returning('fhir_base').executeTakeFirst();
        if (row) await audit.recordWithin(trx, { action: disabled ? 'ehr-disabled' : 'ehr-enabled', who: 'admin', details: { ehr: row.fhir_base } });
      });
      await reload();
    },
    stop: () => followed?.stop(),
  };
}
