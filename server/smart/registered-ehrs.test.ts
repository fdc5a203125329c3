import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AuditTrail, openAuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import { uuidv7 } from '#store/uuid.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { SESSION_MIGRATIONS } from '../store/migrations.ts';
import { openRegisteredEhrs } from './registered-ehrs.ts';

let store: Store;
let audit: AuditTrail;
beforeAll(async () => {
  store = await openTestStore();
  await migratePart(store, 'panel', SESSION_MIGRATIONS);
  audit = await openAuditTrail(store, Date.now, (error) => expect.fail(String(error)));
});
afterAll(async () => {
  await audit.stop();
  await store.close();
});

it('a registration of a newer version is disabled and reported once, without what it says; the others are read', async () => {
  const heard: object[] = [];
  const open = () => openRegisteredEhrs({ store, audit, now: Date.now, builtIn: [], onFileFault: () => undefined, onUnreadable: (row) => heard.push(row) });
  const running = await open();
  const id = uuidv7(Date.now());
  const registration = { fhirBase: 'https://new.example/fhir', clientId: 'panel', pushed: 'of a newer version' };
  await sql`insert into panel.ehr (id, fhir_base, registration, disabled, created_at) values (${id}, ${registration.fhirBase}, ${JSON.stringify(registration)}, false, now())`.execute(store.db);
  await running.add({ fhirBase: 'https://ehr.example/fhir', clientId: 'panel' });
  await running.reload();
  expect(running.find('https://ehr.example/fhir')).toMatchObject({ clientId: 'panel' });
  expect(running.find('https://new.example/fhir')).toBe(undefined);
  expect(heard).toEqual([{ id, why: '(root): there is no element pushed here' }]);
  expect((await open()).list().map(({ ehr }) => [ehr.fhirBase, ehr.name, ehr.disabled])).toEqual([
    ['https://new.example/fhir', 'Cannot be read by this version of the program', true],
    ['https://ehr.example/fhir', undefined, false],
  ]);
});
