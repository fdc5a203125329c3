import { type Request, type Response, Router } from 'express';
import type { Logger } from 'pino';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { createAdminSession } from '#admin/admin-session.ts';
import type { TimeZoneOf } from '../store/case-clock.ts';
import { type Period, readPeriod } from '#admin/period.ts';
import { sendLines, sendUnreadable } from '#admin/send-lines.ts';
import { collectPasMetrics, exportPasMetrics } from './export-metrics.ts';
import { publicMetrics } from './public-metrics.ts';

const PATH = '/admin/pas-metrics';

export interface MetricsRouterOptions {
  readonly adminToken: string;
  readonly store: Store;
  readonly audit: AuditTrail;
  readonly log: Logger;
  readonly now: () => number;
  readonly timeZoneOf: TimeZoneOf;
}

/** GET ?from=2026-11-01&to=2026-11-30 with the admin token as Bearer: PASMetricData as NDJSON; under /public the figures of CMS-0057-F. */
export function pasMetricsRouter({ adminToken, store, audit, log, now, timeZoneOf }: MetricsRouterOptions): Router {
  const session = createAdminSession(adminToken, false, now, { path: PATH, cookie: 'pas_metrics' });
  const router = Router();
  const allowed = (request: Request, response: Response, what: string): Extract<Period, { kind: 'period' }> | undefined => {
    if (!session.isBearer(request)) {
      response.writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end();
      return undefined;
    }
    const asked = (name: string): string | undefined => (typeof request.query[name] === 'string' ? request.query[name] : undefined);
    const period = readPeriod(asked('from'), asked('to'), now());
    if (period.kind === 'fault') {
      response.writeHead(400, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${period.why}\n`);
      return undefined;
    }
    audit.record({ action: 'pas-metrics-exported', who: 'admin', details: { what, from: period.from.toISOString(), to: period.to.toISOString() } });
    return period;
  };
  router.get(PATH, (request, response) => {
    const period = allowed(request, response, 'lines');
    if (!period) return;
    const lines = async function* () {
      for await (const record of exportPasMetrics(store, timeZoneOf, period)) yield `${JSON.stringify(record)}\n`;
    };
    void sendLines(response, lines(), log);
  });
  router.get(`${PATH}/public`, async (request, response) => {
    const period = allowed(request, response, 'public');
    if (!period) return;
    try {
      response.set('cache-control', 'no-store').json(publicMetrics(await collectPasMetrics(store, timeZoneOf, period)));
    } catch (error) {
      log.error({ fault: error instanceof Error ? error.name : typeof error }, 'the public figures could not be made');
      sendUnreadable(response);
    }
  });
  return router;
}
