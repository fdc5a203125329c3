import { randomUUID } from 'node:crypto';
import type { Bundle } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '#store/database.ts';
import { ANSWERS, claimResponseOf, inquiryBundle, openPayerBench, type PayerBench, readItem, requestBundle } from '#test-fixtures/payer-bench.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';

const reviewer = { name: 'Dana Reyes, RN' };
const other = { name: 'Sam Okafor, MD' };
let store: Store;
let bench: PayerBench;

beforeAll(async () => {
  store = await openTestStore();
  bench = await openPayerBench({ db: store.db, reviewDelayMs: 3_600_000, reviewerToken: 'reviewer-token-of-the-test' });
});
afterAll(async () => {
  await bench.close();
  await store.close();
});

interface QueueItem {
  readonly id: string;
  readonly caseId: string;
  readonly criteria: readonly unknown[];
  readonly decideBy: string;
  readonly msLeft: number;
  readonly expedited: boolean;
  readonly claimedBy: string | null;
  readonly confidence: number;
}

async function pendedItem(memberId: string): Promise<QueueItem> {
  const answer = (await (await bench.submit(requestBundle({ code: 'K0823', answers: [ANSWERS.assessment(true)], memberId }))).json()) as Bundle;
  const { items } = (await (await bench.review('GET', '')).json()) as { items: QueueItem[] };
  const item = items.find(({ caseId }) => caseId === claimResponseOf(answer).id);
  if (!item) throw new Error('the pended item is not in the queue');
  return item;
}

const statusOf = async (path: string, body: unknown) => (await bench.review('POST', path, body)).status;

describe('the review queue', () => {
  it.each<[{ decision: string; reason?: string; quantity?: object }, string]>([
    [{ decision: 'approve' }, 'A1'],
    [{ decision: 'deny', reason: 'The record does not support it.' }, 'A3'],
    [{ decision: 'modify', reason: 'A trial first.', quantity: { value: 2, unit: 'months' } }, 'A6'],
  ])('%j', async (decision, code) => {
    const memberId = `M-${code}`;
    const item = await pendedItem(memberId);
    expect(item.criteria).toEqual([{ id: 'assessment', label: 'A mobility assessment was made', result: 'met', basis: 'answers' }]);
    expect(item).toMatchObject({ expedited: true, claimedBy: null, confidence: 0.5 });
    expect(item.msLeft).toBeGreaterThan(71 * 3_600_000);
    expect(item.msLeft).toBeLessThanOrEqual(72 * 3_600_000);
    expect(await (await bench.review('GET', `/${item.id}`)).json()).toMatchObject({ state: 'pended', request: { resourceType: 'Bundle' } });
    const reply = await bench.review('POST', `/${item.id}/decision`, { ...decision, reviewer });
    expect(reply.status).toBe(200);
    const answer = claimResponseOf((await (await bench.inquire(inquiryBundle({}, memberId))).json()) as Bundle);
    expect(readItem(answer.item?.[0]).code).toBe(code);
    expect(answer.processNote?.[0]?.text).toBe(decision.reason);
    expect(await statusOf(`/${item.id}/decision`, { ...decision, reviewer })).toBe(409);
    const row = await bench.db.selectFrom('payer.authorization_item').select('decided_by').where('id', '=', item.id).executeTakeFirstOrThrow();
    expect(row.decided_by).toBe('person');
  });

  it('two reviewers at once make one decision', async () => {
    const item = await pendedItem('M-twice');
    const statuses = await Promise.all([reviewer, other].map((who) => statusOf(`/${item.id}/decision`, { decision: 'approve', reviewer: who })));
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 409]);
  });

  it('who has taken an item keeps it from others until it is given back', async () => {
    const { id } = await pendedItem('M-taken');
    expect(await statusOf(`/${id}/decision`, { decision: 'approve' })).toBe(400);
    expect(await statusOf(`/${id}/claim`, { reviewer })).toBe(200);
    expect(await statusOf(`/${id}/claim`, { reviewer })).toBe(200);
    for (const [path, body] of [['claim', {}], ['release', {}], ['note', { text: 'x' }], ['decision', { decision: 'approve' }]] as const) expect(await statusOf(`/${id}/${path}`, { ...body, reviewer: other })).toBe(409);
    expect(await statusOf(`/${id}/note`, { text: 'Called the clinic.' })).toBe(200);
    const { items } = (await (await bench.review('GET', '')).json()) as { items: QueueItem[] };
    expect(items.find((item) => item.id === id)).toMatchObject({ claimedBy: reviewer.name, openAsks: 0 });
    expect(await (await bench.review('GET', `/${id}`)).json()).toMatchObject({ notes: [{ author: reviewer.name, words: 'Called the clinic.' }] });
    expect(await statusOf(`/${id}/release`, { reviewer })).toBe(200);
    expect(await statusOf(`/${id}/claim`, { reviewer: other })).toBe(200);
    expect(await statusOf(`/${id}/decision`, { decision: 'deny', reason: 'No.' })).toBe(200);
    const rows = await bench.db.selectFrom('payer.audit_event').select(['action', 'resource']).execute();
    const mine = rows.filter(({ resource }) => JSON.stringify(resource).includes(id)).map(({ action }) => action);
    expect(mine).toEqual(expect.arrayContaining(['review-claimed', 'review-noted', 'review-released', 'item-decided', 'review-read']));
  });

  it.each<[string, string, string, unknown, Record<string, string>, number]>([
    ['without a token', 'GET', '', undefined, { Authorization: '' }, 401],
    ['with another token', 'GET', '', undefined, { Authorization: 'Bearer other' }, 401],
    ['an unknown item', 'GET', `/${randomUUID()}`, undefined, {}, 404],
    ['an id that is none', 'GET', '/x', undefined, {}, 404],
    ['a decision on nothing', 'POST', '/x/decision', { decision: 'approve' }, {}, 404],
    ['a denial without a reason', 'POST', '/x/decision', { decision: 'deny' }, {}, 400],
    ['a reason code that is none', 'POST', '/x/decision', { decision: 'deny', reason: 'x', reasonCodes: ['not a code'] }, {}, 400],
    ['an ask for nothing', 'POST', '/x/ask', { kind: 'attachment', codes: [] }, {}, 400],
    ['an ask in another code system', 'POST', '/x/ask', { kind: 'attachment', codes: [{ system: 'urn:x', code: '1' }] }, {}, 400],
    ['an ask for a form without a canonical', 'POST', '/x/ask', { kind: 'questionnaire', questionnaire: 'home oxygen' }, {}, 400],
    ['an empty note', 'POST', '/x/note', { text: ' ' }, {}, 400],
    ['taking without a name', 'POST', '/x/claim', {}, {}, 400],
    ['bad JSON', 'POST', '/x/decision', '{', {}, 400],
    ['another content type', 'POST', '/x/decision', 'x', { 'Content-Type': 'text/plain' }, 415],
    ['too much', 'POST', '/x/decision', `"${'x'.repeat(1_100_000)}"`, {}, 413],
    ['an unknown address', 'GET', '/x/nothing', undefined, {}, 404],
  ])('%s', async (_name, method, path, body, headers, status) => {
    const reply = await bench.review(method, path, body, headers);
    expect(reply.status).toBe(status);
    expect(await reply.json()).toMatchObject({ error: { code: expect.any(String), message: expect.any(String) } });
  });
});
