import { runMetricsCommand, surroundingsOfProcess } from '#admin/metrics-command.ts';
import { exportDtrMetrics } from '../export-metrics.ts';

const USAGE = `npm run dtr:metrics -- [--from DAY] [--to DAY]   DTRMetricData, one case a line (NDJSON)
DAY: 2026-11-01 (UTC; --to is the last day) or an instant. Set DATA_DIR or DATABASE_URL as for the server.
Exit: 0 done, 1 the database cannot be used, 2 the command is wrong.`;

process.exitCode = await runMetricsCommand({ usage: USAGE, table: 'dtr.action', lines: exportDtrMetrics }, surroundingsOfProcess());
