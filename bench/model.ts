import type { DenialRiskFacts } from '#prior-auth/learning/denial-risk.ts';
import { toFeatureRow } from '#prior-auth/learning/features.ts';
import { marginOf } from '#models/forest.ts';
import { modelFile } from '#models/model-file.ts';
import { seededRandom } from '#models/seeded-random.ts';
import { openForestSession } from '#models/serve/forest-session.ts';
import { createLiveModel } from '#models/serve/live-model.ts';
import { shippedModel } from '#models/serve/shipped-model.ts';
import { HEADER, measure, row } from './figures.ts';

const IN_FLIGHT = 16;
const AIM_MS = { withReasons: 10, withoutReasons: 1 } as const;

/** A score with its reasons, and without, against a plain walk of the same trees and a bare session that answers the same rows. Returns what missed its aim. */
export async function benchModel(): Promise<string[]> {
  const bytes = await shippedModel();
  const { forest, history, features } = modelFile.parse(JSON.parse(bytes.json));
  const model = await createLiveModel({
    shipped: async () => bytes, now: Date.now,
    onFault: (error) => {
      throw error;
    },
  });
  const session = await openForestSession(bytes.onnx, 1);
  const many = someFacts(2_000);
  const rows = many.map((facts) => toFeatureRow(facts, history));
  let asked = 0;
  const next = <T>(list: readonly T[]): T => list[(asked += 1) % list.length] as T;

  console.log(`\nModel: denial risk ${model.served().live}, ${forest.roots.length} trees, ${features.length} features, a score a call, ${IN_FLIGHT} in flight where not said otherwise\n${HEADER}`);
  const options = { durationMs: 2_000, inFlight: IN_FLIGHT, warmUp: 500 };
  console.log(row('plain walk of the trees, one at a time', await measure(() => marginOf(forest, next(rows)), { durationMs: 500 })));
  console.log(row('bare session, no calibration, no checks', await measure(() => session.run(next(rows), features.length), options)));
  console.log(row('score without reasons, one at a time', await measure(() => model.probability(next(many)), { ...options, inFlight: 1 })));
  const without = await measure(() => model.probability(next(many)), options);
  console.log(row('score without reasons', without));
  console.log(row('score with reasons, one at a time', await measure(() => model.score(next(many)), { ...options, inFlight: 1 })));
  const withReasons = await measure(() => model.score(next(many)), options);
  console.log(row('score with reasons', withReasons));
  console.log(row(`${rows.length} rows at once, in a session of its own`, await measure(() => model.probabilities(rows), { durationMs: 500, warmUp: 5 })));
  await Promise.all([model.close(), session.release()]);
  return [
    ...(withReasons.p99Ms > AIM_MS.withReasons ? [`a score with reasons at ${IN_FLIGHT} in flight has p99 ${withReasons.p99Ms.toFixed(1)} ms; the aim is ${AIM_MS.withReasons} ms`] : []),
    ...(without.p99Ms > AIM_MS.withoutReasons ? [`a score without reasons at ${IN_FLIGHT} in flight has p99 ${without.p99Ms.toFixed(2)} ms; the aim is ${AIM_MS.withoutReasons} ms`] : []),
  ];
}

/** Orders of every kind that the model may meet. */
function someFacts(count: number): DenialRiskFacts[] {
  const random = seededRandom(7);
  const upTo = (most: number) => Math.floor(random() * (most + 1));
  return Array.from({ length: count }, () => ({
    payerId: random() < 0.5 ? 'cascade-medicare' : 'evergreen-health',
    policyId: null,
    serviceFamily: random() < 0.5 ? 'dme-respiratory' : 'cardiac-imaging',
    criteriaMet: upTo(3),
    criteriaNotMet: upTo(1),
    criteriaUnknown: upTo(2),
    urgent: random() < 0.1,
    patientAgeYears: random() < 0.05 ? null : upTo(90),
    newestEvidenceAgeDays: random() < 0.2 ? null : upTo(200),
    hasReasonCode: random() < 0.9,
    quantityToLimitRatio: random() < 0.6 ? null : upTo(40) / 10,
    paNeeded: true,
    requesterKnown: random() < 0.95,
  }));
}
