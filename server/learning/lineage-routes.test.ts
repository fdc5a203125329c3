import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuditTrail, openAuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import { sampleInput } from '#test-fixtures/pas-submission-input.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { answerErrors } from '../error-reply.ts';
import { CASE_MIGRATIONS, LEARNING_MIGRATIONS } from '../store/migrations.ts';
import { learningAccess } from './access.ts';
import { recordDecisionLabels } from './labels.ts';
import { lineageRoutes } from './lineage-routes.ts';
import { openModelRoles } from './roles.ts';
import { createTrainingTables } from './training-table.ts';

const log = pino({ level: 'silent' });
const folder = mkdtempSync(join(tmpdir(), 'opa-lineage-'));
const CASE = '0193f000-0000-7000-8000-000000000001';
const facts = { payerId: 'cascade-medicare', policyId: null, serviceFamily: 'dme-respiratory', criteriaMet: 1, criteriaNotMet: 0, criteriaUnknown: 0, urgent: false, patientAgeYears: 70, newestEvidenceAgeDays: 3, hasReasonCode: true, quantityToLimitRatio: null, paNeeded: true, requesterKnown: true };
let store: Store;
let audit: AuditTrail;
let http: Server;
beforeAll(async () => {
  store = await openTestStore();
  await migratePart(store, 'cases', CASE_MIGRATIONS);
  await migratePart(store, 'learning', LEARNING_MIGRATIONS);
  audit = await openAuditTrail(store, Date.now, (error) => expect.fail(String(error)));
  const at = new Date().toISOString();
  const columns = { id: CASE, version: 1, ehr_base: 'e', order_reference: 'o', patient_id: 'p', state: 'decided', payer_id: 'cascade-medicare', search_text: '', created_at: at, updated_at: at };
  const risk = JSON.stringify({ probability: 0.1, band: 'low', reasons: [], modelVersion: 'm', simulated: true });
  await store.db.withTables<{ 'cases.prior_auth_case': typeof columns & { risk: string; risk_facts: string; document: string } }>().insertInto('cases.prior_auth_case').values({ ...columns, risk, risk_facts: JSON.stringify(facts), document: '{}' }).execute();
  const decision = { decidedAt: at, items: [{ sequence: 1, decision: { kind: 'denied', reasonCodes: [], explanation: [] } }], overall: 'denied', errors: [] } as const;
  await store.transaction((trx) => recordDecisionLabels(trx, { decided: { ...sampleInput().case, id: CASE }, decision, submittedAt: at, simulated: true, nowMs: Date.now() }));

  const file = join(folder, 'roles.json');
  writeFileSync(file, JSON.stringify({ people: (['viewer', 'trainer', 'approver'] as const).map((role) => ({ name: `the ${role}`, role, tokenSha256: createHash('sha256').update(role).digest('hex') })) }));
  const api = express.Router();
  lineageRoutes({ tables: createTrainingTables({ store, audit, now: Date.now }) })(api, learningAccess({ roles: openModelRoles({ file }), audit, log }));
  api.use(answerErrors(log));
  http = express().use('/learning/api', api).listen(0);
  await once(http, 'listening');
});
afterAll(async () => {
  http.close();
  await audit.stop();
  await store.close();
  rmSync(folder, { recursive: true });
});

async function call(token: string, method: 'GET' | 'POST', path: string, body?: unknown) {
  const response = await fetch(`http://localhost:${(http.address() as AddressInfo).port}/learning/api${path}`, { method, headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return { status: response.status, body: await response.json() };
}

describe('training tables and lineage by HTTP', () => {
  it.each<[string, 'GET' | 'POST', string, unknown, number]>([
    ['nobody', 'GET', '/tables', undefined, 401],
    ['viewer', 'POST', '/tables', { kind: 'denial-risk', simulated: true }, 403],
    ['viewer', 'GET', `/lineage/cases/${CASE}`, undefined, 403],
    ['trainer', 'GET', '/lineage/rows/abc', undefined, 403],
    ['trainer', 'POST', '/tables', { kind: 'weather', simulated: true }, 400],
    ['trainer', 'POST', '/tables', { kind: 'denial-risk' }, 400],
  ])('%s: %s %s %j is answered %i', async (token, method, path, body, status) => {
    expect((await call(token, method, path, body)).status).toBe(status);
  });

  it('lead from a case to its row and back, and say who looked', async () => {
    const made = await call('trainer', 'POST', '/tables', { kind: 'denial-risk', simulated: true });
    expect(made).toMatchObject({ status: 201, body: { rows: 1, simulated: true, source: expect.stringContaining('simulated'), faults: [{ check: 'label-balance' }, { check: 'label-balance' }, { check: 'label-balance' }] } });
    expect((await call('viewer', 'GET', '/tables')).body.tables).toMatchObject([{ id: made.body.id, rows: 1, madeBy: 'the trainer' }]);
    const { rows } = (await call('approver', 'GET', `/lineage/cases/${CASE}`)).body;
    expect(rows).toMatchObject([{ caseId: CASE, itemSequence: 1, labelVersion: 1 }]);
    expect((await call('approver', 'GET', `/lineage/rows/${rows[0].rowId}`)).body.decisions).toEqual(rows);
    expect((await call('approver', 'GET', '/lineage/rows/unknown')).body.decisions).toEqual([]);
    expect((await audit.ofCase(CASE)).map(({ action, who }) => [action, who])).toContainEqual(['training-lineage-viewed', 'the approver']);
  });
});
