import { marginOf } from '#models/forest.ts';
import { openDenialRiskModel } from '#models/serve/denial-risk-model.ts';
import { seededRandom } from '#models/seeded-random.ts';
import { simulateDecisions } from '#models/simulate/simulate-decisions.ts';
import { trainDenialRisk } from '#models/train/train-denial-risk.ts';
import { toFeatureRow } from '#prior-auth/learning/features.ts';
import { HEADER, measure, row } from './figures.ts';

/** A score with its reasons, against a plain walk of a forest of the same size. Returns what missed its aim. */
export async function benchModel(): Promise<string[]> {
  const model = await openDenialRiskModel();
  const decisions = simulateDecisions(2_000, 7);
  const random = seededRandom(1);
  const next = () => (decisions[Math.floor(random() * decisions.length)] as (typeof decisions)[number]).facts;
  const { forest, history } = trainDenialRisk(decisions, { source: 'bench', seed: 7, simulated: true }).file;
  console.log(`\nModel: denial risk, a score a call\n${HEADER}`);
  console.log(row('plain walk of the trees, no reasons', await measure(() => marginOf(forest, toFeatureRow(next(), history)), { durationMs: 1_000 })));
  const missed: string[] = [];
  for (const inFlight of [1, 16]) {
    const figures = await measure(() => model.score(next()), { durationMs: 2_000, inFlight, warmUp: 500 });
    console.log(row(`score with reasons, ${inFlight} in flight`, figures));
    if (figures.p99Ms > 10) missed.push(`a score with reasons at ${inFlight} in flight has p99 ${figures.p99Ms.toFixed(1)} ms; the aim is 10 ms`);
  }
  return missed;
}
