import { afterEach, beforeEach, expect, it } from 'vitest';
import { openAuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import { uuidv7 } from '#store/uuid.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { type CdsTables, migrations } from '../tables.ts';
import { openRegisteredClients } from './registered-clients.ts';
import { openTrustedClients } from './trusted-clients.ts';

const ISSUER = 'https://ehr.example';
let store: Store;
beforeEach(async () => {
  store = await openTestStore();
  await migratePart(store, 'cds', migrations);
});
afterEach(() => store.close());

async function add(iss: string, more: object = {}, tenant = ''): Promise<string> {
  const id = uuidv7(Date.now());
  const registration = JSON.stringify({ iss, ...(tenant ? { tenant } : {}), jku: `${ISSUER}/jwks`, fhirServers: [], ...more });
  await store.db.withTables<CdsTables>().insertInto('cds.client').values({ id, iss, tenant, registration, disabled: false, created_at: new Date().toISOString() }).execute();
  return id;
}

it('a registration of a newer version is disabled and reported without what it says, and changes of the others are taken', async () => {
  const heard: object[] = [];
  const audit = await openAuditTrail(store, Date.now, (error) => expect.fail(String(error)));
  const open = () => openTrustedClients({ builtIn: [], file: undefined, registered: openRegisteredClients(store, audit, Date.now), now: Date.now, onFileFault: () => undefined, onUnreadable: (row) => heard.push(row) });
  const known = await add(ISSUER);
  const running = await open();
  const newer = await add('https://new.example', { scopes: ['of a newer version'] });
  const wrong = await add('https://old.example', { jku: 'the secret place' });
  const keyless = await add('https://keyless.example', { jku: undefined });
  const north = await add(ISSUER, { scopes: [] }, 'north');
  await store.db.withTables<CdsTables>().updateTable('cds.client').set({ disabled: true }).where('id', '=', known).execute();
  await running.reload();
  await running.reload();
  expect(running.find(ISSUER, undefined)?.client).toMatchObject({ disabled: true, jku: `${ISSUER}/jwks` });
  expect(heard).toEqual([
    { id: newer, why: '(root): there is no element scopes here' },
    { id: wrong, why: 'jku: must be an https URL without a fragment or a password; http is for loopback only' },
    { id: keyless, why: 'neither jku nor jwks' },
    { id: north, why: '(root): there is no element scopes here' },
  ]);
  // Not by the registration of all tenants.
  for (const [iss, tenant] of [['https://new.example'], ['https://old.example'], ['https://keyless.example'], [ISSUER, 'north']] as const) {
    const found = running.find(iss, tenant)?.client;
    expect([found?.tenant, found?.disabled, found?.name]).toEqual([tenant, true, 'Cannot be read by this version of the program']);
  }
  expect((await open()).list()).toHaveLength(5);
  await audit.stop();
});
