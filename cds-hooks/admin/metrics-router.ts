import { Router } from 'express';
import type { Logger } from 'pino';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { readAskedPeriod } from '#admin/period.ts';
import { sendLines } from '#admin/send-lines.ts';
import { exportMetrics } from '../metric-data/metric-log.ts';
import type { AdminSession } from '#admin/admin-session.ts';

export const METRICS_PATH = '/cds-services/admin/metrics-export';

/** GET ?from=2026-11-01&to=2026-11-30 with the admin token as Bearer: CRDMetricData rows as NDJSON. */
export function metricsRouter({ session, store, audit, log, now }: { readonly session: AdminSession; readonly store: Store; readonly audit: AuditTrail; readonly log: Logger; readonly now: () => number }): Router {
  const router = Router();
  router.get(METRICS_PATH, (request, response) => {
    if (!session.isBearer(request)) {
      response.writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end();
      return;
    }
    const period = readAskedPeriod(request.query, now());
    if (period.kind === 'fault') {
      response.writeHead(400, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${period.why}\n`);
      return;
    }
    audit.record({ action: 'cds-metrics-exported', who: 'admin', details: { from: period.from.toISOString(), to: period.to.toISOString() } });
    void sendLines(response, exportMetrics(store, period.from, period.to), log);
  });
  return router;
}
