import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '#store/database.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { NOW, type RunningCdsHooks, runCdsHooks } from '../test-fixtures/running-cds-hooks.ts';
import { newCardId } from './card-id.ts';
import { feedbackSummary } from './feedback-summary.ts';
import type { CdsTables } from './tables.ts';

const ISSUER = 'https://ehr.example';
const keys = await generateKeyPair('ES384', { extractable: true });
let store: Store;
let service: RunningCdsHooks;
beforeAll(async () => {
  store = await openTestStore();
  service = await runCdsHooks({ store, trustedClients: [{ iss: ISSUER, jwks: { keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'k' }] }, fhirServers: [] }] });
});
afterAll(async () => {
  await service.stop();
  await store.close().catch(() => undefined);
});

async function send(feedback: readonly object[]): Promise<Response> {
  const address = `${service.url}/cds-services/order-sign-crd/feedback`;
  const token = await new SignJWT({ iss: ISSUER, aud: address, iat: NOW / 1000, exp: NOW / 1000 + 300, jti: randomUUID() }).setProtectedHeader({ alg: 'ES384', kid: 'k', typ: 'JWT' }).sign(keys.privateKey);
  return fetch(address, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: JSON.stringify({ feedback }) });
}
const one = { card: 'u', outcome: 'overridden', outcomeTimestamp: '2026-11-22T18:00:00Z' };
const withReason = (card: string, reason: object) => ({ ...one, card, overrideReason: { reason } });
const rows = () => store.db.withTables<CdsTables>().selectFrom('cds.feedback').selectAll().execute();
const forget = () => store.db.withTables<CdsTables>().deleteFrom('cds.feedback').execute();

describe('the time of feedback', () => {
  it.each(['0000-01-01T00:00:00Z', '0001-01-01T00:00:00+01:00', '9999-12-31T23:59:59-01:00', '2026-02-30T00:00:00Z', '2026-11-22', 'now', ''])('%j is 422, with the place of the fault', async (outcomeTimestamp) => {
    const answer = await send([one, { ...one, outcomeTimestamp }]);
    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain('feedback.1.outcomeTimestamp');
  });
  it.each([['0001-01-01T00:00:00Z', 1], ['2026-11-22T23:59:59.123456789+23:59', 2026], ['2026-11-22T00:00:00-23:00', 2026], ['9999-12-31T23:59:59Z', 9999]])('%s is stored', async (outcomeTimestamp, year) => {
    await forget();
    expect((await send([{ ...one, outcomeTimestamp }])).status).toBe(200);
    expect(await store.db.withTables<CdsTables>().selectFrom('cds.feedback').select(sql<number>`extract(year from outcome_at at time zone 'UTC')::int`.as('year')).execute()).toEqual([{ year }]);
  });
});

it('feedback that comes again, because its answer was lost, counts once', async () => {
  await forget();
  for (const given of [[one, one], [one], [{ ...one, outcomeTimestamp: '2026-11-22T18:00:01Z' }]]) expect((await send(given)).status).toBe(200);
  expect(await rows()).toHaveLength(2);
});

it("a reason is told in the policy's words, else in the client's newest, else by its code; a card that no policy makes is of unknown type", async () => {
  await forget();
  const card = newCardId('mine');
  const kind = { kind: 'mine', name: 'Mine', type: 'instructions', topic: 'guideline', reasons: { known: 'Words of the policy' } } as const;
  const given = [withReason(card, { code: 'known', display: 'Words of the client' }), withReason(card, { code: 'r17', display: 'Seen <elsewhere>' }), withReason(card, { code: 'r18', display: 7 }), withReason('no-card-of-ours', { code: 'r19', display: 'x'.repeat(501) })];
  expect((await send(given)).status).toBe(200);
  // As a row stood before words were kept.
  await store.db.withTables<CdsTables>().updateTable('cds.feedback').set({ card_kind: 'mine' }).where('card', '=', card).execute();
  const [mine, others] = await feedbackSummary(store, [kind]);
  expect(mine?.reasons.map(({ display }) => display).toSorted()).toEqual(['Seen <elsewhere>', 'Words of the policy', 'r18']);
  expect(others).toMatchObject({ name: 'Other cards', type: 'unknown', reasons: [{ display: 'r19' }] });
});

describe('feedback while the database does not answer', () => {
  it('is 503 within two seconds: the client sends it again', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    // Nothing but this transaction gets at the rows meanwhile.
    const holding = store.transaction(async (trx) => {
      await sql`lock table cds.feedback in access exclusive mode`.execute(trx);
      await held;
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const before = performance.now();
    const answer = await send([{ ...one, card: 'late' }]);
    expect(performance.now() - before).toBeLessThan(2_000);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await answer.json()).toMatchObject({ issue: [{ code: 'transient', diagnostics: 'The feedback could not be stored. Send it again later.' }] });
    release();
    await holding;
    expect((await send([{ ...one, card: 'late' }])).status).toBe(200);
    expect((await rows()).filter(({ card }) => card === 'late')).toHaveLength(1);
  });
  it('is 503 at once when it is gone', async () => {
    await store.close();
    const answer = await send([one]);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
  });
});
