import type { Router } from 'express';
import type { Logger } from 'pino';
import { readShippedAppeals } from '#models/appeals/shipped-appeals.ts';
import type { ModelBundle } from '#models/model-file.ts';
import { shippedModel } from '#models/serve/shipped-model.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { learningRouter } from './api.ts';
import { appealEvidence, decisionTable } from './decision-tables.ts';
import { createGate } from './gate.ts';
import { readBundle } from './registered-model.ts';
import { type ModelRegistry, openModelRegistry } from './registry.ts';
import { openModelRoles } from './roles.ts';
import { createTrainingTables } from './training-table.ts';

export interface LearningOptions {
  readonly store: Store;
  readonly audit: AuditTrail;
  readonly log: Logger;
  readonly now: () => number;
  readonly adminToken?: string | undefined;
  /** JSON file of people and their roles, read again when it changes. */
  readonly rolesFile?: string | undefined;
  readonly approveOwn?: boolean;
  /** File of California's determinations; without it no appeal model passes the gate. */
  readonly appealsFile?: string | undefined;
}

/** The registry with its gate and API. The tables of labels must be there before a model goes to the gate. */
export interface Learning {
  readonly registry: ModelRegistry;
  readonly router: Router;
  stop(): void;
}

/** @throws RegistryError when the roles file is bad */
export async function openLearning({ store, audit, log, now, adminToken, rolesFile, approveOwn = false, appealsFile }: LearningOptions): Promise<Learning> {
  const roles = openModelRoles({ file: rolesFile, adminToken, onFileFault: (error) => log.error({ file: error.message }, 'the file of model roles cannot be used; what it said before is in force') });
  const registry = await openRegistryHere({ store, audit, now, approveOwn, appealsFile, onFault: (error) => log.error({ err: error }, 'models: a stored model or the registry cannot be read') });
  return { registry, router: learningRouter({ registry, roles, audit, log }), stop: () => registry.stop() };
}

/** The registry of an installation, for the server and for commands. */
export async function openRegistryHere(
  { store, audit, now, approveOwn, appealsFile, onFault }: Pick<LearningOptions, 'store' | 'audit' | 'now' | 'approveOwn' | 'appealsFile'> & { readonly onFault: (error: unknown) => void },
): Promise<ModelRegistry> {
  const tables = createTrainingTables({ store, audit, now });
  const gate = createGate(async (file) => (file.kind === 'denial-risk' ? decisionTable(tables, { simulated: file.simulated, by: 'model-gate' }) : appealsFile === undefined ? undefined : appealEvidence(appealsFile, file)));
  const shipped = await Promise.all([shippedDenialRisk, async () => readShippedAppeals().bundle].map((read) => read().catch((error: unknown) => onFault(error))));
  return openModelRegistry({ store, audit, now, gate, shipped: shipped.filter((bundle): bundle is ModelBundle => bundle !== undefined), ...(approveOwn === undefined ? {} : { approveOwn }), onFault });
}

async function shippedDenialRisk(): Promise<ModelBundle> {
  const { json, onnx } = await shippedModel();
  return readBundle(json, onnx);
}
