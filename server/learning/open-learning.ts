import type { Router } from 'express';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { readShippedAppeals } from '#models/appeals/shipped-appeals.ts';
import type { ModelBundle } from '#models/model-file.ts';
import { shippedModel } from '#models/serve/shipped-model.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import type { Jobs } from '#store/jobs.ts';
import { learningRouter } from './api.ts';
import { appealEvidence, decisionTable } from './decision-tables.ts';
import { createGate, GATE_RULES } from './gate.ts';
import { type Monitoring, openMonitoring } from './monitoring.ts';
import { monitoringMetrics } from './monitoring-metrics.ts';
import { monitoringRoutes } from './monitoring-routes.ts';
import { readBundle } from './registered-model.ts';
import { type ModelRegistry, openModelRegistry } from './registry.ts';
import { openModelRoles } from './roles.ts';
import { createTrainingRuns } from './training-runs.ts';
import { lineageRoutes } from './lineage-routes.ts';
import { createTrainingTables } from './training-table.ts';
import { createTriggers } from './triggers.ts';

export interface LearningOptions {
  readonly store: Store;
  readonly jobs: Jobs;
  /** Where the gauges of monitoring go. */
  readonly metrics: Registry;
  readonly audit: AuditTrail;
  readonly log: Logger;
  readonly now: () => number;
  readonly adminToken?: string | undefined;
  /** JSON file of people and their roles, read again when it changes. */
  readonly rolesFile?: string | undefined;
  readonly approveOwn?: boolean;
  /** File of California's determinations; without it no appeal model passes the gate. */
  readonly appealsFile?: string | undefined;
  /** The gate's bound on a score's time, where this machine is too busy to keep the usual one. */
  readonly mostLatencyMs?: number | undefined;
}

/** The registry with its gate, monitoring, retrainings and API. The tables of labels must be there before a model goes to the gate. */
export interface Learning {
  readonly registry: ModelRegistry;
  readonly monitoring: Monitoring;
  readonly router: Router;
  /** Begins to watch and to retrain; the tables of labels must be there. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** @throws RegistryError when the roles file is bad */
export async function openLearning({ store, jobs, metrics, audit, log, now, adminToken, rolesFile, approveOwn = false, appealsFile, mostLatencyMs }: LearningOptions): Promise<Learning> {
  const roles = openModelRoles({ file: rolesFile, adminToken, onFileFault: (error) => log.error({ file: error.message }, 'the file of model roles cannot be used; what it said before is in force') });
  const registry = await openRegistryHere({ store, audit, now, approveOwn, appealsFile, mostLatencyMs, onFault: (error) => log.error({ err: error }, 'models: a stored model or the registry cannot be read') });
  const runs = createTrainingRuns({ store, jobs, audit, now });
  const tables = createTrainingTables({ store, audit, now });
  const triggers = createTriggers({ store, jobs, log, now, runs, registry, tables });
  const showMetrics = monitoringMetrics(metrics);
  const monitoring = await openMonitoring({
    store, audit, log, now, liveModel: (kind) => registry.liveModel(kind),
    async onReport(report, opened) {
      showMetrics(report);
      await triggers.consider(report, opened);
    },
  });
  return {
    registry,
    monitoring,
    router: learningRouter({ registry, roles, audit, log }, monitoringRoutes({ monitoring, triggers, runs }), lineageRoutes({ tables })),
    async start() {
      await triggers.start();
      monitoring.start();
    },
    async stop() {
      await triggers.stop();
      await monitoring.stop();
      await registry.stop();
    },
  };
}

/** The registry of an installation, for the server and for commands. */
export async function openRegistryHere(
  { store, audit, now, approveOwn, appealsFile, mostLatencyMs, onFault }: Pick<LearningOptions, 'store' | 'audit' | 'now' | 'approveOwn' | 'appealsFile' | 'mostLatencyMs'> & { readonly onFault: (error: unknown) => void },
): Promise<ModelRegistry> {
  const tables = createTrainingTables({ store, audit, now });
  const gate = createGate(async (file) => (file.kind === 'denial-risk' ? decisionTable(tables, { simulated: file.simulated, by: 'model-gate' }) : appealsFile === undefined ? undefined : appealEvidence(appealsFile, file)), gateRules(mostLatencyMs));
  const shipped = await Promise.all([shippedDenialRisk, async () => readShippedAppeals().bundle].map((read) => read().catch((error: unknown) => onFault(error))));
  return openModelRegistry({ store, audit, now, gate, shipped: shipped.filter((bundle): bundle is ModelBundle => bundle !== undefined), ...(approveOwn === undefined ? {} : { approveOwn }), onFault });
}

function gateRules(mostLatencyMs = GATE_RULES['denial-risk'].mostLatencyMs): typeof GATE_RULES {
  return { 'denial-risk': { ...GATE_RULES['denial-risk'], mostLatencyMs }, appeal: { ...GATE_RULES.appeal, mostLatencyMs } };
}

async function shippedDenialRisk(): Promise<ModelBundle> {
  const { json, onnx } = await shippedModel();
  return readBundle(json, onnx);
}
