import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLiveModel, type LiveModel } from '#models/serve/live-model.ts';
import type { ScoreRecord } from '#models/serve/model-source.ts';
import { shippedModel } from '#models/serve/shipped-model.ts';
import type { DenialRiskFacts } from '#prior-auth/learning/denial-risk.ts';
import { type AuditTrail, openAuditTrail } from '#store/audit.ts';
import { openStore, type Store } from '#store/database.ts';
import { smallModel, smallTable } from '#test-fixtures/trained-models.ts';
import { createGate } from './gate.ts';
import { type ModelRegistry, openModelRegistry } from './registry.ts';
import type { ModelPerson } from './roles.ts';

const facts: DenialRiskFacts = {
  payerId: 'evergreen-health', policyId: null, serviceFamily: 'cardiac-imaging', criteriaMet: 1, criteriaNotMet: 1, criteriaUnknown: 1, urgent: false, patientAgeYears: 58, newestEvidenceAgeDays: 30, hasReasonCode: true,
  quantityToLimitRatio: null, paNeeded: true, requesterKnown: true,
};
const trainer: ModelPerson = { name: 'tara', role: 'trainer' };
const by: ModelPerson = { name: 'ada', role: 'approver' };
const why = 'A test of serving';

describe('what the registry says is served', () => {
  let store: Store;
  let audit: AuditTrail;
  let registry: ModelRegistry;
  let model: LiveModel;
  const records: ScoreRecord[] = [];
  const table = smallTable();
  beforeAll(async () => {
    store = await openStore({ dataDir: 'memory' });
    audit = await openAuditTrail(store, Date.now, (error) => expect.fail(String(error)));
    registry = await openModelRegistry({ store, audit, now: Date.now, gate: createGate(async () => ({ table, faults: [] })), shipped: [await smallModel(table, 1)], onFault: (error) => expect.fail(String(error)) });
    model = await createLiveModel({ shipped: shippedModel, source: registry.source('denial-risk'), now: Date.now, onScored: (record) => records.push(record), onFault: (error) => expect.fail(String(error)) });
  });
  afterAll(async () => {
    await model.close();
    await registry.stop();
    await audit.stop();
    await store.close();
  });
  const becomes = async (expected: ReturnType<LiveModel['served']>) => {
    for (let tries = 0; tries < 100 && JSON.stringify(model.served()) !== JSON.stringify(expected); tries += 1) await wait(20);
    expect(model.served()).toEqual(expected);
  };

  it('shadow, canary, live and back, each from the next call on', async () => {
    const { version: first } = (await registry.liveModel('denial-risk'))?.file ?? { version: '' };
    const candidate = await smallModel(table, 2);
    const { version } = candidate.file;
    await becomes({ live: first, canary: null, shadows: [] });
    await registry.register(candidate, { by: trainer, why, origin: 'trained' });
    await registry.promote(version, { by, why });
    await becomes({ live: first, canary: null, shadows: [version] });
    const shown = await model.score(facts, { clinicId: 'https://ehr.example/fhir', caseId: 'a' });
    for (let tries = 0; tries < 100 && records.length < 2; tries += 1) await wait(10);
    expect([shown.modelVersion, ...records.map((record) => `${record.stage} ${record.version}`)]).toEqual([first, `live ${first}`, `shadow ${version}`]);
    await registry.promote(version, { by, why, canaryShare: 1 });
    await becomes({ live: first, canary: { version, share: 1 }, shadows: [] });
    expect([(await model.score(facts, { clinicId: 'https://ehr.example/fhir' })).modelVersion, (await model.score(facts)).modelVersion]).toEqual([version, first]);
    await registry.promote(version, { by, why });
    await becomes({ live: version, canary: null, shadows: [] });
    await registry.rollback('denial-risk', { by, why });
    await becomes({ live: first, canary: null, shadows: [] });
    expect((await model.score(facts)).modelVersion).toBe(first);
  });
});
