import { ADDRCONFIG, type LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { callbackify } from 'node:util';

interface Host {
  known?: { readonly addresses: readonly LookupAddress[]; readonly at: number };
  /** The last question: answered, or given up in time. */
  inTime: Promise<readonly LookupAddress[]>;
  /** Still on a thread, given up or not. */
  asking: boolean;
  answeredAt: number;
}

interface HostLookupOptions {
  readonly ask?: (host: string) => Promise<readonly LookupAddress[]>;
  /** Milliseconds of any clock. */
  readonly now?: () => number;
}

/** An address is taken without asking for so long. */
const FRESH_MS = 30_000;
/** A name that was not found is not asked again for so long. */
const AGAIN_MS = 5_000;
/** Then the addresses from before serve, up to an hour old. */
const WAIT_MS = 200;
const MOST_MS = 3_600_000;
/** Without any, more than a call has. */
const FIRST_WAIT_MS = 1_000;

/**
 * For an agent of node:http. Names are looked up by the system, since /etc/hosts and search domains count; but it does so on two or so threads for the whole
 * process, and nothing ends a lookup whose name server is silent. So each host is asked once at a time, however many calls want it: a bad one holds one thread
 * and not the calls of others. Hosts are never dropped: they are those of registered clients.
 */
export function createHostLookup({ ask = (host) => lookup(host, { all: true, hints: ADDRCONFIG }), now = () => performance.now() }: HostLookupOptions = {}): LookupFunction {
  const hosts = new Map<string, Host>();

  const askAbout = (name: string): Host => {
    const host: Host = hosts.get(name) ?? { inTime: Promise.resolve([]), asking: false, answeredAt: Number.NEGATIVE_INFINITY };
    hosts.set(name, host);
    if (host.asking || now() - host.answeredAt < AGAIN_MS) return host;
    host.asking = true;
    const answer = ask(name)
      .then((addresses) => {
        host.known = { addresses, at: now() };
        return addresses;
      })
      .finally(() => {
        host.asking = false;
        host.answeredAt = now();
      });
    host.inTime = orLate(answer, host.known ? WAIT_MS : FIRST_WAIT_MS);
    return host;
  };
  const addressesOf = async (name: string): Promise<readonly LookupAddress[]> => {
    const before = hosts.get(name)?.known;
    if (before && now() - before.at < FRESH_MS) return before.addresses;
    try {
      return await askAbout(name).inTime;
    } catch (error) {
      if (before && now() - before.at < MOST_MS) return before.addresses;
      throw error;
    }
  };
  const find = callbackify(addressesOf);
  return (name, { all }, done) =>
    find(name, (error, addresses) => {
      if (error) done(error, []);
      else if (all) done(null, [...addresses]);
      else done(null, addresses[0]?.address ?? '', addresses[0]?.family);
    });
}

async function orLate(answer: Promise<readonly LookupAddress[]>, waitMs: number): Promise<readonly LookupAddress[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error('the name server is silent'), { code: 'EAI_AGAIN' })), waitMs);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
