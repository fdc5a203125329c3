import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readPeriod } from '#admin/period.ts';
import { openStore } from '#store/database.ts';
import { StoreError } from '#store/errors.ts';
import { exportDtrMetrics } from '../export-metrics.ts';

// npm run dtr:metrics -- --from 2026-11-01 --to 2026-11-30 > metrics.ndjson
const { values } = parseArgs({ options: { from: { type: 'string' }, to: { type: 'string' } } });
const period = readPeriod(values.from, values.to, Date.now());
if (period.kind === 'fault') {
  console.error(period.why);
  process.exit(2);
}
try {
  const store = await openStore({ dataDir: process.env['DATA_DIR'] || join(process.cwd(), 'data'), databaseUrl: process.env['DATABASE_URL'] || undefined });
  try {
    for await (const line of exportDtrMetrics(store, period.from, period.to)) process.stdout.write(line);
  } finally {
    await store.close();
  }
} catch (error) {
  if (!(error instanceof StoreError)) throw error;
  console.error(error.message);
  process.exit(1);
}
