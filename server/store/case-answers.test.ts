import { afterAll, beforeAll, expect, it } from 'vitest';
import type { AnsweredState, CaseState, PriorAuthCase } from '#prior-auth/case.ts';
import type { PayerDecision } from '#prior-auth/payer-decision/decision.ts';
import type { InformationRequest } from '#prior-auth/payer-decision/information-request.ts';
import type { Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import { sampleInput } from '#test-fixtures/pas-submission-input.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import type { CaseAnswer } from '../payer/case-port.ts';
import { createCasePort } from './case-answers.ts';
import { type CaseStore, createCaseStore } from './cases.ts';
import { CASE_MIGRATIONS, LEARNING_MIGRATIONS } from './migrations.ts';

let store: Store;
let cases: CaseStore;
let orders = 0;

beforeAll(async () => {
  store = await openTestStore();
  await migratePart(store, 'cases', CASE_MIGRATIONS);
  await migratePart(store, 'learning', LEARNING_MIGRATIONS);
  cases = createCaseStore(store, Date.now, () => 'UTC');
});
afterAll(() => store.close());

const AT = { first: '2026-11-20T08:00:00.000Z', second: '2026-11-21T08:00:00.000Z', third: '2026-11-22T08:00:00.000Z' };
const said = (overall: PayerDecision['overall'], decidedAt: string, more: Partial<PayerDecision> = {}): PayerDecision => ({ decidedAt, overall, items: [], errors: [], ...more });
const pended = (submittedAt: string, decidedAt: string, asks?: readonly InformationRequest[]): Extract<AnsweredState, { kind: 'pended' }> => ({ kind: 'pended', submittedAt, decision: said('pended', decidedAt), ...(asks ? { asks } : {}) });
const decided = (submittedAt: string, overall: PayerDecision['overall'], decidedAt: string, more: Partial<PayerDecision> = {}): Extract<AnsweredState, { kind: 'decided' }> => ({ kind: 'decided', submittedAt, decision: said(overall, decidedAt, more) });
const refused: CaseAnswer = { kind: 'refused', refusedAt: AT.third, reason: 'HTTP 422' };
const ask: InformationRequest = { id: 'a', sequence: 1, wants: { kind: 'attachment', codes: [] }, state: 'open' };
const queued = (more: Partial<Extract<CaseState, { kind: 'queued' }>> = {}): CaseState => ({ kind: 'queued', queuedAt: AT.second, attempts: 1, ...more });
const manual = (was?: Exclude<CaseState, { kind: 'manual' }>): CaseState => ({ kind: 'manual', since: AT.second, by: 'N', ...(was ? { was } : {}) });
const entered = { entered: { by: { reference: 'Practitioner/1', name: 'N' }, at: AT.third, learnedBy: 'fax' as const } };
const added = { ...sampleInput().case.service, order: 'ServiceRequest/added' };

async function moved(state: CaseState, answer: CaseAnswer, of: 'latest' | 'before' = 'latest', further: PriorAuthCase['further'] = undefined): Promise<PriorAuthCase> {
  const { id: _id, version: _version, createdAt: _c, updatedAt: _u, ...opening } = sampleInput().case;
  const opened = await store.transaction((trx) => cases.open(trx, { ...opening, service: { ...opening.service, order: `DeviceRequest/${(orders += 1)}` }, ...(further ? { further } : {}), state }, 'test'));
  const port = createCasePort(cases, Date.now);
  // Told twice: the second time changes nothing.
  for (let times = 0; times < 2; times += 1) await store.transaction((trx) => port.recordAnswer(trx, opened.case.id, answer, of));
  const found = await cases.read(opened.case.id);
  expect(found.version).toBeLessThanOrEqual(2);
  return found;
}

it.each<readonly [string, CaseState, CaseAnswer, 'latest' | 'before', object]>([
  ['a new request is refused', queued(), refused, 'latest', { kind: 'refused' }],
  ['an update is refused: what stood stands, with the reason', queued({ purpose: 'update', before: pended(AT.first, AT.first) }), refused, 'latest', { kind: 'pended', lastChange: { purpose: 'update', reason: 'HTTP 422' } }],
  ['a refused update took no form along', queued({ purpose: 'update', before: pended(AT.first, AT.first, [{ ...ask, answer: { kind: 'sending', queuedAt: AT.second, by: 'N' } }]) }), refused, 'latest', { asks: [{ state: 'open', answer: { kind: 'refused' } }] }],
  ['an update that pends leaves the clock of what is still being decided', queued({ purpose: 'update', before: pended(AT.first, AT.first) }), pended(AT.second, AT.second), 'latest', { kind: 'pended', submittedAt: AT.first }],
  ['a change of what was decided is decided anew', queued({ purpose: 'update', before: decided(AT.first, 'approved', AT.first) }), pended(AT.second, AT.second), 'latest', { kind: 'pended', submittedAt: AT.second }],
  ['an inquiry carries no asks: they stay', pended(AT.first, AT.first, [ask]), pended(AT.first, AT.second), 'latest', { asks: [{ id: 'a', state: 'open' }], decision: { decidedAt: AT.second } }],
  ['an answer without the ask withdraws it', pended(AT.first, AT.first, [ask]), { ...pended(AT.first, AT.second), asks: [] }, 'latest', { asks: [{ id: 'a', state: 'withdrawn' }] }],
  ['an older answer changes nothing', pended(AT.first, AT.second, [ask]), { ...pended(AT.first, AT.first), asks: [] }, 'latest', { asks: [{ state: 'open' }], decision: { decidedAt: AT.second } }],
  ['“not decided” that comes late does not take a decision back', decided(AT.first, 'approved', AT.second), pended(AT.first, AT.third), 'latest', { kind: 'decided' }],
  ['a decision about what stood waits behind a cancellation on its way', queued({ purpose: 'cancel', before: pended(AT.first, AT.first) }), decided(AT.first, 'denied', AT.second), 'before', { kind: 'queued', purpose: 'cancel', before: { kind: 'decided' } }],
  ['an older one does not', queued({ purpose: 'cancel', before: decided(AT.first, 'approved', AT.third) }), decided(AT.first, 'denied', AT.second), 'before', { before: { decision: { overall: 'approved' } } }],
  ['by hand: a decision of the payer’s system goes before', manual(pended(AT.first, AT.first)), decided(AT.first, 'denied', AT.second), 'latest', { kind: 'decided', decision: { overall: 'denied' } }],
  ['by hand: what is not decided is kept behind', manual(pended(AT.first, AT.first)), { ...pended(AT.first, AT.second), asks: [ask] }, 'latest', { kind: 'manual', was: { kind: 'pended', asks: [{ id: 'a' }] } }],
  ['by hand, a change waiting: a decision about what stood is kept', manual(queued({ purpose: 'update', before: pended(AT.first, AT.first) }) as Exclude<CaseState, { kind: 'manual' }>), decided(AT.first, 'approved', AT.second), 'before', { kind: 'manual', was: { kind: 'queued', before: { kind: 'decided' } } }],
  ['the payer’s system corrects what a person entered', decided(AT.first, 'approved', AT.third, entered), decided(AT.first, 'denied', AT.second), 'latest', { decision: { overall: 'denied' } }],
  ['but “not decided” does not', decided(AT.first, 'approved', AT.third, entered), pended(AT.first, AT.third), 'latest', { decision: { overall: 'approved' } }],
])('%s', async (_name, state, answer, of, expected) => {
  expect((await moved(state, answer, of)).state).toMatchObject(expected);
});

it('an order that a refused update was to add is taken out again', async () => {
  const found = await moved(queued({ purpose: 'update', before: pended(AT.first, AT.first), added: [added.order] }), refused, 'latest', [added]);
  expect(found.further).toEqual([]);
});
