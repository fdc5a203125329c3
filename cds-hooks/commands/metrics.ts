import { runMetricsCommand, surroundingsOfProcess } from '#admin/metrics-command.ts';
import { exportMetrics } from '../metric-data/metric-log.ts';

const USAGE = `npm run crd:metrics -- [--from DAY] [--to DAY]   CRDMetricData, one call a line (NDJSON)
DAY: 2026-11-01 (UTC; --to is the last day) or an instant. Set DATA_DIR or DATABASE_URL as for the server.
Exit: 0 done, 1 the database cannot be used, 2 the command is wrong.`;

process.exitCode = await runMetricsCommand(
  { usage: USAGE, table: 'cds.metric_batch', lines: exportMetrics, elsewhere: 'From a running process: GET /cds-services/admin/metrics-export with the admin token (docs/cds-hooks.md).' },
  surroundingsOfProcess(),
);
