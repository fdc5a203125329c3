import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readPayersFile, SHIPPED_PAYERS } from '#policies/load-payers.ts';
import { type AuditTrail, openAuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { openPayerConnections, type PayerConnections } from './payer-connections.ts';

let store: Store;
let audit: AuditTrail;
const opened: PayerConnections[] = [];
beforeAll(async () => {
  store = await openTestStore();
  audit = await openAuditTrail(store, Date.now, (error) => expect.fail(String(error)));
});
afterAll(async () => {
  for (const each of opened) each.stop();
  await audit.stop();
  await store.close();
});

it('a registration of a newer version is passed over and reported, without what it says, and never replaced; the others are read', async () => {
  const heard: object[] = [];
  const open = async (): Promise<PayerConnections> => {
    const connections = await openPayerConnections({ store, audit, now: Date.now, baseUrl: 'http://localhost', onFileFault: () => undefined, onReloadFault: (error) => expect.fail(String(error)), onUnreadable: (row) => heard.push(row), reloadEveryMs: 60_000 });
    opened.push(connections);
    return connections;
  };
  const running = await open();
  const [like] = readPayersFile(SHIPPED_PAYERS);
  if (!like) throw new Error('no payer is shipped');
  const payer = (id: string) => ({ ...like, id, organizationIdentifiers: [{ system: 'urn:test', value: id }] });
  await sql`insert into connections.payer (id, registration, disabled, created_at, changed_at) values ('newer', ${JSON.stringify({ ...payer('newer'), pushed: 'of a newer version' })}, false, now(), now())`.execute(store.db);
  expect(await running.save(payer('readable'))).toEqual({ kind: 'added' });
  await running.reload();
  expect([running.byId('readable')?.id, running.byId('newer')]).toEqual(['readable', undefined]);
  expect(heard).toEqual([{ id: 'newer', why: '(root): there is no element pushed here' }]);
  expect(await running.save(payer('newer'))).toMatchObject({ kind: 'clash', field: 'id' });
  const after = await open();
  expect([after.byId('readable')?.id, after.byId('newer')]).toEqual(['readable', undefined]);
});
