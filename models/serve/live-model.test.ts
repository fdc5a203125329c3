import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { DenialRiskFacts } from '#prior-auth/learning/denial-risk.ts';
import { pastDecisionsOf } from '#prior-auth/learning/past-decisions.ts';
import { changingSource, shiftedVariant, variant } from '#test-fixtures/model-variants.ts';
import { type OpenForestSession, openForestSession } from './forest-session.ts';
import { createLiveModel, type LiveModel, type LiveModelOptions } from './live-model.ts';
import type { BundleBytes, ScoreRecord } from './model-source.ts';
import { shippedModel } from './shipped-model.ts';

const facts: DenialRiskFacts = {
  payerId: 'evergreen-health', policyId: 'cardiac-mri', serviceFamily: 'cardiac-imaging', criteriaMet: 1, criteriaNotMet: 1, criteriaUnknown: 1, urgent: false, patientAgeYears: 58,
  newestEvidenceAgeDays: 30, hasReasonCode: true, quantityToLimitRatio: null, paNeeded: true, requesterKnown: true,
};
const shipped = await shippedModel();
const riskier = await shiftedVariant(1);
const safer = await shiftedVariant(-1);
const other = await shiftedVariant(0.5);

const noMatch = await variant((file) => ({ forest: { ...file.forest, base: file.forest.base + 0.5 } }));
const BROKEN: readonly (readonly [string, BundleBytes])[] = [
  ['a truncated ONNX file', { ...other, onnx: other.onnx.subarray(0, 1_000) }],
  ['a truncated ONNX file that its JSON describes', await variant(() => ({}), shipped.onnx.subarray(0, 1_000))],
  ['truncated JSON', { ...other, json: other.json.slice(0, 500) }],
  ['another feature list', await variant((file) => ({ features: [...file.features].reverse() }))],
  ['fewer features', await variant((file) => ({ features: file.features.slice(1) }))],
  ['stored rows of another width', await variant((file) => ({ selfCheck: file.selfCheck.map((stored) => ({ ...stored, row: stored.row.slice(1) })) }))],
  ['no stored rows', await variant(() => ({ selfCheck: [] }))],
  ['trees that differ from the ONNX file', noMatch],
  ['stored rows that its trees do not give', await variant((file) => ({ selfCheck: file.selfCheck.map((stored) => ({ ...stored, margin: stored.margin + 0.001 })) }))],
  ['another question', await variant(() => ({ kind: 'appeal' }))],
  ['another version than it is called', { ...riskier, version: '0123456789ab' }],
  ['fields that no order has', await variant((file) => ({ features: [...file.features, 'zip_rate', 'zip_count'], encoders: [{ name: 'zip', fields: ['zip'], overall: 0.2, levels: {} }] }))],
];

let opened: LiveModel[] = [];
let hanging = new AbortController();
afterEach(async () => {
  hanging.abort();
  hanging = new AbortController();
  await Promise.all(opened.map((model) => model.close()));
  opened = [];
});
async function live(more: Partial<LiveModelOptions> = {}): Promise<{ model: LiveModel; faults: string[]; records: ScoreRecord[] }> {
  const faults: string[] = [];
  const records: ScoreRecord[] = [];
  const model = await createLiveModel({ shipped: async () => shipped, now: Date.now, onFault: (_error, { what, version }) => faults.push(`${what} ${version ?? ''}`.trim()), onScored: (record) => records.push(record), ...more });
  opened.push(model);
  return { model, faults, records };
}
/** The real session; what a switch says happens before it answers. */
function brittle(): { openSession: OpenForestSession; now: 'well' | 'throws' | 'hangs' | 'nan'; runs: number; released: number } {
  const state: ReturnType<typeof brittle> = {
    now: 'well', runs: 0, released: 0,
    async openSession(onnx, threads) {
      const session = await openForestSession(onnx, threads);
      return {
        async run(rows, width) {
          state.runs += 1;
          if (state.now === 'throws') throw new Error('the runtime fails');
          if (state.now === 'hangs') await wait(5_000, undefined, { ref: false, signal: hanging.signal });
          const answers = await session.run(rows, width);
          return state.now === 'nan' ? Array.from(answers, () => Number.NaN) : answers;
        },
        async release() {
          state.released += 1;
          await session.release();
        },
      };
    },
  };
  return state;
}

describe('the shipped model', () => {
  it('scores with reasons in words, strongest first, and says it is simulated', async () => {
    const { model } = await live();
    const risk = await model.score(facts);
    expect(risk).toMatchObject({ modelVersion: shipped.version, simulated: true });
    expect(risk.probability).toBeGreaterThan(0);
    expect(risk.probability).toBeLessThan(1);
    expect(risk.reasons[0]).toMatchObject({ text: '1 of 3 payer criteria not met by the record', says: { code: 'criteria-not-met', count: 1, total: 3 } });
    const sizes = risk.reasons.map((reason) => Math.abs(reason.contribution));
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  });
  it('is higher when a criterion is not met than when all are', async () => {
    const { model } = await live();
    expect(await model.probability(facts)).toBeGreaterThan((await model.probability({ ...facts, criteriaMet: 3, criteriaNotMet: 0, criteriaUnknown: 0 })) * 2);
  });
  it('gives many rows at once what it gives one by one', async () => {
    const { model, records } = await live();
    const alone = [await model.probability(facts, { caseId: 'a' }), await model.probability({ ...facts, hasReasonCode: false }, { caseId: 'b' })];
    const together = await model.probabilities(records.flatMap(({ row }) => row ?? []));
    together.forEach((probability, index) => expect(probability).toBeCloseTo(alone[index] as number, 6));
    expect(together).toHaveLength(2);
  });
  it('scores an order of which nothing is known', async () => {
    const { model } = await live();
    const risk = await model.score({ ...facts, payerId: null, serviceFamily: null, criteriaMet: 0, criteriaNotMet: 0, criteriaUnknown: 0, urgent: null, patientAgeYears: null, newestEvidenceAgeDays: null });
    expect(risk.probability).toBeGreaterThan(0);
    expect(risk.probability).toBeLessThan(1);
  });
});

describe('past decisions', () => {
  const past = pastDecisionsOf(facts, '2026-11-22T10:00:00.000Z', () => ({ decisions: 40, denials: 30, days: 80, timed: 40 }));
  it('are scored with, and their age is told', async () => {
    const { model } = await live({ history: { past: () => past } });
    expect((await model.score(facts)).history).toEqual({ asOf: '2026-11-22T10:00:00.000Z', decisions: 40 });
  });
  it.each<[string, () => null]>([
    ['none is on record', () => null],
    ['they cannot be read', () => { throw new Error('history'); }],
  ])('the model’s own shares stand in where %s', async (_name, read) => {
    const { model } = await live({ history: { past: read } });
    const risk = await model.score(facts);
    expect(risk.history).toBeUndefined();
    expect(risk.probability).toBe(await (await live()).model.probability(facts));
  });
});

describe('another version', () => {
  it('takes over between calls: none fails, each is of one version, the old session is released', async () => {
    const source = changingSource({ live: riskier });
    const session = brittle();
    const { model, faults } = await live({ source, openSession: session.openSession });
    const expected = new Map<string, number>();
    for (const bytes of [riskier, safer, shipped]) {
      source.becomes({ live: bytes });
      await model.refresh();
      expected.set(bytes.version, await model.probability(facts));
    }
    const changing = { done: false };
    const answers: { probability: number; modelVersion: string }[] = [];
    const lanes = Array.from({ length: 16 }, async () => {
      while (!changing.done) answers.push(await model.score(facts));
    });
    for (let change = 0; change < 20; change += 1) {
      source.becomes({ live: change % 2 === 0 ? riskier : safer });
      await model.refresh();
    }
    changing.done = true;
    await Promise.all(lanes);
    expect(new Set(answers.map(({ modelVersion }) => modelVersion)).size).toBeGreaterThan(1);
    for (const { modelVersion, probability } of answers) expect(probability).toBe(expected.get(modelVersion));
    expect(faults).toEqual([]);
    await wait(20);
    expect(session.released).toBeGreaterThanOrEqual(20);
  });

  it.each(BROKEN)('with %s is refused, and the one before goes on', async (_name, broken) => {
    const source = changingSource({ live: riskier });
    const { model, faults } = await live({ source });
    source.becomes({ live: broken, canary: { model: broken, share: 1 }, shadows: [broken] });
    await model.refresh();
    expect(model.served()).toEqual({ live: riskier.version, canary: null, shadows: [] });
    expect(new Set(faults)).toEqual(new Set([`open ${broken.version}`]));
    expect((await model.score(facts, { clinicId: 'clinic' })).modelVersion).toBe(riskier.version);
    source.becomes({ live: safer });
    await model.refresh();
    expect((await model.score(facts)).modelVersion).toBe(safer.version);
  });

  it('that cannot be opened at the start leaves the shipped one', async () => {
    const { model } = await live({ source: changingSource({ live: noMatch }) });
    expect(model.served().live).toBe(shipped.version);
  });
  it('is the shipped one where the source does not answer at the start', async () => {
    const source = changingSource();
    source.becomes(new Error('the store is away'));
    const { model, faults } = await live({ source });
    expect([model.served().live, faults]).toEqual([shipped.version, ['source']]);
    source.becomes({ live: safer });
    await model.refresh();
    expect(model.served().live).toBe(safer.version);
    source.becomes(new Error('the store is away'));
    await model.refresh();
    expect(model.served().live).toBe(safer.version);
  });
  it('may be missing altogether: a score is refused, and comes back with a model', async () => {
    const source = changingSource();
    const { model } = await live({ source, shipped: () => Promise.reject(new Error('ENOENT')) });
    await expect(model.score(facts)).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
    await expect(model.probabilities([])).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
    source.becomes({ live: safer });
    await model.refresh();
    expect((await model.score(facts)).modelVersion).toBe(safer.version);
  });
});

describe('a runtime that fails while it serves', () => {
  it.each(['throws', 'hangs', 'nan'] as const)('and %s is refused soon, then left alone, then asked again', async (how) => {
    let nowMs = 0;
    const session = brittle();
    const { model } = await live({ openSession: session.openSession, limitMs: 150, now: () => nowMs });
    session.now = how;
    const startedAt = performance.now();
    for (let call = 0; call < 3; call += 1) await expect(model.score(facts)).rejects.toThrow(/the runtime fails|did not answer|no probability/);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    const { runs } = session;
    for (let call = 0; call < 20; call += 1) await expect(model.score(facts)).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
    expect(session.runs).toBe(runs);
    session.now = 'well';
    nowMs += 11_000;
    expect((await model.score(facts)).modelVersion).toBe(shipped.version);
  });
});

describe('a canary', () => {
  const clinics = Array.from({ length: 400 }, (_, index) => `https://ehr-${index}.example/fhir`);
  const answeredBy = async (model: LiveModel) => new Set((await Promise.all(clinics.map(async (clinicId) => [clinicId, (await model.score(facts, { clinicId })).modelVersion] as const))).flatMap(([clinicId, version]) => (version === riskier.version ? [clinicId] : [])));

  it('answers about its share of the clinics, always the same ones; a larger share adds to them', async () => {
    const source = changingSource({ canary: { model: riskier, share: 0.2 } });
    const { model, records } = await live({ source, limitMs: 10_000 });
    const first = await answeredBy(model);
    expect(first.size).toBeGreaterThan(50);
    expect(first.size).toBeLessThan(110);
    expect(await answeredBy(model)).toEqual(first);
    expect(records.filter(({ stage }) => stage === 'canary')).toHaveLength(2 * first.size);
    source.becomes({ canary: { model: riskier, share: 0.5 } });
    await model.refresh();
    const more = await answeredBy(model);
    expect(more.size).toBeGreaterThan(first.size);
    expect([...first].every((clinicId) => more.has(clinicId))).toBe(true);
  });
  it('answers nobody whose clinic is not known', async () => {
    const { model } = await live({ source: changingSource({ canary: { model: riskier, share: 1 } }) });
    expect([(await model.score(facts)).modelVersion, (await model.score(facts, { clinicId: 'a' })).modelVersion]).toEqual([shipped.version, riskier.version]);
  });
  it('that fails leaves the answer to the live model', async () => {
    const session = brittle();
    let canaryOpened = false;
    const { model, faults } = await live({
      source: changingSource({ canary: { model: riskier, share: 1 } }), limitMs: 150,
      openSession: (onnx, threads) => {
        if (!canaryOpened) {
          canaryOpened = true;
          return openForestSession(onnx, threads);
        }
        return session.openSession(onnx, threads);
      },
    });
    session.now = 'hangs';
    expect((await model.score(facts, { clinicId: 'a' })).modelVersion).toBe(shipped.version);
    expect(faults).toEqual([`canary ${riskier.version}`]);
  });
});

describe('a shadow', () => {
  const until = async (is: () => boolean) => {
    while (!is()) await wait(5);
  };
  it('is scored beside the answer and never shown', async () => {
    const { model, records } = await live({ source: changingSource({ shadows: [riskier, safer] }) });
    const shown = await model.score(facts, { caseId: 'case-1' });
    expect(shown.modelVersion).toBe(shipped.version);
    await until(() => records.length === 3);
    expect(records.map(({ version, stage, shownVersion }) => [version, stage, shownVersion])).toEqual([
      [shipped.version, 'live', shipped.version], [riskier.version, 'shadow', shipped.version], [safer.version, 'shadow', shipped.version],
    ]);
    expect(records[1]?.probability).toBeGreaterThan(shown.probability);
    expect(records[2]).toMatchObject({ caseId: 'case-1', shownProbability: shown.probability, row: expect.any(Float32Array) });
    expect(records[2]?.probability).toBeLessThan(shown.probability);
  });
  it('that hangs delays no answer, and what it misses is not piled up', async () => {
    const session = brittle();
    let live1 = true;
    const { model, faults } = await live({
      source: changingSource({ shadows: [riskier] }), limitMs: 150,
      openSession: (onnx, threads) => {
        const open = live1 ? openForestSession : session.openSession;
        live1 = false;
        return open(onnx, threads);
      },
    });
    session.now = 'hangs';
    const startedAt = performance.now();
    for (let call = 0; call < 300; call += 1) await model.probability(facts);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(session.runs).toBeLessThan(80);
    await until(() => faults.length > 0);
    expect(faults[0]).toBe(`shadow ${riskier.version}`);
  });
  it('keeps no row of a score that is no case of ours', async () => {
    const { model, records } = await live({ source: changingSource({ shadows: [safer] }) });
    await model.score(facts, { clinicId: 'https://ehr.example/fhir' });
    await until(() => records.length === 2);
    for (const record of records) expect(Object.keys(record).sort()).toEqual(['atMs', 'probability', 'shownProbability', 'shownVersion', 'stage', 'tookMs', 'version']);
  });
  it('a recorder that fails costs no score', async () => {
    const { model, faults } = await live({ onScored: () => { throw new Error('full'); } });
    await model.score(facts);
    expect(faults).toEqual([`record ${shipped.version}`]);
  });
});
