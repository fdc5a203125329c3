import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { openStore, type Store } from '#store/database.ts';

/** A way to a server on this machine that can swallow what goes over it without closing anything, as a firewall does that has forgotten its connections. */
export interface SilentNetwork {
  readonly port: number;
  /** From now on the connections there are carry nothing, in either direction; new ones do. */
  silence(): void;
  /** What the server sends next on the connection over which such a text goes to it is lost, and the connection with it. Resolves when it was. */
  loseAnswerTo(text: string): Promise<void>;
  close(): Promise<void>;
}

/** The same database over such a network; PostgreSQL only. */
export async function openOverNetwork({ pool }: Store, answerWithinMs?: number): Promise<{ readonly network: SilentNetwork; readonly over: Store }> {
  const url = new URL(pool?.options.connectionString ?? '');
  const network = await openSilentNetwork(Number(url.port));
  url.port = String(network.port);
  return { network, over: await openStore({ dataDir: 'memory', databaseUrl: url.toString(), answerWithinMs }) };
}

async function openSilentNetwork(target: number): Promise<SilentNetwork> {
  const links = new Set<{ readonly near: Socket; readonly far: Socket; silent: boolean }>();
  let wanted: { readonly text: string; readonly lost: () => void } | undefined;
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect(target, '127.0.0.1');
    const link = { near, far, silent: false };
    links.add(link);
    let losing: (() => void) | undefined;
    near.on('data', (data) => {
      if (wanted && data.includes(wanted.text)) {
        losing = wanted.lost;
        wanted = undefined;
      }
      if (!link.silent) far.write(data);
    });
    far.on('data', (data) => {
      if (losing) {
        near.destroy();
        losing();
      } else if (!link.silent) near.write(data);
    });
    near.on('end', () => {
      if (!link.silent) near.end();
    });
    near.on('close', () => {
      links.delete(link);
      far.destroy();
    });
    far.on('close', () => {
      if (!link.silent) near.destroy();
    });
    for (const socket of [near, far]) socket.on('error', () => undefined);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    port: (server.address() as AddressInfo).port,
    silence() {
      for (const link of links) link.silent = true;
    },
    loseAnswerTo: (text) => new Promise((lost) => {
      wanted = { text, lost };
    }),
    close: () => new Promise((closed) => {
      server.close(() => closed());
      for (const { near, far } of links) for (const socket of [near, far]) socket.destroy();
    }),
  };
}
