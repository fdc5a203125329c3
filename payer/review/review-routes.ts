import { createHash, timingSafeEqual } from 'node:crypto';
import express, { type ErrorRequestHandler, type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import { recordAudit } from '../audit.ts';
import { readFailure } from '../fhir-http.ts';
import type { PayerSetting } from '../payer-setting.ts';
import type { ItemReview, Verdict } from '../policy/item-review.ts';
import type { ItemDecision } from '../submit/item-decision.ts';
import { decidePendedItem } from './decide-pended.ts';

const reason = z.string().trim().min(1).max(2_000);
const DecisionRequest = z.discriminatedUnion('decision', [
  z.strictObject({ decision: z.literal('approve'), reason: reason.optional() }),
  z.strictObject({ decision: z.literal('deny'), reason }),
  z.strictObject({ decision: z.literal('modify'), reason, quantity: z.strictObject({ value: z.number().positive(), unit: z.string().min(1).max(60) }) }),
]);

const MOST_ITEMS = 200;

/**
 * The queue of the person who reviews: list, read, decide. Open to the bearer of `reviewerToken` only, and to nobody when there is none.
 * `onDecided` is told when events may be due.
 */
export function reviewRoutes(setting: PayerSetting, reviewerToken: string | undefined, onDecided: () => void): Router {
  const { db, now, log } = setting;
  const router = Router();
  const base = '/payer/review/api';
  router.use(base, bearerOf(reviewerToken));

  router.get(`${base}/items`, async (_req, res) => {
    const rows = await db
      .selectFrom('payer.authorization_item as item')
      .innerJoin('payer.authorization_case as found', 'found.id', 'item.case_id')
      .select(['item.id', 'item.case_id', 'item.sequence', 'item.decision', 'item.review', 'item.due_at', 'found.received_at'])
      .where('item.state', '=', 'pended')
      .orderBy('found.received_at')
      .orderBy('item.sequence')
      .limit(MOST_ITEMS)
      .execute();
    await recordAudit(db, now(), { action: 'review-listed', who: 'reviewer' });
    res.set('Cache-Control', 'no-store').json({ items: rows.map(toQueueItem) });
  });

  router.get(`${base}/items/:id`, async (req, res) => {
    const id = z.uuid().safeParse(req.params.id);
    const row = id.success
      ? await db
          .selectFrom('payer.authorization_item as item')
          .innerJoin('payer.authorization_case as found', 'found.id', 'item.case_id')
          .select(['item.id', 'item.case_id', 'item.sequence', 'item.decision', 'item.review', 'item.due_at', 'item.state', 'found.received_at', 'found.request', 'found.current_answer'])
          .where('item.id', '=', id.data)
          .executeTakeFirst()
      : undefined;
    if (!row) return refuse(res, 404, 'ITEM_UNKNOWN', 'There is no such item.');
    await recordAudit(db, now(), { action: 'review-read', who: 'reviewer', what: [row.case_id, row.id] });
    res.set('Cache-Control', 'no-store').json({ ...toQueueItem(row), state: row.state, request: JSON.parse(row.request), answer: JSON.parse(row.current_answer) });
  });

  router.post(`${base}/items/:id/decision`, requireJson, express.json({ limit: '1mb' }), async (req, res) => {
    const id = z.uuid().safeParse(req.params['id']);
    const decision = DecisionRequest.safeParse(req.body);
    if (!decision.success) return refuse(res, 400, 'DECISION_INVALID', 'Send {decision: approve | deny | modify, reason, quantity: {value, unit}}: deny and modify need a reason, modify a quantity.');
    const outcome = await db.transaction().execute(async (trx) => {
      const item = id.success ? await trx.selectFrom('payer.authorization_item').selectAll().where('id', '=', id.data).forUpdate().executeTakeFirst() : undefined;
      if (!item) return { kind: 'unknown' as const };
      if (item.state === 'decided') return { kind: 'decided-before' as const };
      return { kind: 'decided' as const, decision: await decidePendedItem(setting, trx, item, toVerdict(decision.data), 'person') };
    });
    switch (outcome.kind) {
      case 'unknown':
        return refuse(res, 404, 'ITEM_UNKNOWN', 'There is no such item.');
      case 'decided-before':
        return refuse(res, 409, 'ITEM_DECIDED', 'This item has been decided already.');
      case 'decided':
        onDecided();
        res.json({ decision: outcome.decision });
    }
  });

  router.use(base, (_req, res) => refuse(res, 404, 'NOT_FOUND', 'There is nothing at this address.'));
  const jsonErrors: ErrorRequestHandler = (error, _req, res, _next) => {
    const { status, problems } = readFailure(error, log);
    refuse(res, status, status >= 500 ? 'INTERNAL' : 'REQUEST_INVALID', problems[0]?.text ?? 'The request cannot be served.');
  };
  router.use(base, jsonErrors);
  return router;
}

function toVerdict(request: z.infer<typeof DecisionRequest>): Verdict {
  switch (request.decision) {
    case 'approve':
      return { kind: 'approve', ...(request.reason === undefined ? {} : { note: request.reason }) };
    case 'deny':
      return { kind: 'deny', note: request.reason };
    case 'modify':
      return { kind: 'modify', note: request.reason, authorized: request.quantity };
  }
}

function toQueueItem(row: { id: string; case_id: string; sequence: number; decision: string; review: string; due_at: Date | string | null; received_at: Date | string }) {
  const decision: ItemDecision = JSON.parse(row.decision);
  const review: ItemReview = JSON.parse(row.review);
  return {
    id: row.id,
    caseId: row.case_id,
    sequence: row.sequence,
    receivedAt: new Date(row.received_at).toISOString(),
    /** When the stand-in reviewer decides, if no person has; null leaves it to a person. */
    dueAt: row.due_at === null ? null : new Date(row.due_at).toISOString(),
    referenceNumber: decision.referenceNumber,
    service: review.service ?? null,
    asked: review.asked ?? null,
    policy: review.policy ? { id: review.policy.policyId, revision: review.policy.revision } : null,
    criteria: review.criteria,
    note: decision.note,
  };
}

const requireJson: RequestHandler = (req, res, next) => {
  if (!req.is('application/json')) return refuse(res, 415, 'REQUEST_INVALID', 'Send the body as application/json.');
  next();
};

function bearerOf(reviewerToken: string | undefined): RequestHandler {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return (req, res, next) => {
    const given = /^Bearer (.+)$/i.exec(req.get('authorization') ?? '')?.[1];
    if (reviewerToken && given !== undefined && timingSafeEqual(digest(given), digest(reviewerToken))) return next();
    refuse(res.set('WWW-Authenticate', 'Bearer realm="payer-review"'), 401, 'REVIEWER_UNKNOWN', 'Send the reviewer token as a Bearer token.');
  };
}

function refuse(res: Response, status: number, code: string, message: string): void {
  res.status(status).json({ error: { code, message } });
}
