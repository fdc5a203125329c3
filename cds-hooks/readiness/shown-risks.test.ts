import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DenialRisk } from '#prior-auth/learning/denial-risk.ts';
import { openStore, type Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import { type RunningCdsHooks, runCdsHooks } from '../../test-fixtures/running-cds-hooks.ts';
import type { DeterminedFocus } from '../determined-focus.ts';
import { type CdsTables, migrations } from '../tables.ts';
import { openShownRisks, type ShownRisk } from './shown-risks.ts';

const HOUR = 3_600_000;
const risk: DenialRisk = { probability: 0.3, band: 'medium', reasons: [], modelVersion: 'm', simulated: true };
const focus = (id: string, status: 'met' | 'unknown' = 'met') => ({ focus: { resourceType: 'DeviceRequest', id } as Resource, determination: { findings: [{ criterionId: 'a', label: 'A', status, evidence: [] }] } }) as unknown as DeterminedFocus;
const shown = (more: Partial<ShownRisk> = {}): ShownRisk => ({ hook: 'order-select', client: 'https://ehr.example', patientId: 'patient-77', focus: focus('order-99'), risk, ...more });
const atSigning = (more: Partial<ShownRisk> = {}): ShownRisk => shown({ hook: 'order-sign', ...more });

describe('denial-risk cards that were shown', () => {
  let store: Store;
  let nowMs = Date.parse('2026-11-22T10:00:00Z');
  const rows = () => store.db.withTables<CdsTables>().selectFrom('cds.shown_risk').selectAll().execute();
  beforeAll(async () => {
    store = await openStore({ dataDir: 'memory' });
    await migratePart(store, 'cds', migrations);
  });
  afterAll(() => store.close());

  it('are known at another hook, in this process at once and in others soon', async () => {
    const here = await openShownRisks(store, () => nowMs);
    const there = await openShownRisks(store, () => nowMs);
    here.note(shown());
    expect([here.seenElsewhere(atSigning()), here.seenElsewhere(shown()), there.seenElsewhere(atSigning())]).toEqual([true, false, false]);
    await here.flush();
    nowMs += 1_000;
    await there.flush();
    expect(there.seenElsewhere(atSigning())).toBe(true);
    const afterRestart = await openShownRisks(store, () => nowMs);
    await afterRestart.flush();
    expect(afterRestart.seenElsewhere(atSigning())).toBe(true);
  });
  it.each<[string, Partial<ShownRisk>]>([
    ['another order', { focus: focus('order-98') }],
    ['another patient', { patientId: 'patient-78' }],
    ['another client', { client: 'https://else.example' }],
    ['another band', { risk: { ...risk, band: 'high' } }],
    ['a criterion that is no longer met', { focus: focus('order-99', 'unknown') }],
  ])('%s is another card', async (_name, more) => {
    const risks = await openShownRisks(store, () => nowMs);
    risks.note(shown());
    expect(risks.seenElsewhere(atSigning(more))).toBe(false);
  });
  it('a slightly other score of the same band says nothing new', async () => {
    const risks = await openShownRisks(store, () => nowMs);
    risks.note(shown());
    expect(risks.seenElsewhere(atSigning({ risk: { ...risk, probability: 0.31 } }))).toBe(true);
  });
  it('the store holds no word of the record', async () => {
    const stored = await rows();
    expect(stored).not.toEqual([]);
    for (const row of stored) expect(row).toEqual({ key: expect.stringMatching(/^[\w-]{43}$/), hook: 'order-select', shown_at: expect.anything(), process: expect.any(String) });
    expect(JSON.stringify(stored)).not.toMatch(/patient-77|order-99|ehr\.example/);
  });
  it('are forgotten after twelve hours', async () => {
    const risks = await openShownRisks(store, () => nowMs);
    risks.note(shown());
    await risks.flush();
    nowMs += 12 * HOUR + 1_000;
    expect(risks.seenElsewhere(atSigning())).toBe(false);
    await risks.flush();
    expect(await rows()).toEqual([]);
  });
  it('are written later when the store was away', async () => {
    const other = await openStore({ dataDir: 'memory' });
    await migratePart(other, 'cds', migrations);
    const risks = await openShownRisks(other, () => nowMs);
    risks.note(shown());
    const db = other.db.withTables<CdsTables>();
    await db.schema.alterTable('cds.shown_risk').renameTo('away').execute();
    await expect(risks.flush()).rejects.toThrow(/shown_risk/);
    expect(risks.seenElsewhere(atSigning())).toBe(true);
    await db.schema.alterTable('cds.away').renameTo('shown_risk').execute();
    await risks.flush();
    expect(await db.selectFrom('cds.shown_risk').selectAll().execute()).toHaveLength(1);
    await other.close();
  });
});

describe('between selecting and signing', () => {
  let service: RunningCdsHooks;
  beforeAll(async () => {
    service = await runCdsHooks();
  });
  afterAll(() => service.stop());

  const bundle = (...resources: readonly object[]) => ({ resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ resource })) });
  const subject = { reference: 'Patient/p1' };
  const order = (id: string) => ({ resourceType: 'DeviceRequest', id, status: 'draft', intent: 'order', authoredOn: '2026-11-22', requester: { reference: 'Practitioner/u1' }, subject, codeCodeableConcept: { coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'E1390' }] } });
  const copd = { resourceType: 'Condition', id: 'k1', code: { coding: [{ code: 'J44.9' }] }, subject };
  const topics = async (hook: 'order-select' | 'order-sign', id: string, more: { readonly conditions?: object; readonly configuration?: object } = {}) => {
    const reply = await service.post(`${hook}-crd`, {
      hook, hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea', context: { userId: 'Practitioner/u1', patientId: 'p1', draftOrders: bundle(order(id)), ...(hook === 'order-select' ? { selections: [`DeviceRequest/${id}`] } : {}) },
      prefetch: { patient: { resourceType: 'Patient', id: 'p1' }, coverage: bundle({ resourceType: 'Coverage', id: 'c1', status: 'active', beneficiary: subject, payor: [{ display: 'Centers for Medicare and Medicaid Services' }] }), conditions: more.conditions ?? null, observations: null, procedures: null, reports: null, documents: null, medications: null },
      extension: { 'davinci-crd.configuration': more.configuration ?? {} },
    });
    return reply.cards.map((card) => card.source.topic.code).filter((code) => code === 'denial-risk').length;
  };

  it('the card comes once', async () => {
    expect([await topics('order-select', 'o1'), await topics('order-sign', 'o1'), await topics('order-sign', 'o1')]).toEqual([1, 0, 0]);
  });
  it('again at the hook that has shown it: a client drops the cards of an earlier answer of the same service', async () => {
    expect([await topics('order-select', 'o2'), await topics('order-select', 'o2')]).toEqual([1, 1]);
  });
  it('at signing, where nothing was selected', async () => expect(await topics('order-sign', 'o3')).toBe(1));
  it('at signing, when the record has changed in between', async () => {
    expect([await topics('order-select', 'o4'), await topics('order-sign', 'o4', { conditions: bundle(copd) })]).toEqual([1, 1]);
  });
  it('not at all where it is switched off', async () => {
    expect([await topics('order-select', 'o5', { configuration: { 'denial-risk': false } }), await topics('order-sign', 'o5')]).toEqual([0, 1]);
  });
});
