import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openStore } from '#store/database.ts';
import { StoreError } from '#store/errors.ts';
import { readPeriod } from '#admin/period.ts';
import { exportMetrics } from '../metric-data/metric-log.ts';

// npm run crd:metrics -- --from 2026-11-01 --to 2026-11-30 > metrics.ndjson
const { values } = parseArgs({ options: { from: { type: 'string' }, to: { type: 'string' } } });
const period = readPeriod(values.from, values.to, Date.now());
if (period.kind === 'fault') {
  console.error(period.why);
  process.exit(2);
}
try {
  const store = await openStore({ dataDir: process.env['DATA_DIR'] || join(process.cwd(), 'data'), databaseUrl: process.env['DATABASE_URL'] || undefined });
  for await (const line of exportMetrics(store, period.from, period.to)) process.stdout.write(line);
  await store.close();
} catch (error) {
  if (!(error instanceof StoreError)) throw error;
  console.error(`${error.message}\nFrom a running process: GET /cds-services/admin/metrics-export with the admin token (docs/cds-hooks.md).`);
  process.exit(1);
}
