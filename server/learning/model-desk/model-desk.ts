import { join } from 'node:path';
import { pino } from 'pino';
import { type ModelKind, type ModelsPage, type MonitoringReport } from '#prior-auth/learning-api.ts';
import type { ModelBundle } from '#models/model-file.ts';
import { openAuditTrail } from '#store/audit.ts';
import { openStore } from '#store/database.ts';
import { StoreError } from '#store/errors.ts';
import { migratePart } from '#store/migrate.ts';
import { CASE_MIGRATIONS, LEARNING_MIGRATIONS } from '../../store/migrations.ts';
import { modelsPage, readCard } from '../api.ts';
import { decisionTable } from '../decision-tables.ts';
import type { GateEvidence, GateReport } from '../gate.ts';
import type { ModelCard } from '../model-card.ts';
import { openMonitoring } from '../monitoring.ts';
import { openRegistryHere } from '../open-learning.ts';
import type { RegisteredModel } from '../registered-model.ts';
import { RegistryError } from '../registry-error.ts';
import type { Promotion, StepUp } from '../registry.ts';
import { type ModelPerson, openModelRoles } from '../roles.ts';
import { createTrainingTables } from '../training-table.ts';
import { RemoteDesk } from './remote-desk.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the commands do with the models of an installation: straight in its database, or through the process that has it open. */
export interface ModelDesk {
  list(): Promise<ModelsPage>;
  register(bundle: ModelBundle, why: string): Promise<RegisteredModel>;
  promote(version: string, step: { readonly to?: StepUp | undefined; readonly why: string; readonly share?: number | undefined }): Promise<Pick<Promotion, 'kind' | 'model' | 'report'>>;
  rollback(kind: ModelKind, why: string): Promise<RegisteredModel>;
  retire(version: string, why: string): Promise<RegisteredModel>;
  gate(version: string): Promise<GateReport>;
  card(version: string): Promise<ModelCard>;
  bundle(version: string): Promise<ModelBundle>;
  monitor(kind: ModelKind): Promise<MonitoringReport>;
  /** Decisions to train on; not through another process. */
  decisions(): Promise<GateEvidence>;
  close(): Promise<void>;
}

/** @throws StoreError, RegistryError */
export async function openModelDesk(env: Environment): Promise<ModelDesk> {
  try {
    return await openLocalDesk(env);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'STORE_LOCKED') return new RemoteDesk(env);
    throw error;
  }
}

async function openLocalDesk(env: Environment): Promise<ModelDesk> {
  const by = personOf(env);
  const now = Date.now;
  const log = pino({ level: 'silent' });
  const store = await openStore({ dataDir: env['DATA_DIR'] || join(process.cwd(), 'data'), databaseUrl: env['DATABASE_URL'] || undefined });
  try {
    await migratePart(store, 'cases', CASE_MIGRATIONS);
    await migratePart(store, 'learning', LEARNING_MIGRATIONS);
    const audit = await openAuditTrail(store, now, (error) => console.error('An audit entry could not be written.', error));
    const registry = await openRegistryHere({ store, audit, now, approveOwn: env['MODEL_APPROVE_OWN'] === 'on', appealsFile: env['APPEALS_FILE'] || undefined, onFault: (error) => console.error(error instanceof Error ? error.message : error) });
    return {
      list: () => modelsPage(registry),
      register: (bundle, why) => registry.register(bundle, { by, why, origin: bundle.file.importedFrom ? 'imported' : 'trained' }),
      promote: (version, { to, why, share }) => registry.promote(version, { by, why, to, canaryShare: share }),
      rollback: (kind, why) => registry.rollback(kind, { by, why }),
      retire: (version, why) => registry.retire(version, { by, why }),
      gate: (version) => registry.tryGate(version),
      card: (version) => readCard(registry, version),
      async bundle(version) {
        const bundle = await registry.bundle(version);
        audit.record({ action: 'model-exported', who: by.name, details: { version: bundle.file.version } });
        return bundle;
      },
      async monitor(kind) {
        const monitoring = await openMonitoring({ store, audit, log, now, liveModel: (of) => registry.liveModel(of) });
        try {
          return await monitoring.report(kind);
        } finally {
          await monitoring.stop();
        }
      },
      decisions: () => decisionTable(createTrainingTables({ store, audit, now }), { simulated: false, by: by.name }),
      async close() {
        await registry.stop();
        await audit.stop();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Whose token MODEL_TOKEN is; without one, whoever may open the database is its operator. @throws RegistryError */
function personOf(env: Environment): ModelPerson {
  const token = env['MODEL_TOKEN'];
  if (!token) return { name: 'operator', role: 'approver' };
  const person = openModelRoles({ file: env['MODEL_ROLES_FILE'] || undefined, adminToken: env['ADMIN_TOKEN'] || undefined }).personOf(token);
  if (!person) throw new RegistryError('MODEL_ROLE_NEEDED', 'Nobody in MODEL_ROLES_FILE has the token of MODEL_TOKEN.');
  return person;
}
