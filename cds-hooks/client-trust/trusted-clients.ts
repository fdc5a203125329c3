import { followFile } from '#policies/follow-file.ts';
import type { UnreadableRow } from '#store/stored-form.ts';
import { readClientsFile } from './clients-file.ts';
import { createKeySource, type KeySource } from './key-source.ts';
import type { RegisteredClient, RegisteredClients } from './registered-clients.ts';
import { registrationKey, type TrustedCdsClient } from './trusted-client.ts';

/** Where a registration stands; of two for the same issuer and tenant the one named first here counts. */
export const CLIENT_SOURCES = ['built-in', 'file', 'admin-page'] as const;

export interface KnownClient {
  readonly source: (typeof CLIENT_SOURCES)[number];
  readonly client: TrustedCdsClient;
  readonly keys: KeySource;
  /** Of one registered on the admin page. */
  readonly id?: string;
}

/** The allow-list. */
export interface TrustedClients {
  /** The registration of that tenant, else the issuer's own. */
  find(iss: string, tenant: string | undefined): KnownClient | undefined;
  list(): readonly KnownClient[];
  /** What is wrong with the file since it was last good: the registrations from before stay in force. */
  fileFault(): string | undefined;
  /** Takes over what was changed on the admin page, here or in another process. */
  reload(): Promise<void>;
  /** Fetches the keys of all that are missing or old. Never rejects. */
  warmKeys(): Promise<void>;
  stop(): void;
}

export interface TrustedClientsOptions {
  readonly builtIn: readonly TrustedCdsClient[];
  /** JSON file of registrations, read again when it changes. */
  readonly file: string | undefined;
  readonly registered: Pick<RegisteredClients, 'list'>;
  readonly now: () => number;
  readonly onFileFault: (error: Error) => void;
  /** The file was changed and is in force. `repaired`: what it said just before could not be used. */
  readonly onFileTaken?: (taken: { readonly clients: number; readonly repaired: boolean }) => void;
  /** A registration of the admin page cannot be read by this version of the program: it is disabled. Heard once for each fault. */
  readonly onUnreadable?: (row: UnreadableRow) => void;
  readonly followEveryMs?: number;
}

/** @throws ClientsFileError when the file is bad at the start. */
export async function openTrustedClients({ builtIn, file, registered, now, onFileFault, onFileTaken, onUnreadable, followEveryMs }: TrustedClientsOptions): Promise<TrustedClients> {
  let faulty = false;
  const onChange = (): void => {
    arrange();
    onFileTaken?.({ clients: followed?.said().length ?? 0, repaired: faulty });
    faulty = false;
  };
  const onFault = (error: Error): void => {
    faulty = true;
    onFileFault(error);
  };
  const followed = file === undefined ? undefined : followFile({ file, read: readClientsFile, onChange, onFault, everyMs: followEveryMs });
  let ofPage: readonly RegisteredClient[] = [];
  let all: readonly KnownClient[] = [];
  let byKey: ReadonlyMap<string, KnownClient> = new Map();

  const arrange = (): void => {
    const before = new Map(all.map((known) => [keysKey(known.client), known.keys]));
    const known = (source: KnownClient['source'], client: TrustedCdsClient, id?: string): KnownClient => ({
      source, client, ...(id === undefined ? {} : { id }),
      // Keys that are held stay held: a change of one registration must not fetch everyone's keys again.
      keys: before.get(keysKey(client)) ?? createKeySource(client, now),
    });
    all = [...builtIn.map((client) => known('built-in', client)), ...(followed?.said() ?? []).map((client) => known('file', client)), ...ofPage.map((client) => known('admin-page', client, client.id))];
    byKey = new Map(all.toReversed().map((each) => [registrationKey(each.client), each]));
  };
  const reload = async (): Promise<void> => {
    const listed = await registered.list();
    if (JSON.stringify(listed) === JSON.stringify(ofPage)) return;
    const heard = new Map(ofPage.map(({ id, unreadable }) => [id, unreadable]));
    ofPage = listed;
    arrange();
    for (const { id, unreadable: why } of listed) if (why !== undefined && heard.get(id) !== why) onUnreadable?.({ id, why });
  };
  arrange();
  await reload();
  return {
    find: (iss, tenant) => (tenant === undefined ? undefined : byKey.get(registrationKey({ iss, tenant }))) ?? byKey.get(registrationKey({ iss })),
    list: () => all,
    fileFault: () => followed?.fault(),
    reload,
    warmKeys: async () => void (await Promise.all(all.filter(({ client }) => !client.disabled).map(({ keys }) => keys.warm()))),
    stop: () => followed?.stop(),
  };
}

function keysKey({ jku, jwks }: TrustedCdsClient): string {
  return jku ?? JSON.stringify(jwks);
}
