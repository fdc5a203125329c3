import type { Selectable, Transaction } from 'kysely';
import type { ModelBundle } from '#models/model-file.ts';
import type { BundleBytes, ModelSource, Stages } from '#models/serve/model-source.ts';
import { MODEL_KINDS, type ModelKind, type ModelStage } from '#prior-auth/learning-api.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { AnyDatabase, Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import { uuidv7 } from '#store/uuid.ts';
import type { GateReport } from './gate.ts';
import { readBundle, type RegisteredModel, summaryOf } from './registered-model.ts';
import { RegistryError } from './registry-error.ts';
import { MODEL_MIGRATIONS, type RegistryTables } from './registry-tables.ts';
import { mayApprove, mayTrain, type ModelPerson } from './roles.ts';

export interface StepBy {
  readonly by: ModelPerson;
  /** Why, in the person's words; kept with the step. Never about a patient. */
  readonly why: string;
}

export type StepUp = 'shadow' | 'canary' | 'live';

export type Promotion =
  | { readonly kind: 'promoted'; readonly model: RegisteredModel; readonly report: StoredGateReport }
  | { readonly kind: 'refused'; readonly model: RegisteredModel; readonly report: StoredGateReport };

export interface StoredGateReport extends GateReport {
  readonly id: string;
  readonly madeAt: string;
}

export interface ModelChange {
  readonly at: string;
  readonly version: string;
  readonly what: 'registered' | 'promoted' | 'refused' | 'rolled-back' | 'retired' | 'replaced';
  readonly from: ModelStage | null;
  readonly to: ModelStage;
  readonly who: string;
  readonly why: string;
  readonly gateReport: string | null;
}

export interface ModelRegistry {
  /** What of a kind is served, for models/serve. Changes made in another process are told within `pollMs`. */
  source(kind: ModelKind): ModelSource;
  /** Undefined: none is live, or this program cannot read it any more. */
  liveModel(kind: ModelKind): Promise<ModelBundle | undefined>;
  /** Newest first. */
  list(kind?: ModelKind): Promise<readonly RegisteredModel[]>;
  /** By the version or a beginning of it that is no other's. @throws RegistryError MODEL_NOT_FOUND */
  find(version: string): Promise<RegisteredModel>;
  bundle(version: string): Promise<ModelBundle>;
  /** As a candidate. The same content again is the same version and changes nothing. */
  register(bundle: ModelBundle, step: StepBy & { readonly origin: 'trained' | 'imported' }): Promise<RegisteredModel>;
  /** One stage up, when the gate lets it and the person may. The gate's report is kept either way. */
  promote(version: string, step: StepBy & { readonly to?: StepUp | undefined; readonly canaryShare?: number | undefined }): Promise<Promotion>;
  /** The version that was live before the live one is live again; no gate. A canary or shadow stays. */
  rollback(kind: ModelKind, step: StepBy): Promise<RegisteredModel>;
  /** Takes a candidate, shadow or canary out. */
  retire(version: string, step: StepBy): Promise<RegisteredModel>;
  /** What the gate says of the next step, without taking it; kept with the model. */
  tryGate(version: string): Promise<StoredGateReport>;
  /** As the gate measures it, not kept. */
  measure(version: string): Promise<GateReport>;
  reportsOf(version: string): Promise<readonly StoredGateReport[]>;
  /** Oldest first. */
  changes(kind: ModelKind): Promise<readonly ModelChange[]>;
  /** Takes over what another process changed. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

export interface RegistryOptions {
  readonly store: Store;
  readonly audit: AuditTrail;
  readonly now: () => number;
  readonly gate: (candidate: ModelBundle, live: ModelBundle | undefined, to: StepUp) => Promise<GateReport>;
  /** Live without a gate, where no model of the kind is or only an earlier one that came with the program. */
  readonly shipped?: readonly ModelBundle[];
  readonly approveOwn?: boolean;
  readonly pollMs?: number;
  /** Hears of a poll that failed and of a live model that this program cannot read. */
  readonly onFault?: (error: unknown) => void;
}

const NEXT_STAGE: Readonly<Record<ModelStage, StepUp | undefined>> = { candidate: 'shadow', shadow: 'canary', canary: 'live', live: undefined, retired: undefined };
const CANARY_SHARE = 0.1;

export async function openModelRegistry(options: RegistryOptions): Promise<ModelRegistry> {
  const { store, audit, now, gate } = options;
  await migratePart(store, 'models', MODEL_MIGRATIONS);
  const db = store.db.withTables<RegistryTables>();
  const at = () => new Date(now()).toISOString();
  const listeners = new Map<ModelKind, Set<() => void>>(MODEL_KINDS.map((kind) => [kind, new Set()]));
  const seen = new Map<string, number>();

  const reload = async (): Promise<void> => {
    const heads = await db.selectFrom('models.head').selectAll().execute();
    for (const { kind, revision } of heads) {
      if (seen.get(kind) === revision) continue;
      const isFirst = !seen.has(kind);
      seen.set(kind, revision);
      if (!isFirst) for (const listener of listeners.get(kind as ModelKind) ?? []) listener();
    }
  };
  const revisionOf = async (kind: ModelKind): Promise<number> => (await db.selectFrom('models.head').select('revision').where('kind', '=', kind).executeTakeFirst())?.revision ?? 0;

  /** One change of a kind at a time, in any process. With `expected`, only when nothing changed since it was read. */
  const changing = async <T>(kind: ModelKind, expected: number | undefined, work: (trx: Transaction<RegistryTables>, tell: Tell) => Promise<T>): Promise<T> => {
    const done = await store.transaction(async (trx) => {
      const tables = trx.withTables<RegistryTables>();
      await tables.insertInto('models.head').values({ kind, revision: 0 }).onConflict((conflict) => conflict.doNothing()).execute();
      const { revision } = await tables.selectFrom('models.head').select('revision').where('kind', '=', kind).forUpdate().executeTakeFirstOrThrow();
      if (expected !== undefined && revision !== expected) {
        throw new RegistryError('MODEL_STAGE_CHANGED', 'Somebody else changed the stages of the models meanwhile. Nothing was done.', { nextStep: 'Look at the list again, then repeat the step if it is still wanted.' });
      }
      await tables.updateTable('models.head').set({ revision: revision + 1 }).where('kind', '=', kind).execute();
      return work(tables, (change) => tell(trx, tables, kind, change));
    });
    await reload();
    return done;
  };
  type Tell = (change: Omit<ModelChange, 'at'>) => Promise<void>;
  const tell = async (trx: Transaction<AnyDatabase>, tables: Transaction<RegistryTables>, kind: ModelKind, { version, what, from, to, who, why, gateReport }: Omit<ModelChange, 'at'>): Promise<void> => {
    await tables.insertInto('models.change').values({ id: uuidv7(now()), kind, version, what, from_stage: from, to_stage: to, who, why, gate_report: gateReport, made_at: at() }).execute();
    await audit.recordWithin(trx, {
      action: `model-${what}`, who, outcome: what === 'refused' ? 'refused' : 'success', details: { kind, version, from: from ?? 'none', to, why, ...(gateReport === null ? {} : { gateReport }) },
    });
  };
  const setStage = (trx: Transaction<RegistryTables>, version: string, stage: ModelStage, more: { canary_share?: number | null; replaced?: string | null } = {}) =>
    trx.updateTable('models.version').set({ stage, stage_since: at(), canary_share: null, ...more }).where('version', '=', version).execute();

  const rows = () => db.selectFrom('models.version').select(['version', 'kind', 'about', 'origin', 'registered_by', 'registered_at', 'stage', 'stage_since', 'canary_share', 'replaced']);
  const find = async (version: string): Promise<RegisteredModel> => {
    const found = /^[0-9a-f]{4,64}$/.test(version) ? await rows().where('version', 'like', `${version}%`).limit(2).execute() : [];
    const [row, other] = found;
    if (!row || other) throw new RegistryError('MODEL_NOT_FOUND', other ? `Several models’ versions begin with ${version}.` : 'There is no model of this version.', { nextStep: 'Look at the list of models.' });
    return toModel(row);
  };
  const bytes = async (version: string): Promise<BundleBytes> => {
    const { onnx, json } = await db.selectFrom('models.version').select(['onnx', 'json']).where('version', '=', version).executeTakeFirstOrThrow();
    return { version, onnx: Uint8Array.from(onnx), json };
  };
  const bundle = async (version: string): Promise<ModelBundle> => {
    const { onnx, json } = await bytes((await find(version)).version);
    return readBundle(json, onnx);
  };
  const inStage = (kind: ModelKind, stage: ModelStage) => rows().where('kind', '=', kind).where('stage', '=', stage).orderBy('stage_since').execute();
  const liveModel = async (kind: ModelKind): Promise<ModelBundle | undefined> => {
    const [live] = await inStage(kind, 'live');
    if (!live) return undefined;
    const { onnx, json } = await bytes(live.version);
    try {
      return readBundle(json, onnx);
    } catch (error) {
      options.onFault?.(error);
      return undefined;
    }
  };
  const insert = async (trx: Transaction<RegistryTables>, { file, onnx }: ModelBundle, about: { origin: RegisteredModel['origin']; by: string; stage: ModelStage }): Promise<boolean> => {
    const inserted = await trx
      .insertInto('models.version')
      .values({
        version: file.version, kind: file.kind, json: JSON.stringify(file), onnx: Buffer.from(onnx), about: JSON.stringify(summaryOf(file)), origin: about.origin,
        registered_by: about.by, registered_at: at(), stage: about.stage, stage_since: at(), canary_share: null, replaced: null,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning('version')
      .executeTakeFirst();
    return inserted !== undefined;
  };
  const keepReport = async (trx: Transaction<RegistryTables>, report: GateReport): Promise<StoredGateReport> => {
    const { version, against, to, passed } = report;
    const kept = { ...report, id: uuidv7(now()), madeAt: at() };
    await trx.insertInto('models.gate_report').values({ id: kept.id, version, against, to_stage: to, passed, report: JSON.stringify(report), made_at: kept.madeAt }).execute();
    return kept;
  };
  const measure = async (given: string): Promise<GateReport> => {
    const model = await find(given);
    return gate(await bundle(model.version), await liveModel(model.kind), NEXT_STAGE[model.stage] ?? 'live');
  };
  const takeShipped = async (model: ModelBundle): Promise<void> => {
    const { kind, version } = model.file;
    const isBefore = (row: { readonly version: string; readonly origin: string } | undefined) => row !== undefined && (row.version === version || row.origin !== 'shipped');
    const liveRow = (trx: Pick<typeof db, 'selectFrom'>) => trx.selectFrom('models.version').select(['version', 'origin']).where('kind', '=', kind).where('stage', '=', 'live').executeTakeFirst();
    if (isBefore(await liveRow(db))) return;
    await changing(kind, undefined, async (trx, tellChange) => {
      const live = await liveRow(trx);
      if (isBefore(live)) return;
      const by = { who: 'open-prior-auth', gateReport: null };
      if (live) {
        await setStage(trx, live.version, 'retired');
        await tellChange({ ...by, version: live.version, what: 'replaced', from: 'live', to: 'retired', why: `the program brings ${version}` });
      }
      await insert(trx, model, { origin: 'shipped', by: by.who, stage: 'retired' });
      await setStage(trx, version, 'live', { replaced: live?.version ?? null });
      await tellChange({ ...by, version, what: 'registered', from: null, to: 'live', why: 'shipped with the program' });
    });
  };
  const reportsOf = async (version: string): Promise<readonly StoredGateReport[]> => {
    const found = await db.selectFrom('models.gate_report').selectAll().where('version', '=', (await find(version)).version).orderBy('made_at').orderBy('id').execute();
    return found.map(({ id, report, made_at }) => ({ ...(report as GateReport), id, madeAt: new Date(made_at).toISOString() }));
  };

  for (const model of options.shipped ?? []) await takeShipped(model);
  await reload();
  let polling: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    polling = reload().catch((error: unknown) => options.onFault?.(error));
  }, options.pollMs ?? 2_000);
  timer.unref();

  return {
    source: (kind) => ({
      async current(): Promise<Stages> {
        const of = async (stage: ModelStage) => Promise.all((await inStage(kind, stage)).map(async (row) => ({ model: await bytes(row.version), share: row.canary_share ?? CANARY_SHARE })));
        const [live] = await of('live');
        const [canary] = await of('canary');
        return { live: live?.model ?? null, canary: canary ?? null, shadows: (await of('shadow')).map(({ model }) => model) };
      },
      onChange(listener) {
        listeners.get(kind)?.add(listener);
        return () => listeners.get(kind)?.delete(listener);
      },
    }),
    liveModel,
    async list(kind) {
      const found = await (kind ? rows().where('kind', '=', kind) : rows()).orderBy('registered_at', 'desc').orderBy('version').execute();
      return found.map(toModel);
    },
    find,
    bundle,
    reportsOf,
    async register(given, { by, why, origin }) {
      if (!mayTrain(by)) throw notInRole(by, 'trainer');
      const checked = readBundle(JSON.stringify(given.file), given.onnx);
      await changing(checked.file.kind, undefined, async (trx, tellChange) => {
        if (!(await insert(trx, checked, { origin, by: by.name, stage: 'candidate' }))) return;
        await tellChange({ version: checked.file.version, what: 'registered', from: null, to: 'candidate', who: by.name, why, gateReport: null });
      });
      return find(checked.file.version);
    },
    async promote(given, { by, why, to, canaryShare }) {
      if (!mayApprove(by)) throw notInRole(by, 'approver');
      const model = await find(given);
      const { kind, version, stage } = model;
      if (model.registeredBy === by.name && options.approveOwn !== true) {
        throw new RegistryError('MODEL_OWN_APPROVAL', 'Who registered a model may not approve it.', { nextStep: 'Ask another approver. Where there is only one person, MODEL_APPROVE_OWN=on allows it.' });
      }
      const next = NEXT_STAGE[stage];
      if (next === undefined || (to !== undefined && to !== next)) {
        throw new RegistryError('MODEL_STEP_NOT_ALLOWED', next === undefined ? `A model that is ${stage} has no step up.` : `A ${stage} goes to ${next}, not to ${to}.`, { nextStep: 'Stages are taken one by one: candidate, shadow, canary, live.' });
      }
      const revision = await revisionOf(kind);
      const live = await liveModel(kind);
      const report = await gate(await bundle(version), live, next);
      const share = canaryShare ?? CANARY_SHARE;
      const stored = await changing(kind, revision, async (trx, tellChange) => {
        const kept = await keepReport(trx, report);
        const { id } = kept;
        if (!report.passed) {
          await tellChange({ version, what: 'refused', from: stage, to: next, who: by.name, why, gateReport: id });
          return kept;
        }
        if (next === 'canary') {
          const running = await trx.selectFrom('models.version').select('version').where('kind', '=', kind).where('stage', '=', 'canary').executeTakeFirst();
          if (running) throw new RegistryError('MODEL_STEP_NOT_ALLOWED', `The canary is ${running.version}; there is one at a time.`, { nextStep: 'Promote or retire it first.' });
        }
        if (next === 'live' && live) {
          await setStage(trx, live.file.version, 'retired');
          await tellChange({ version: live.file.version, what: 'replaced', from: 'live', to: 'retired', who: by.name, why: `replaced by ${version}`, gateReport: null });
        }
        await setStage(trx, version, next, next === 'canary' ? { canary_share: share } : next === 'live' ? { replaced: live?.file.version ?? null } : {});
        await tellChange({ version, what: 'promoted', from: stage, to: next, who: by.name, why, gateReport: id });
        return kept;
      });
      return { kind: report.passed ? 'promoted' : 'refused', model: await find(version), report: stored };
    },
    async rollback(kind, { by, why }) {
      if (!mayApprove(by)) throw notInRole(by, 'approver');
      const earlier = await changing(kind, undefined, async (trx, tellChange) => {
        const live = await trx.selectFrom('models.version').select(['version', 'replaced']).where('kind', '=', kind).where('stage', '=', 'live').executeTakeFirst();
        if (!live?.replaced) throw new RegistryError('MODEL_STEP_NOT_ALLOWED', 'No model was live before this one.', { nextStep: 'Train or register another one and promote it.' });
        await setStage(trx, live.version, 'retired');
        await tellChange({ version: live.version, what: 'replaced', from: 'live', to: 'retired', who: by.name, why: `rolled back: ${why}`, gateReport: null });
        await setStage(trx, live.replaced, 'live');
        await tellChange({ version: live.replaced, what: 'rolled-back', from: 'retired', to: 'live', who: by.name, why, gateReport: null });
        return live.replaced;
      });
      return find(earlier);
    },
    async retire(given, { by, why }) {
      if (!mayApprove(by)) throw notInRole(by, 'approver');
      const { kind, version } = await find(given);
      await changing(kind, undefined, async (trx, tellChange) => {
        const { stage } = await trx.selectFrom('models.version').select('stage').where('version', '=', version).executeTakeFirstOrThrow();
        if (stage === 'live' || stage === 'retired') {
          throw new RegistryError('MODEL_STEP_NOT_ALLOWED', stage === 'live' ? 'The live model cannot be retired without another in its place.' : 'The model is retired already.', { nextStep: 'To take the live model out, roll back or promote another.' });
        }
        await setStage(trx, version, 'retired');
        await tellChange({ version, what: 'retired', from: stage as ModelStage, to: 'retired', who: by.name, why, gateReport: null });
      });
      return find(version);
    },
    async tryGate(given) {
      const report = await measure(given);
      return store.transaction((trx) => keepReport(trx.withTables<RegistryTables>(), report));
    },
    measure,
    async changes(kind) {
      const found = await db.selectFrom('models.change').selectAll().where('kind', '=', kind).orderBy('made_at').orderBy('id').execute();
      return found.map((row) => ({
        at: new Date(row.made_at).toISOString(), version: row.version, what: row.what as ModelChange['what'], from: row.from_stage as ModelStage | null, to: row.to_stage as ModelStage,
        who: row.who, why: row.why, gateReport: row.gate_report,
      }));
    },
    reload,
    async stop() {
      clearInterval(timer);
      await polling;
    },
  };
}

function toModel(row: Pick<Selectable<RegistryTables['models.version']>, 'version' | 'about' | 'origin' | 'registered_by' | 'registered_at' | 'stage' | 'stage_since' | 'canary_share' | 'replaced'>): RegisteredModel {
  return {
    ...(row.about as Omit<RegisteredModel, 'origin'>),
    origin: row.origin as RegisteredModel['origin'],
    registeredBy: row.registered_by,
    registeredAt: new Date(row.registered_at).toISOString(),
    stage: row.stage as ModelStage,
    stageSince: new Date(row.stage_since).toISOString(),
    canaryShare: row.canary_share,
    replaced: row.replaced,
  };
}

function notInRole(by: ModelPerson, role: 'trainer' | 'approver'): RegistryError {
  return new RegistryError('MODEL_ROLE_NEEDED', `This needs the role ${role}; ${by.name} is ${by.role}.`, { nextStep: `Ask somebody who is ${role}.` });
}
