import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import { openOverNetwork } from '#test-fixtures/silent-network.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { openAuditTrail } from './audit.ts';
import type { Store } from './database.ts';
import { uuidv7 } from './uuid.ts';

let store: Store;
afterEach(() => store.close());

const caseId = uuidv7(Date.parse('2026-11-22T10:00:00Z'));

describe('the audit trail', () => {
  it('keeps FHIR AuditEvents of a case, oldest first', async () => {
    store = await openTestStore();
    let now = Date.parse('2026-11-22T10:00:00Z');
    const audit = await openAuditTrail(store, () => (now += 1000), (error) => expect.fail(String(error)));
    audit.record({ action: 'case-opened', who: 'Practitioner/1', caseId, what: ['DeviceRequest/2'] });
    await audit.flush();
    await store.transaction((trx) => audit.recordWithin(trx, { action: 'pas-bundle-queued', who: 'Practitioner/1', caseId, details: { items: 1 } }));
    audit.record({ action: 'case-opened', who: 'Practitioner/1' });
    const rows = await audit.ofCase(caseId);
    expect(rows.map((row) => row.action)).toEqual(['case-opened', 'pas-bundle-queued']);
    expect(rows[0]?.resource).toMatchObject({ resourceType: 'AuditEvent', agent: [{ requestor: true, who: { reference: 'Practitioner/1' } }], entity: [{ what: { reference: 'DeviceRequest/2' } }], outcome: '0' });
    await audit.stop();
  });

  it('is rolled back with the transaction it belongs to', async () => {
    store = await openTestStore();
    const audit = await openAuditTrail(store, Date.now, (error) => expect.fail(String(error)));
    await expect(
      store.transaction(async (trx) => {
        await audit.recordWithin(trx, { action: 'case-opened', who: 'x', caseId });
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await audit.ofCase(caseId)).toEqual([]);
    await audit.stop();
  });

  it('keeps what the store refused and writes it later', async () => {
    store = await openTestStore();
    const faults: unknown[] = [];
    const audit = await openAuditTrail(store, Date.now, (error) => faults.push(error));
    await sql`alter schema audit rename to audit_away`.execute(store.db);
    audit.record({ action: 'case-opened', who: 'x', caseId });
    await audit.flush();
    expect(faults).toHaveLength(1);
    await sql`alter schema audit_away rename to audit`.execute(store.db);
    expect(await audit.ofCase(caseId)).toHaveLength(1);
    await audit.stop();
  });

  it('writes more than a statement holds before it stops, and says what the store did not take', async () => {
    store = await openTestStore();
    const audit = await openAuditTrail(store, Date.now, () => undefined, 60_000);
    for (let i = 0; i < 3_000; i += 1) audit.record({ action: 'hook-answered', who: 'x', caseId });
    expect(await audit.stop()).toEqual({ kind: 'written' });
    expect(await audit.ofCase(caseId)).toHaveLength(3_000);
    await sql`alter schema audit rename to audit_away`.execute(store.db);
    for (let i = 0; i < 3; i += 1) audit.record({ action: 'hook-answered', who: 'x' });
    expect(await audit.stop()).toEqual({ kind: 'lost', entries: 3 });
  });

  it('(PostgreSQL) goes on after a write whose answer was lost, and has each entry once', async (context) => {
    store = await openTestStore();
    if (store.engine !== 'postgresql') return context.skip('the embedded engine loses no answer');
    const { network, over } = await openOverNetwork(store);
    const audit = await openAuditTrail(over, Date.now, () => undefined, 20);
    const lost = network.loseAnswerTo('insert into audit.event');
    audit.record({ action: 'case-opened', who: 'x', caseId });
    await lost;
    audit.record({ action: 'case-viewed', who: 'x', caseId });
    await expect.poll(async () => (await audit.ofCase(caseId)).map((row) => row.action)).toEqual(['case-opened', 'case-viewed']);
    expect(await audit.stop()).toEqual({ kind: 'written' });
    await over.close();
    await network.close();
  });
});
