import { absolute, readPayersFile, SHIPPED_PAYERS } from '#policies/load-payers.ts';
import { createPayerDirectory, type Payer, type PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import type { UnreadableRow } from '#store/stored-form.ts';
import { followFile } from '#policies/follow-file.ts';
import { type KnownPayer, openRegisteredPayers, PAYER_MIGRATIONS, type RegisteredPayers, type StoredPayers } from './registered-payers.ts';

/** The payers of this installation: those of the file, then those of the admin page. What is changed reaches everybody who holds the directory, without a restart. */
export interface PayerConnections extends PayerDirectory, Pick<RegisteredPayers, 'setDisabled' | 'setMode'> {
  /** Disabled ones too, which the directory does not find. */
  list(): readonly KnownPayer[];
  /** What is wrong with the file since it was last good: the payers from before stay in force. */
  fileFault(): string | undefined;
  /** Adds a payer, or replaces one that was added on the admin page. */
  save(payer: Payer): Promise<{ readonly kind: 'added' | 'changed' } | { readonly kind: 'clash'; readonly field: 'id' | 'organizationIdentifiers'; readonly with: string }>;
  /** Takes over what was changed on the admin page, here or in another process. */
  reload(): Promise<void>;
  stop(): void;
}

export interface PayerConnectionsOptions {
  readonly store: Store;
  readonly audit: AuditTrail;
  readonly now: () => number;
  /** Public address, no trailing slash. */
  readonly baseUrl: string;
  /** In place of the payers the program brings; read again when it changes. */
  readonly file?: string | undefined;
  readonly onFileFault: (error: Error) => void;
  readonly onReloadFault: (error: unknown) => void;
  /** A registration of the admin page cannot be read by this version of the program: the payer counts as disabled. Heard once for each fault. */
  readonly onUnreadable?: (row: UnreadableRow) => void;
  readonly followEveryMs?: number;
  /** How soon what was changed in another process holds in this one. */
  readonly reloadEveryMs?: number;
}

/** @throws PolicyFileError when the file is bad at the start. */
export async function openPayerConnections({ store, audit, now, baseUrl, file = SHIPPED_PAYERS, onFileFault, onReloadFault, onUnreadable, followEveryMs, reloadEveryMs = 5_000 }: PayerConnectionsOptions): Promise<PayerConnections> {
  await migratePart(store, 'connections', PAYER_MIGRATIONS);
  const registered = openRegisteredPayers(store, audit, now);
  const followed = followFile({ file, read: readPayersFile, onChange: () => arrange(), onFault: onFileFault, everyMs: followEveryMs });
  let stored: StoredPayers = { registered: [], unreadable: [], modes: new Map() };
  let all: readonly KnownPayer[] = [];
  let directory: PayerDirectory = createPayerDirectory([]);

  const arrange = (): void => {
    const written: readonly KnownPayer[] = [...followed.said().map((payer): KnownPayer => ({ source: 'file', payer, disabled: false })), ...stored.registered];
    // Of two with one id the file's counts.
    const first = written.filter(({ payer }, index) => written.findIndex((each) => each.payer.id === payer.id) === index);
    all = first.map((known) => ({ ...known, payer: withMode(absolute(known.payer, baseUrl), stored.modes.get(known.payer.id)) }));
    directory = createPayerDirectory(all.flatMap(({ payer, disabled }) => (disabled ? [] : [payer])));
  };
  const reload = async (): Promise<void> => {
    const read = await registered.read();
    if (asText(read) === asText(stored)) return;
    const heard = new Map(stored.unreadable.map(({ id, why }) => [id, why]));
    stored = read;
    arrange();
    for (const row of read.unreadable) if (heard.get(row.id) !== row.why) onUnreadable?.(row);
  };
  arrange();
  await reload();
  const timer = setInterval(() => void reload().catch(onReloadFault), reloadEveryMs).unref();
  return {
    get payers() {
      return directory.payers;
    },
    find: (organization) => directory.find(organization),
    byId: (id) => directory.byId(id),
    forCoverage: (payerId, coverage) => directory.forCoverage(payerId, coverage),
    list: () => all,
    fileFault: () => followed.fault(),
    async save(payer) {
      await reload();
      const before = all.find((known) => known.payer.id === payer.id);
      if (before?.source === 'file' || stored.unreadable.some(({ id }) => id === payer.id)) return { kind: 'clash', field: 'id', with: payer.id };
      const taken = new Set(payer.organizationIdentifiers.map(({ system, value }) => `${system}|${value}`));
      const other = all.find((known) => known.payer.id !== payer.id && known.payer.organizationIdentifiers.some(({ system, value }) => taken.has(`${system}|${value}`)));
      if (other) return { kind: 'clash', field: 'organizationIdentifiers', with: other.payer.id };
      await registered.save(payer);
      await reload();
      return { kind: before ? 'changed' : 'added' };
    },
    async setDisabled(id, disabled) {
      await registered.setDisabled(id, disabled);
      await reload();
    },
    async setMode(id, mode) {
      await registered.setMode(id, mode);
      await reload();
    },
    reload,
    stop() {
      clearInterval(timer);
      followed.stop();
    },
  };
}

const asText = ({ modes, ...rest }: StoredPayers): string => JSON.stringify([rest, [...modes]]);

/** The admin page's word goes before the file's. */
function withMode(payer: Payer, mode: 'electronic' | 'manual' | undefined): Payer {
  return mode === undefined ? payer : { ...payer, mode };
}
