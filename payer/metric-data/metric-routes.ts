import { Router } from 'express';
import { z } from 'zod';
import { recordAudit } from '../audit.ts';
import type { PayerSetting } from '../payer-setting.ts';
import { bearerOf, refuse } from '../review/reviewer-token.ts';
import { readMetricData } from './read-metric-data.ts';

const Period = z.object({ from: z.iso.date().default('1970-01-01'), to: z.iso.date().optional() });
const DAY_MS = 86_400_000;

/** `GET /payer/review/pas-metrics?from=…&to=…`: PASMetricData of this payer, a line for each request. Days are UTC, `to` is the last one. */
export function metricRoutes({ db, now }: PayerSetting, reviewerToken: string | undefined): Router {
  const router = Router();
  router.get('/payer/review/pas-metrics', bearerOf(reviewerToken), async (req, res) => {
    const period = Period.safeParse(req.query);
    if (!period.success) return refuse(res, 400, 'REVIEW_INVALID', 'from and to are days: 2026-11-22.');
    const { from, to } = period.data;
    await recordAudit(db, now(), { action: 'metrics-read', who: 'reviewer' });
    res.set('Cache-Control', 'no-store').type('application/x-ndjson');
    const last = to === undefined ? now() + DAY_MS : Date.parse(to) + DAY_MS;
    for await (const record of readMetricData(db, { from: new Date(from), to: new Date(last) })) res.write(`${JSON.stringify(record)}\n`);
    res.end();
  });
  return router;
}
