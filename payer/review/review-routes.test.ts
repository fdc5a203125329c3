import type { Bundle } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '#store/database.ts';
import { ANSWERS, claimResponseOf, inquiryBundle, openPayerBench, type PayerBench, readItem, requestBundle } from '#test-fixtures/payer-bench.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';

const TOKEN = 'reviewer-token-of-the-test';
let store: Store;
let bench: PayerBench;

beforeAll(async () => {
  store = await openTestStore();
  bench = await openPayerBench({ db: store.db, reviewDelayMs: 3_600_000, reviewerToken: TOKEN });
});
afterAll(async () => {
  await bench.close();
  await store.close();
});

interface QueueItem {
  readonly id: string;
  readonly caseId: string;
  readonly criteria: readonly unknown[];
}

const review = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  fetch(`${bench.baseUrl}/payer/review/api${path}`, {
    method,
    headers: { Authorization: `Bearer ${TOKEN}`, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });

async function pendedItem(memberId: string): Promise<QueueItem> {
  const answer = (await (await bench.submit(requestBundle({ code: 'K0823', answers: [ANSWERS.assessment(true)], memberId }))).json()) as Bundle;
  const { items } = (await (await review('GET', '/items')).json()) as { items: QueueItem[] };
  const item = items.find(({ caseId }) => caseId === claimResponseOf(answer).id);
  if (!item) throw new Error('the pended item is not in the queue');
  return item;
}

describe('the review queue', () => {
  it.each<[{ decision: string; reason?: string; quantity?: object }, string]>([
    [{ decision: 'approve' }, 'A1'],
    [{ decision: 'deny', reason: 'The record does not support it.' }, 'A3'],
    [{ decision: 'modify', reason: 'A trial first.', quantity: { value: 2, unit: 'months' } }, 'A6'],
  ])('%j', async (decision, code) => {
    const memberId = `M-${code}`;
    const item = await pendedItem(memberId);
    expect(item.criteria).toEqual([{ id: 'assessment', label: 'A mobility assessment was made', result: 'met' }]);
    expect(await (await review('GET', `/items/${item.id}`)).json()).toMatchObject({ state: 'pended', request: { resourceType: 'Bundle' } });
    const reply = await review('POST', `/items/${item.id}/decision`, decision);
    expect(reply.status).toBe(200);
    const answer = claimResponseOf((await (await bench.inquire(inquiryBundle({}, memberId))).json()) as Bundle);
    expect(readItem(answer.item?.[0]).code).toBe(code);
    expect(answer.processNote?.[0]?.text).toBe(decision.reason);
    expect((await review('POST', `/items/${item.id}/decision`, decision)).status).toBe(409);
  });

  it('two reviewers at once make one decision', async () => {
    const item = await pendedItem('M-twice');
    const statuses = await Promise.all([1, 2].map(async () => (await review('POST', `/items/${item.id}/decision`, { decision: 'approve' })).status));
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 409]);
  });

  it.each<[string, string, string, unknown, Record<string, string>, number]>([
    ['without a token', 'GET', '/items', undefined, { Authorization: '' }, 401],
    ['with another token', 'GET', '/items', undefined, { Authorization: 'Bearer other' }, 401],
    ['an unknown item', 'GET', '/items/00000000-0000-4000-8000-000000000000', undefined, {}, 404],
    ['an id that is none', 'GET', '/items/x', undefined, {}, 404],
    ['a decision on nothing', 'POST', '/items/x/decision', { decision: 'approve' }, {}, 404],
    ['a denial without a reason', 'POST', '/items/x/decision', { decision: 'deny' }, {}, 400],
    ['bad JSON', 'POST', '/items/x/decision', '{', {}, 400],
    ['another content type', 'POST', '/items/x/decision', 'x', { 'Content-Type': 'text/plain' }, 415],
    ['too much', 'POST', '/items/x/decision', `"${'x'.repeat(1_100_000)}"`, {}, 413],
    ['an unknown address', 'GET', '/nothing', undefined, {}, 404],
  ])('%s', async (_name, method, path, body, headers, status) => {
    const reply = await review(method, path, body, headers);
    expect(reply.status).toBe(status);
    expect(await reply.json()).toMatchObject({ error: { code: expect.any(String), message: expect.any(String) } });
  });
});
