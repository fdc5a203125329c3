import type { Response } from 'express';
import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Store } from '#store/database.ts';

/** How soon a change made in another process, or by the sender, is told. */
const LOOK_MS = 2_000;
/** Proxies cut connections on which nothing is said. */
const SILENCE_MS = 20_000;
/** A reader comes again by itself after this time, and shows its session again. */
const LONGEST_MS = 300_000;
const MOST_READERS = 1_000;

export interface WorklistChanges {
  /** Keeps the connection and says `changed` whenever a case of that EHR did. False: there are too many readers. */
  follow(ehrBase: string, response: Response): boolean;
  /** Looks at once. */
  look(): void;
  stop(): void;
}

/** Server-sent events. They carry no case: who hears one reads the list again. */
export function createWorklistChanges(store: Store, log: Logger): WorklistChanges {
  const readers = new Map<Response, string>();
  const seen = new Map<string, number>();
  let looking = false;
  let again = false;

  const look = async (): Promise<void> => {
    for (const ehrBase of new Set(readers.values())) {
      const { rows } = await sql<{ newest: number | null }>`select max(revision) as newest from cases.worklist_row where ehr_base = ${ehrBase}`.execute(store.db);
      const newest = rows[0]?.newest ?? 0;
      const before = seen.get(ehrBase);
      seen.set(ehrBase, newest);
      if (before === undefined || before === newest) continue;
      for (const [response, of] of readers) if (of === ehrBase) response.write(`event: changed\ndata: ${newest}\n\n`);
    }
  };
  const lookOnce = (): void => {
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    look()
      .catch((error: unknown) => log.error({ err: error }, 'changes of the worklist could not be looked up'))
      .finally(() => {
        looking = false;
        if (again) {
          again = false;
          lookOnce();
        }
      });
  };
  const timer = setInterval(lookOnce, LOOK_MS);
  timer.unref();
  const breath = setInterval(() => {
    for (const response of readers.keys()) response.write(': \n\n');
  }, SILENCE_MS);
  breath.unref();

  return {
    follow(ehrBase, response) {
      if (readers.size >= MOST_READERS) return false;
      response.set({ 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
      response.flushHeaders();
      response.write('retry: 5000\n\n');
      if (![...readers.values()].includes(ehrBase)) seen.delete(ehrBase);
      readers.set(response, ehrBase);
      const end = setTimeout(() => response.end(), LONGEST_MS);
      end.unref();
      response.on('close', () => {
        clearTimeout(end);
        readers.delete(response);
      });
      lookOnce();
      return true;
    },
    look: lookOnce,
    stop() {
      clearInterval(timer);
      clearInterval(breath);
      for (const response of readers.keys()) response.end();
    },
  };
}
