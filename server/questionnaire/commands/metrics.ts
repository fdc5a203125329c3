import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openStore } from '#store/database.ts';
import { StoreError } from '#store/errors.ts';
import { exportDtrMetrics } from '../export-metrics.ts';

// npm run dtr:metrics -- --from 2026-11-01 --to 2026-11-30 > metrics.ndjson
const { values } = parseArgs({ options: { from: { type: 'string' }, to: { type: 'string' } } });
const from = values.from === undefined ? 0 : Date.parse(values.from);
// A day means all of it.
const to = values.to === undefined ? Date.now() + 1 : Date.parse(values.to) + (/^\d{4}-\d{2}-\d{2}$/.test(values.to) ? 86_400_000 : 0);
if (Number.isNaN(from) || Number.isNaN(to) || from >= to) {
  console.error('--from and --to are days (2026-11-22) or instants (2026-11-22T10:00:00Z), the first before the second');
  process.exit(2);
}
try {
  const store = await openStore({ dataDir: process.env['DATA_DIR'] || join(process.cwd(), 'data'), databaseUrl: process.env['DATABASE_URL'] || undefined });
  try {
    for await (const line of exportDtrMetrics(store, new Date(from), new Date(to))) process.stdout.write(line);
  } finally {
    await store.close();
  }
} catch (error) {
  if (!(error instanceof StoreError)) throw error;
  console.error(error.message);
  process.exit(1);
}
