import { ageBandYears, DENIAL_RISK_FEATURES, toFeatureRow } from '#prior-auth/learning/features.ts';
import { type DecisionTotals, PAST_DECISIONS_DAYS, type PastDecisions, pastDecisionsOf, pastKeys, type PastLevel } from '#prior-auth/learning/past-decisions.ts';
import type { TrainingTable } from '../dataset.ts';
import { NO_HISTORY, sha256 } from '../model-file.ts';
import type { SimulatedDecision } from './simulate-decisions.ts';

const WINDOW_MS = PAST_DECISIONS_DAYS * 86_400_000;

/** Simulated decisions as rows to train or measure on, in the order of the decisions; each row sees the decisions that were known when it was submitted, and no later one. */
export function simulatedTable(decisions: readonly SimulatedDecision[]): TrainingTable {
  const width = DENIAL_RISK_FEATURES.length;
  const rowOf = new Map(replay(decisions).map(({ decision, past }) => [decision, toFeatureRow(decision.facts, past ?? NO_HISTORY)]));
  const ordered = [...decisions].sort((a, b) => a.decidedAt - b.decidedAt);
  const rows = new Float32Array(ordered.length * width);
  ordered.forEach((decision, row) => rows.set(rowOf.get(decision) as Float32Array, row * width));
  return {
    features: DENIAL_RISK_FEATURES,
    rows,
    labels: Uint8Array.from(ordered, ({ denied }) => Number(denied)),
    times: Float64Array.from(ordered, ({ decidedAt }) => decidedAt),
    groups: {
      age_band: ordered.map(({ facts }) => String(ageBandYears(facts.patientAgeYears) ?? 'unknown')),
      sex: ordered.map(({ sex }) => sex),
      payer: ordered.map(({ facts }) => facts.payerId ?? 'unknown'),
      service_family: ordered.map(({ facts }) => facts.serviceFamily ?? 'unknown'),
    },
    rowIds: ordered.map(({ submittedAt, decidedAt }, row) => sha256(`${submittedAt}|${decidedAt}|${row}`).slice(0, 32)),
    simulated: true,
    source: 'simulated payer decisions',
  };
}

/** Each decision with the past as it stood at its submission. Decisions must be in the order of submission. */
function replay(decisions: readonly SimulatedDecision[]): { decision: SimulatedDecision; past: PastDecisions | null }[] {
  const totals = new Map<string, { -readonly [K in keyof DecisionTotals]: number }>();
  const count = ({ facts, denied, submittedAt, decidedAt }: SimulatedDecision, sign: 1 | -1): void => {
    for (const [level, key] of Object.entries(pastKeys(facts))) {
      if (key === null) continue;
      const name = `${level} ${key}`;
      const total = totals.get(name) ?? { decisions: 0, denials: 0, days: 0, timed: 0 };
      total.decisions += sign;
      total.denials += sign * Number(denied);
      total.days += (sign * (decidedAt - submittedAt)) / 86_400_000;
      total.timed += sign;
      totals.set(name, total);
    }
  };
  const byDecision = [...decisions].sort((a, b) => a.decidedAt - b.decidedAt);
  let known = 0;
  let forgotten = 0;
  return decisions.map((decision) => {
    for (let next = byDecision[known]; next && next.decidedAt <= decision.submittedAt; next = byDecision[known]) {
      count(next, 1);
      known += 1;
    }
    for (let oldest = byDecision[forgotten]; oldest && oldest.decidedAt <= decision.submittedAt - WINDOW_MS; oldest = byDecision[forgotten]) {
      count(oldest, -1);
      forgotten += 1;
    }
    return { decision, past: pastDecisionsOf(decision.facts, new Date(decision.submittedAt).toISOString(), (level: PastLevel, key) => totals.get(`${level} ${key}`)) };
  });
}
