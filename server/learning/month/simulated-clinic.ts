import { sql } from 'kysely';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import type { LiveModel } from '#models/serve/live-model.ts';
import type { SimulatedDecision } from '#models/simulate/simulate-decisions.ts';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import { type OutcomeRecord, type ScoredFacts, toOutcomeRecords } from '#prior-auth/learning/outcome-record.ts';
import { type DecisionTotals, pastKeys } from '#prior-auth/learning/past-decisions.ts';
import type { Store } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';

/** Simulated orders, scored by the model that serves, and simulated payers' answers to them, kept as labels and past decisions. */
export interface SimulatedClinic {
  /** Everything that is submitted or decided up to the instant (epoch ms) and was not before. Answers are written together, in the order of their time. */
  playUntil(instant: number): Promise<void>;
}

export interface SimulatedClinicOptions {
  readonly store: Store;
  readonly model: LiveModel;
  /** In the order of submission. */
  readonly decisions: readonly SimulatedDecision[];
  /** Epoch ms; what is submitted earlier is on record without a score. */
  readonly scoredFrom: number;
  /** Turned to the instant of each submission. */
  readonly setClock: (instant: number) => void;
  /** Addresses of the EHRs; they stand for the clinics a canary is shared among. */
  readonly ehrs: readonly string[];
}

interface Submitted {
  readonly made: PriorAuthCase;
  readonly scored: ScoredFacts;
  readonly decision: SimulatedDecision;
}

const SYSTEMS: Readonly<Record<string, string>> = { hcpcs: CODE_SYSTEMS.hcpcs, cpt: CODE_SYSTEMS.cpt };

export function createSimulatedClinic({ store, model, decisions, scoredFrom, setClock, ehrs }: SimulatedClinicOptions): SimulatedClinic {
  let next = 0;
  let waiting: Submitted[] = [];
  const sums = new Map<string, Totals>();

  const submit = async (decision: SimulatedDecision, index: number): Promise<Submitted> => {
    setClock(decision.submittedAt);
    const ehrBase = ehrs[index % ehrs.length] as string;
    const made = caseOf(decision, index, ehrBase);
    const risk = decision.submittedAt < scoredFrom ? { modelVersion: 'none' } : await model.score(decision.facts, { caseId: made.id, clinicId: ehrBase });
    return { made, decision, scored: { facts: decision.facts, risk } };
  };

  return {
    async playUntil(instant) {
      for (let decision = decisions[next]; decision && decision.submittedAt <= instant; decision = decisions[next]) {
        waiting.push(await submit(decision, next));
        next += 1;
      }
      const answered = waiting.filter(({ decision }) => decision.decidedAt <= instant).sort((a, b) => a.decision.decidedAt - b.decision.decidedAt);
      waiting = waiting.filter(({ decision }) => decision.decidedAt > instant);
      setClock(instant);
      const labels = answered.flatMap(labelsOf);
      const steps = labels.flatMap((label) => stepsOf(label, sums));
      await store.transaction(async (trx) => {
        await sql`insert into learning.label (id, case_id, item_sequence, version, cause, label, record, decided_at, submitted_at, recorded_at, recorded_by)
          select id, case_id, 1, 1, 'decision', label, record, decided_at, submitted_at, decided_at, 'payer'
          from jsonb_to_recordset(${JSON.stringify(labels)}::jsonb) as given (id uuid, case_id uuid, label text, record jsonb, decided_at timestamptz, submitted_at timestamptz)`.execute(trx);
        await sql`insert into learning.past_decisions_step (level, key, at, decisions, denials, days, timed)
          select level, key, at, decisions, denials, days, timed
          from jsonb_to_recordset(${JSON.stringify(steps)}::jsonb) as given (level text, key text, at timestamptz, decisions bigint, denials bigint, days double precision, timed bigint)
          on conflict (level, key, at) do update set decisions = excluded.decisions, denials = excluded.denials, days = excluded.days, timed = excluded.timed`.execute(trx);
        const newest = new Map(steps.map((step) => [`${step.level} ${step.key}`, step]));
        await sql`insert into learning.past_decisions (level, key, decisions, denials, days, timed, at)
          select level, key, decisions, denials, days, timed, at
          from jsonb_to_recordset(${JSON.stringify([...newest.values()])}::jsonb) as given (level text, key text, at timestamptz, decisions bigint, denials bigint, days double precision, timed bigint)
          on conflict (level, key) do update set decisions = excluded.decisions, denials = excluded.denials, days = excluded.days, timed = excluded.timed, at = excluded.at`.execute(trx);
      });
    },
  };
}

type Step = DecisionTotals & { readonly level: string; readonly key: string; readonly at: string };
type Totals = { -readonly [K in keyof DecisionTotals]: number };

interface LabelRow {
  readonly id: string;
  readonly case_id: string;
  readonly label: OutcomeRecord['label'];
  readonly record: OutcomeRecord;
  readonly decided_at: string;
  readonly submitted_at: string;
}

function labelsOf({ made, scored, decision }: Submitted): LabelRow[] {
  const [submittedAt, decidedAt] = [new Date(decision.submittedAt).toISOString(), new Date(decision.decidedAt).toISOString()];
  const said = decision.denied ? ({ kind: 'denied', reasonCodes: ['50'], explanation: [] } as const) : ({ kind: 'approved' } as const);
  const records = toOutcomeRecords(made, { decidedAt, items: [{ sequence: 1, decision: said }], overall: said.kind, errors: [] }, { scored, submittedAt, simulated: true });
  return records.map((record) => ({ id: uuidv7(decision.decidedAt), case_id: made.id, label: record.label, record, decided_at: decidedAt, submitted_at: submittedAt }));
}

/** The sums of every level that the label belongs to, as they stand after it. */
function stepsOf({ record, decided_at }: LabelRow, sums: Map<string, Totals>): Step[] {
  const { payerId, procedure, facts, decisionDays } = record;
  const keys = pastKeys({ payerId, procedure, serviceFamily: facts?.serviceFamily ?? null, requesterSpecialty: facts?.requesterSpecialty ?? null, simulated: true });
  return Object.entries(keys).flatMap(([level, key]) => {
    if (key === null) return [];
    const sum = sums.get(`${level} ${key}`) ?? { decisions: 0, denials: 0, days: 0, timed: 0 };
    sum.decisions += 1;
    sum.denials += Number(record.label === 'denied');
    sum.days += decisionDays ?? 0;
    sum.timed += Number(decisionDays !== null);
    sums.set(`${level} ${key}`, sum);
    return [{ level, key, at: decided_at, ...sum }];
  });
}

function caseOf({ facts, submittedAt, sex }: SimulatedDecision, index: number, ehrBase: string): PriorAuthCase {
  const [system = '', code = ''] = (facts.procedure ?? '').split(':');
  const at = new Date(submittedAt).toISOString();
  const payer = facts.payerId ?? 'unknown';
  return {
    id: uuidv7(submittedAt),
    version: 1,
    createdAt: at,
    updatedAt: at,
    ehrBase,
    patient: { id: `simulated-${index}`, name: 'Simulated, Person', gender: sex },
    service: {
      order: `ServiceRequest/simulated-${index}`, orderType: 'ServiceRequest', codings: [{ system: SYSTEMS[system] ?? system, code }], display: `Simulated order of ${code}`,
      priority: facts.urgent ? 'urgent' : 'routine', reasonCodes: [], reasonReferences: [],
    },
    payer: { id: payer, name: payer },
    requirement: { coverage: 'Coverage/simulated', covered: 'covered', paNeeded: 'auth-needed', docPurpose: [], infoNeeded: [], reasons: [], questionnaires: [], date: at.slice(0, 10), assertionId: `simulated-${index}` },
    state: { kind: 'queued', queuedAt: at, attempts: 0 },
  };
}
