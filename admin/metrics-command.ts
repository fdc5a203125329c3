import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import { openStore, type Store } from '#store/database.ts';
import { StoreError } from '#store/errors.ts';
import { readPeriod } from './period.ts';

export interface MetricsCommand {
  readonly usage: string;
  /** Without it nothing was ever recorded there. */
  readonly table: string;
  readonly lines: (store: Store, from: Date, to: Date) => AsyncGenerator<string>;
  /** Where else the lines may be had, said when the database cannot be opened. */
  readonly elsewhere?: string;
}

interface MetricsSurroundings {
  readonly given: readonly string[];
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  readonly nowMs: number;
  readonly write: (text: string) => void;
  readonly complain: (line: string) => void;
}

/** What a command of one's own runs in. */
export function surroundingsOfProcess(): MetricsSurroundings {
  return {
    given: process.argv.slice(2),
    dataDir: process.env['DATA_DIR'] || join(process.cwd(), 'data'),
    databaseUrl: process.env['DATABASE_URL'] || undefined,
    nowMs: Date.now(),
    write: (text) => process.stdout.write(text),
    complain: (line) => console.error(line),
  };
}

/** Writes the lines of a period from the database and leaves the database as it was. The number is the exit code: 0 done, 1 the database cannot be used, 2 the command is wrong. */
export async function runMetricsCommand({ usage, table, lines, elsewhere }: MetricsCommand, { given, dataDir, databaseUrl, nowMs, write, complain }: MetricsSurroundings): Promise<number> {
  const asked = readArguments(given);
  if (asked.kind === 'help') {
    write(`${usage}\n`);
    return 0;
  }
  const period = asked.kind === 'fault' ? asked : readPeriod(asked.from, asked.to, nowMs);
  if (period.kind === 'fault') {
    complain(`${period.why}\n${usage}`);
    return 2;
  }
  const place = databaseUrl ? 'The database of DATABASE_URL' : `The data folder ${dataDir}`;
  const nothing = `${place} holds nothing of this program. Set ${databaseUrl ? 'DATABASE_URL to the database' : 'DATA_DIR to the folder'} that the server uses.`;
  if (!databaseUrl && !existsSync(join(dataDir, 'database.complete'))) {
    complain(nothing);
    return 1;
  }
  try {
    const store = await openStore({ dataDir, databaseUrl });
    try {
      if (!(await isThere(store, table))) {
        complain(nothing);
        return 1;
      }
      for await (const line of lines(store, period.from, period.to)) write(line);
      return 0;
    } finally {
      await store.close();
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    complain(elsewhere === undefined ? error.message : `${error.message}\n${elsewhere}`);
    return 1;
  }
}

type Asked = { readonly kind: 'asked'; readonly from: string | undefined; readonly to: string | undefined } | { readonly kind: 'help' } | { readonly kind: 'fault'; readonly why: string };

function readArguments(given: readonly string[]): Asked {
  try {
    const { from, to, help } = parseArgs({ args: [...given], options: { from: { type: 'string' }, to: { type: 'string' }, help: { type: 'boolean', short: 'h' } } }).values;
    return help ? { kind: 'help' } : { kind: 'asked', from, to };
  } catch (error) {
    return { kind: 'fault', why: (error as Error).message };
  }
}

async function isThere(store: Store, table: string): Promise<boolean> {
  const { rows: [found] } = await sql<{ there: boolean }>`select to_regclass(${table}) is not null as there`.execute(store.db);
  return found?.there === true;
}
