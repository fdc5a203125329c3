import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { PasMetricData } from '#fhir/pas/metric-data.ts';
import { readPeriod } from '#admin/period.ts';
import { loadPayers } from '#policies/load-payers.ts';
import { openStore, type Store } from '#store/database.ts';
import { StoreError } from '#store/errors.ts';
import { collectPasMetrics, exportPasMetrics } from '../export-metrics.ts';
import { publicMetrics, publicTable } from '../public-metrics.ts';

const USAGE = `npm run pas:metrics -- [--from DAY] [--to DAY]                PASMetricData, one prior authorization a line (NDJSON)
npm run pas:metrics -- --public [--table] [--from … --to …]   CMS-0057-F's public figures, as JSON or as a table
  --input FILE   reads lines exported before, by either side, in place of the database
Exit: 0 done, 1 the database or the file cannot be used, 2 the command is wrong.`;

function readArguments() {
  try {
    const options = { from: { type: 'string' }, to: { type: 'string' }, public: { type: 'boolean', default: false }, table: { type: 'boolean', default: false }, input: { type: 'string' }, help: { type: 'boolean', default: false } } as const;
    return parseArgs({ options }).values;
  } catch (error) {
    return misuse((error as Error).message);
  }
}

function misuse(why: string): never {
  console.error(`${why}\n${USAGE}`);
  process.exit(2);
}

function fail(why: string): never {
  console.error(why);
  process.exit(1);
}

/** What the figures are made of; the rest of a line is passed on as it is. */
const line = z.looseObject({
  itemDetail: z.optional(z.array(z.looseObject({ item: z.looseObject({}), initialSubmissionTime: z.optional(z.string()), finalResponseTime: z.optional(z.string()), result: z.optional(z.string()), responsesRequired: z.optional(z.number()) }))),
  requestedDoc: z.optional(z.array(z.unknown())),
  review: z.looseObject({ priority: z.enum(['standard', 'expedited']), dueTime: z.optional(z.string()), approvedAfterAppeal: z.boolean() }),
});

function readLines(file: string): PasMetricData[] {
  try {
    return readFileSync(file, 'utf8').split('\n').flatMap((text, index) => {
      if (text.trim() === '') return [];
      const record: unknown = JSON.parse(text);
      const { error } = line.safeParse(record);
      if (error) throw new Error(`line ${index + 1}, ${error.issues[0]?.path.join('.')}: ${error.issues[0]?.message}`);
      return [record as PasMetricData];
    });
  } catch (error) {
    return fail(`${file} cannot be read as lines of PASMetricData: ${(error as Error).message}`);
  }
}

const payers = loadPayers('http://localhost');
const timeZoneOf = (payerId: string) => payers.byId(payerId)?.timeZone ?? 'UTC';

async function withStore(work: (store: Store) => Promise<void>): Promise<void> {
  const store = await openStore({ dataDir: process.env['DATA_DIR'] || join(process.cwd(), 'data'), databaseUrl: process.env['DATABASE_URL'] || undefined });
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

function tell(records: readonly PasMetricData[]): void {
  const figures = publicMetrics(records);
  console.log(values.table ? publicTable(figures) : JSON.stringify(figures, null, 2));
}

const values = readArguments();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
if (values.table && !values.public) misuse('--table goes with --public.');
const period = readPeriod(values.from, values.to, Date.now());
if (period.kind === 'fault') misuse(period.why);
try {
  if (values.input !== undefined) {
    const records = readLines(values.input);
    if (values.public) tell(records);
    else for (const record of records) console.log(JSON.stringify(record));
  } else {
    await withStore(async (store) => {
      if (values.public) return tell(await collectPasMetrics(store, timeZoneOf, period));
      for await (const record of exportPasMetrics(store, timeZoneOf, period)) process.stdout.write(`${JSON.stringify(record)}\n`);
    });
  }
} catch (error) {
  if (!(error instanceof StoreError)) throw error;
  fail(`${error.message}\nFrom a running process: GET /admin/pas-metrics with the admin token (docs/pas-metrics.md).`);
}
