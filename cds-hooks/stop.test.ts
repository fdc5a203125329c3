import { sql } from 'kysely';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { loadPayers } from '#policies/load-payers.ts';
import { loadPolicies } from '#policies/load-policies.ts';
import { openAuditTrail } from '#store/audit.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { createCdsHooks } from './cds-hooks.ts';

it('says how many calls a store that is away did not take before the end, and nothing when it took all', async () => {
  const store = await openTestStore();
  const audit = await openAuditTrail(store, Date.now, (error) => expect.fail(String(error)));
  const logged: unknown[] = [];
  const open = () => createCdsHooks({
    store, baseUrl: 'https://cds.example', log: pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) }), now: Date.now, audit, policies: loadPolicies(), payers: loadPayers('https://cds.example'), registry: new Registry(),
    model: { score: async () => ({ probability: 0.3, band: 'low', reasons: [], modelVersion: 'test', simulated: true }) }, trustedClients: [], openToFhirServer: null,
  });
  const exchange = { at: new Date().toISOString(), client: 'https://ehr.example', hookInstance: 'x', status: 200, request: '{}', answer: '{}' };
  const kept = await open();
  kept.exchanges.record(exchange);
  await kept.stop();
  expect(logged).toEqual([]);
  const losing = await open();
  await sql`alter table cds.exchange_batch rename to moved`.execute(store.db);
  for (let i = 0; i < 3; i += 1) losing.exchanges.record(exchange);
  await losing.stop();
  expect(logged).toContainEqual(expect.objectContaining({ calls: 3, metrics: 0, msg: expect.stringContaining('lost') }));
  await audit.stop();
  await store.close();
});
