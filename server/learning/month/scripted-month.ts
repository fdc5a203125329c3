import { tableOf } from '#models/dataset.ts';
import { seededRandom } from '#models/seeded-random.ts';
import type { ServedVersions } from '#models/serve/live-model.ts';
import { simulateDecisions } from '#models/simulate/simulate-decisions.ts';
import { simulatedTable } from '#models/simulate/simulated-table.ts';
import { trainModel } from '#models/train/train-model.ts';
import type { ModelsPage, ModelStage, TrainingRun } from '#prior-auth/learning-api.ts';
import type { Store } from '#store/database.ts';
import { type MonthWorld, openMonthWorld } from './month-world.ts';

export interface MonthOptions {
  /** Empty, and for this alone. */
  readonly store: Store;
  readonly seed?: number;
  readonly ordersADay?: number;
  /** Leaves out the days after it. */
  readonly untilRolledBack?: boolean;
  /** The gate's bound on a score's time; the usual one when left out. */
  readonly mostLatencyMs?: number;
  /** Hears of each event when it happens. */
  readonly onEvent?: (event: MonthEvent) => void;
}

export interface MonthEvent {
  /** 1..30 of simulated time. */
  readonly day: number;
  readonly what: 'begun' | 'drift-planted' | 'alarm' | 'retrained' | 'not-allowed' | 'promoted' | 'promotion-refused' | 'bad-candidate-refused' | 'rolled-back';
  /** In words, with the figures. */
  readonly said: string;
  readonly version?: string;
  readonly stage?: ModelStage;
}

export interface MonthStory {
  readonly simulated: true;
  readonly events: readonly MonthEvent[];
  /** As the page has it at the end. */
  readonly page: ModelsPage;
  readonly audited: Awaited<ReturnType<MonthWorld['audited']>>;
  /** What answered after each check. */
  readonly served: readonly ServedVersions[];
}

const DAY_MS = 86_400_000;
const DAYS = 30;
/** After the shipped model's own rows; before it, decisions are on record without scores. */
const START = Date.UTC(2026, 11, 1);
const PAST_DAYS = 5;
/** The payer grows stricter on this day, for the same records: log-odds. */
const DRIFT = { day: 4, payerId: 'evergreen-health', logOdds: 3 } as const;
/** The models are checked on every second evening; what a check leads to happens then. */
const CHECK_DAYS = 2;
/** Days in each stage before the next step up. */
const STAGE_DAYS = 2;
const BAD_ROWS = 3_000;
const CANARY_SHARE = 0.25;
/** When no retraining of the program's own has passed the gate by then, the trainer asks for another, and again after so many days. */
const ASK = { fromDay: 18, afterDays: 4 } as const;
/** Days after the promotion to live. */
const AFTER_LIVE = { badCandidate: 2, rollback: 4 } as const;

/** A month of the whole loop in simulated time, on the program's own parts; every decision and every figure is simulated. */
export async function playMonth({ store, seed = 3, ordersADay = 200, untilRolledBack = false, mostLatencyMs, onEvent }: MonthOptions): Promise<MonthStory> {
  const from = START - PAST_DAYS * DAY_MS;
  const days = PAST_DAYS + DAYS;
  const decisions = simulateDecisions(ordersADay * days, seed, { from, days, drifts: [{ kind: 'stricter-payer', from: START + (DRIFT.day - 1) * DAY_MS, payerId: DRIFT.payerId, logOdds: DRIFT.logOdds }] });
  const world = await openMonthWorld({ store, decisions, startsAt: from, scoredFrom: START, mostLatencyMs });
  const events: MonthEvent[] = [];
  const served: ServedVersions[] = [];
  const tell = (event: MonthEvent): void => {
    events.push(event);
    onEvent?.(event);
  };
  try {
    await world.clinic.playUntil(START);
    await world.endDay();
    tell({ day: 1, what: 'begun', said: `${ordersADay * PAST_DAYS} simulated decisions are on record, ${ordersADay} orders a day arrive; live is ${world.model.served().live}.` });
    const seen = new Set<string>();
    let trainedOn: number | undefined;
    let climbing: { readonly version: string; stage: ModelStage; since: number } | undefined;
    for (let day = 1; day <= DAYS; day += 1) {
      if (day === DRIFT.day) tell({ day, what: 'drift-planted', said: `From now on ${DRIFT.payerId} denies more for the same record (${DRIFT.logOdds} log-odds). Nobody is told.` });
      await world.clinic.playUntil(START + day * DAY_MS);
      if (day % CHECK_DAYS !== 0) continue;
      for (const { threshold, subject, value, limit, version } of await world.endDay()) tell({ day, what: 'alarm', version, said: `Alarm: ${threshold}${subject === null ? '' : ` of ${subject}`} is ${value.toFixed(3)}, over ${limit}.` });
      if (!climbing && trainedOn !== undefined && day >= ASK.fromDay && day - trainedOn >= ASK.afterDays) await world.call('trainer', 'POST', '/trainings', { kind: 'denial-risk', why: `Day ${day}: more decisions of the new kind are there.` });
      for (const run of await endedTrainings(world)) {
        if (seen.has(run.id)) continue;
        seen.add(run.id);
        trainedOn = day;
        tell({ day, what: 'retrained', ...(run.version === null ? {} : { version: run.version }), said: `Retrained (${run.cause}): ${run.why} ${run.version === null ? run.problem : `At the gate: ${run.passed ? 'passed' : 'not passed'}.`}` });
        if (run.passed && run.version !== null && !climbing) {
          climbing = { version: run.version, stage: 'candidate', since: day };
          tell(await promoted(world, day, run.version, 'shadow', 'trainer'));
          climbing = { version: run.version, ...(await climb(world, day, climbing, tell)) };
        }
      }
      const next = climbing && climbing.since + STAGE_DAYS <= day ? NEXT[climbing.stage] : undefined;
      if (climbing && next) climbing = { version: climbing.version, ...(await climb(world, day, climbing, tell)) };
      const live = climbing?.stage === 'live' ? climbing.since : undefined;
      if (live !== undefined && day === live + AFTER_LIVE.badCandidate) tell(await offerBadCandidate(world, day, decisions.slice(0, BAD_ROWS), seed));
      if (live !== undefined && day === live + AFTER_LIVE.rollback) tell(await rolledBack(world, day));
      await world.model.refresh();
      served.push(world.model.served());
      if (untilRolledBack && events.at(-1)?.what === 'rolled-back') break;
    }
    const page = await world.call<ModelsPage>('viewer', 'GET', '/models');
    return { simulated: true, events, page: page.body, audited: await world.audited(), served };
  } finally {
    await world.close();
  }
}

const NEXT: Readonly<Partial<Record<ModelStage, 'shadow' | 'canary' | 'live'>>> = { candidate: 'shadow', shadow: 'canary', canary: 'live' };

/** One stage up by the approver, where the gate lets it. */
async function climb(world: MonthWorld, day: number, { version, stage }: { readonly version: string; readonly stage: ModelStage }, tell: (event: MonthEvent) => void): Promise<{ stage: ModelStage; since: number }> {
  const to = NEXT[stage];
  if (!to) return { stage, since: day };
  const event = await promoted(world, day, version, to, 'approver');
  tell(event);
  return { stage: event.what === 'promoted' ? to : stage, since: day };
}

async function promoted(world: MonthWorld, day: number, version: string, to: 'shadow' | 'canary' | 'live', role: 'trainer' | 'approver'): Promise<MonthEvent> {
  const { status, body } = await world.call<{ error?: { message: string } }>(role, 'POST', `/models/${version}/promote`, { to, why: `Day ${day} of the scripted month.`, ...(to === 'canary' ? { share: CANARY_SHARE } : {}) });
  if (status === 200) return { day, what: 'promoted', version, stage: to, said: `To ${to}${to === 'canary' ? `, for ${CANARY_SHARE * 100} % of the clinics` : ''}: the gate is passed and the approver agrees.` };
  return { day, what: status === 403 ? 'not-allowed' : 'promotion-refused', version, stage: to, said: `The ${role} asks for ${to}: ${body.error?.message ?? `HTTP ${status}`}` };
}

/** Learnt from the same rows with their labels shuffled: it knows nothing, and the gate must say so. */
async function offerBadCandidate(world: MonthWorld, day: number, decisions: Parameters<typeof simulatedTable>[0], seed: number): Promise<MonthEvent> {
  const random = seededRandom(seed);
  const table = simulatedTable(decisions);
  const shuffled = { ...tableOf(table, [...table.labels.keys()]), labels: table.labels.map(() => table.labels[Math.floor(random() * table.labels.length)] as number) };
  const bundle = await trainModel(shuffled, { kind: 'denial-risk', seed, trainedAt: new Date(world.now()).toISOString(), trees: 20 });
  const offered = await world.call('trainer', 'POST', '/models', { json: JSON.stringify(bundle.file), onnxBase64: Buffer.from(bundle.onnx).toString('base64'), why: 'A model whose labels were shuffled.' });
  if (offered.status !== 201) throw new Error(`the bad candidate was not taken in: HTTP ${offered.status}`);
  const event = await promoted(world, day, bundle.file.version, 'shadow', 'approver');
  return event.what === 'promotion-refused' ? { ...event, what: 'bad-candidate-refused', said: `A model of shuffled labels is brought. ${event.said}` } : event;
}

async function rolledBack(world: MonthWorld, day: number): Promise<MonthEvent> {
  const { status, body } = await world.call<{ version?: string; error?: { message: string } }>('approver', 'POST', '/rollback', { kind: 'denial-risk', why: 'The end of the scripted month.' });
  if (status !== 200 || body.version === undefined) return { day, what: 'promotion-refused', said: body.error?.message ?? `HTTP ${status}` };
  return { day, what: 'rolled-back', version: body.version, stage: 'live', said: `Rolled back: ${body.version}, live before, is live again.` };
}

const LONGEST_TRAINING_MS = 120_000;

/** Waits for a training under way: it is real work in simulated time. */
async function endedTrainings(world: MonthWorld): Promise<readonly TrainingRun[]> {
  const until = Date.now() + LONGEST_TRAINING_MS;
  for (;;) {
    const { body } = await world.call<{ trainings: readonly TrainingRun[] }>('viewer', 'GET', '/trainings');
    if (body.trainings.every(({ endedAt }) => endedAt !== null)) return body.trainings.toReversed();
    if (Date.now() > until) throw new Error('a training of the scripted month did not end');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
