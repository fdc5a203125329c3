import { randomUUID } from 'node:crypto';
import express, { type ErrorRequestHandler, type RequestHandler, Router } from 'express';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import { askForInformation } from '../ask/ask-for-information.ts';
import { recordAudit } from '../audit.ts';
import type { PayerTables, PayerTransaction } from '../database.ts';
import { readFailure } from '../fhir-http.ts';
import type { PayerSetting } from '../payer-setting.ts';
import type { Verdict } from '../policy/item-review.ts';
import type { Reviewer } from '../submit/item-decision.ts';
import { decidePendedItem } from './decide-pended.ts';
import { bearerOf, refuse } from './reviewer-token.ts';
import { readQueue, readQueueItem } from './read-queue.ts';

const words = z.string().trim().min(1).max(2_000);
const reasonCodes = z.array(z.string().regex(/^[A-Z0-9]{1,5}$/i)).max(5).optional();
const ReviewerName = z.strictObject({ name: z.string().trim().min(1).max(120), npi: z.string().regex(/^\d{10}$/).optional(), specialty: z.string().regex(/^[A-Z0-9]{10}$/).optional() });
const reviewer = ReviewerName.optional();

const DecisionRequest = z.discriminatedUnion('decision', [
  z.strictObject({ decision: z.literal('approve'), reason: words.optional(), reviewer }),
  z.strictObject({ decision: z.literal('deny'), reason: words, reasonCodes, reviewer }),
  z.strictObject({ decision: z.literal('modify'), reason: words, reasonCodes, quantity: z.strictObject({ value: z.number().positive(), unit: z.string().min(1).max(60) }), reviewer }),
]);
const coding = z.strictObject({ system: z.enum(['http://loinc.org', 'https://codesystem.x12.org/005010/755']), code: z.string().regex(/^[A-Z0-9-]{1,12}$/i) });
const due = z.iso.date().optional();
const AskRequest = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('attachment'), codes: z.array(coding).min(1).max(10), text: words.optional(), due, reviewer }),
  z.strictObject({ kind: z.literal('questionnaire'), questionnaire: z.string().regex(/^[a-z][a-z0-9+.-]*:[^\s|]+(\|[^\s|]+)?$/i).max(500), text: words.optional(), due, reviewer }),
]);
const ClaimRequest = z.strictObject({ reviewer: ReviewerName });
const NoteRequest = z.strictObject({ text: words, reviewer });

type ItemRow = Selectable<PayerTables['payer.authorization_item']>;
type Step = { readonly kind: 'done'; readonly reply: object } | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly message: string };

/**
 * The queue of the people who review: list, read, take, give back, note, ask, decide. Open to the bearer of `reviewerToken` only, and to nobody when there
 * is none. An item that one reviewer has taken, no other decides. `onChanged` is told when events may be due.
 */
export function reviewRoutes(setting: PayerSetting, reviewerToken: string | undefined, onChanged: () => void): Router {
  const { db, now, log } = setting;
  const router = Router();
  const base = '/payer/review/queue';
  router.use(base, bearerOf(reviewerToken));

  router.get(base, async (_req, res) => {
    const items = await readQueue(db, now());
    await recordAudit(db, now(), { action: 'review-listed', who: 'reviewer' });
    res.set('Cache-Control', 'no-store').json({ items });
  });

  router.get(`${base}/:id`, async (req, res) => {
    const item = await readQueueItem(db, req.params.id, now());
    if (!item) return refuse(res, 404, 'ITEM_UNKNOWN', 'There is no such item.');
    await recordAudit(db, now(), { action: 'review-read', who: 'reviewer', what: [item.caseId, item.id] });
    res.set('Cache-Control', 'no-store').json(item);
  });

  /** One step on a pended item, with its row locked: two reviewers at once make one of it. */
  const step = <T extends { readonly reviewer?: Reviewer | undefined }>(path: string, schema: z.ZodType<T>, hint: string, work: (trx: PayerTransaction, item: ItemRow, body: T, who: Reviewer) => Promise<Step>) => {
    router.post(`${base}/:id/${path}`, requireJson, express.json({ limit: '1mb' }), async (req, res) => {
      const id = z.uuid().safeParse(req.params['id']);
      const body = schema.safeParse(req.body);
      if (!body.success) return refuse(res, 400, 'REVIEW_INVALID', hint);
      const outcome = await db.transaction().execute(async (trx): Promise<Step> => {
        const item = id.success ? await trx.selectFrom('payer.authorization_item').selectAll().where('id', '=', id.data).forUpdate().executeTakeFirst() : undefined;
        if (!item) return { kind: 'refused', status: 404, code: 'ITEM_UNKNOWN', message: 'There is no such item.' };
        if (item.state !== 'pended') return { kind: 'refused', status: 409, code: 'ITEM_DECIDED', message: 'This item has been decided already, or an update has taken its place.' };
        const taken: Reviewer | undefined = item.claimed_by === null ? undefined : JSON.parse(item.claimed_by);
        const who = body.data.reviewer ?? taken;
        if (!who) return { kind: 'refused', status: 400, code: 'REVIEWER_MISSING', message: 'Take the item first, or name the reviewer: {reviewer: {name}}.' };
        if (taken && taken.name !== who.name) return { kind: 'refused', status: 409, code: 'ITEM_TAKEN', message: 'Another reviewer has taken this item.' };
        return work(trx, item, body.data, who);
      });
      if (outcome.kind === 'refused') return refuse(res, outcome.status, outcome.code, outcome.message);
      onChanged();
      res.json(outcome.reply);
    });
  };

  step('claim', ClaimRequest, 'Send {reviewer: {name, npi, specialty}}; npi and specialty may be left out.', async (trx, item, _body, who) => {
    await trx.updateTable('payer.authorization_item').set({ claimed_by: JSON.stringify(who), claimed_at: new Date(now()).toISOString() }).where('id', '=', item.id).execute();
    await recordAudit(trx, now(), { action: 'review-claimed', who: `reviewer:${who.name}`, what: [item.case_id, item.id] });
    return { kind: 'done', reply: { claimedBy: who.name } };
  });

  step('release', ClaimRequest, 'Send {reviewer: {name}}.', async (trx, item, _body, who) => {
    await trx.updateTable('payer.authorization_item').set({ claimed_by: null, claimed_at: null }).where('id', '=', item.id).execute();
    await recordAudit(trx, now(), { action: 'review-released', who: `reviewer:${who.name}`, what: [item.case_id, item.id] });
    return { kind: 'done', reply: { claimedBy: null } };
  });

  step('note', NoteRequest, 'Send {text}, at most 2,000 characters.', async (trx, item, { text }, who) => {
    await trx.insertInto('payer.review_note').values({ id: randomUUID(), item_id: item.id, author: who.name, words: text, written_at: new Date(now()).toISOString() }).execute();
    await recordAudit(trx, now(), { action: 'review-noted', who: `reviewer:${who.name}`, what: [item.case_id, item.id] });
    return { kind: 'done', reply: { noted: true } };
  });

  step('ask', AskRequest, 'Send {kind: attachment, codes: [{system, code}]} with LOINC or X12 755 codes, or {kind: questionnaire, questionnaire: canonical}; text and due (YYYY-MM-DD) may be added.', async (trx, item, request, who) => {
    const wants = request.kind === 'attachment' ? { kind: request.kind, codes: request.codes } : { kind: request.kind, questionnaire: request.questionnaire };
    const asked = await askForInformation(setting, trx, item, { wants, text: request.text, due: request.due, askedBy: who.name });
    return { kind: 'done', reply: asked };
  });

  step('decision', DecisionRequest, 'Send {decision: approve | deny | modify, reason, quantity: {value, unit}}: deny and modify need a reason, modify a quantity. reasonCodes and reviewer may be added.', async (trx, item, request, who) => ({
    kind: 'done',
    reply: { decision: await decidePendedItem(setting, trx, item, toVerdict(request), { by: 'person', reviewer: who }) },
  }));

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
      return { kind: 'deny', note: request.reason, ...(request.reasonCodes ? { reasonCodes: request.reasonCodes } : {}) };
    case 'modify':
      return { kind: 'modify', note: request.reason, authorized: request.quantity, ...(request.reasonCodes ? { reasonCodes: request.reasonCodes } : {}) };
  }
}

const requireJson: RequestHandler = (req, res, next) => {
  if (!req.is('application/json')) return refuse(res, 415, 'REQUEST_INVALID', 'Send the body as application/json.');
  next();
};
