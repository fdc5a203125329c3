import { type ErrorRequestHandler, type Request, Router } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod/mini';
import { ModelError, type ModelErrorCode } from '#models/model-error.ts';
import { type LearningSession, type ModelKind, modelPromotion, modelRollback, type ModelsPage, type ModelSummary } from '#prior-auth/learning-api.ts';
import type { AuditTrail } from '#store/audit.ts';
import { answerErrors, sendError } from '../error-reply.ts';
import { LEARNING_API, learningAccess, type LearningAccess, readBody } from './access.ts';
import { cardMarkdown, modelCard, type ModelCard } from './model-card.ts';
import { readBundle, type RegisteredModel } from './registered-model.ts';
import type { ModelRegistry } from './registry.ts';
import { RegistryError, type RegistryErrorCode } from './registry-error.ts';
import type { ModelRoles } from './roles.ts';

export interface LearningApiParts {
  readonly registry: ModelRegistry;
  readonly roles: ModelRoles;
  readonly audit: AuditTrail;
  readonly log: Logger;
}

/** Routes of another part of learning, on the same address and with the same people. */
export type LearningRoutes = (api: Router, access: LearningAccess) => void;

const STATUS: Readonly<Record<RegistryErrorCode | ModelErrorCode, number>> = {
  MODEL_NOT_FOUND: 404,
  MODEL_BUNDLE_INVALID: 422,
  MODEL_STAGE_CHANGED: 409,
  MODEL_STEP_NOT_ALLOWED: 409,
  MODEL_ROLE_NEEDED: 403,
  MODEL_OWN_APPROVAL: 403,
  MODEL_GATE_NO_DATA: 409,
  MODEL_GATE_REFUSED: 422,
  MODEL_ROLES_FILE_INVALID: 500,
  TRAINING_BUSY: 409,
  TRAINING_NOT_FOUND: 404,
  ALERT_NOT_FOUND: 404,
  ALERT_CHANGED: 409,
  TRAINING_REFUSED: 422,
  TRAINING_FAILED: 500,
  MODEL_IMPORT_REFUSED: 422,
};

const BUNDLE_LIMIT = '48mb';
const why = modelRollback.shape.why;
const modelRegistration = z.strictObject({ json: z.string(), onnxBase64: z.base64(), why });
const modelRetirement = z.strictObject({ why });

/** All of `npm run model` by HTTP, and what the page at /learning/ asks for. Every call carries a token of a person with a role. */
export function learningRouter({ registry, roles, audit, log }: LearningApiParts, ...others: readonly LearningRoutes[]): Router {
  const access = learningAccess({ roles, audit, log });
  const api = Router();
  const versionOf = (request: Request) => String(request.params['version']);
  api.use(access.limit);
  api.get('/session', access.for('viewer', (_request, response, by) => void response.json({ who: by.name, role: by.role } satisfies LearningSession)));
  api.get('/models', access.for('viewer', async (_request, response) => void response.json(await modelsPage(registry))));
  api.post('/models', access.for('trainer', async (request, response, by) => {
    const { json, onnxBase64, why: reason } = readBody(modelRegistration, request.body);
    const bundle = readBundle(json, Buffer.from(onnxBase64, 'base64'));
    response.status(201).json(await registry.register(bundle, { by, why: reason, origin: bundle.file.importedFrom ? 'imported' : 'trained' }));
  }, BUNDLE_LIMIT));
  api.get('/models/:version/card', access.for('viewer', async (request, response) => {
    const card = await readCard(registry, versionOf(request));
    if (request.query['format'] === 'json') response.json(card);
    else response.type('text/markdown').send(cardMarkdown(card));
  }));
  api.post('/models/:version/gate', access.for('trainer', async (request, response) => void response.json(await registry.tryGate(versionOf(request)))));
  api.get('/models/:version/bundle', access.for('trainer', async (request, response, by) => {
    const { file, onnx } = await registry.bundle(versionOf(request));
    audit.record({ action: 'model-exported', who: by.name, details: { version: file.version } });
    response.json({ json: JSON.stringify(file), onnxBase64: Buffer.from(onnx).toString('base64') });
  }));
  api.post('/models/:version/promote', access.for('approver', async (request, response, by) => {
    const { to, why: reason, share } = readBody(modelPromotion, request.body);
    const { kind, model, report } = await registry.promote(versionOf(request), { by, why: reason, to, canaryShare: share });
    if (kind === 'refused') throw new RegistryError('MODEL_GATE_REFUSED', `The gate to ${report.to} is closed: ${report.checks.filter(({ passed }) => !passed).map((check) => check.why).join(' ')}`, { nextStep: 'The report is kept with the model. Train another one, or see what is wrong with the data.' });
    response.json({ model, report });
  }));
  api.post('/models/:version/retire', access.for('approver', async (request, response, by) => {
    response.json(await registry.retire(versionOf(request), { by, why: readBody(modelRetirement, request.body).why }));
  }));
  api.post('/rollback', access.for('approver', async (request, response, by) => {
    const { kind, why: reason } = readBody(modelRollback, request.body);
    response.json(await registry.rollback(kind, { by, why: reason }));
  }));
  for (const add of others) add(api, access);
  api.use((_request, response) => sendError(response, 404, 'REQUEST_INVALID', 'There is no such address in the learning API.'));
  api.use(answerRegistryErrors);
  api.use(answerErrors(log));
  const router = Router();
  router.use(LEARNING_API, api);
  return router;
}

const answerRegistryErrors: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (response.headersSent || !(error instanceof RegistryError || error instanceof ModelError)) return next(error);
  sendError(response, STATUS[error.code], error.code, error.message, error instanceof RegistryError ? error.nextStep : undefined);
};

/** The card of a model, with subgroups as the gate last measured them, or else as they are measured now. */
export async function readCard(registry: ModelRegistry, version: string): Promise<ModelCard> {
  const model = await registry.find(version);
  const gate = (await registry.reportsOf(model.version)).at(-1) ?? null;
  const evaluation = gate?.evaluation ?? (await registry.measure(model.version).catch(withoutData))?.evaluation ?? null;
  return modelCard(model, { evaluation, gate, changes: await registry.changes(model.kind) });
}

function withoutData(error: unknown): undefined {
  if (!(error instanceof RegistryError && error.code === 'MODEL_GATE_NO_DATA')) throw error;
}

/** All models and steps, as the page shows them. */
export async function modelsPage(registry: ModelRegistry): Promise<ModelsPage> {
  const models = await Promise.all((await registry.list()).map((model) => toSummary(registry, model)));
  const kinds = [...new Set(models.map(({ kind }) => kind))] satisfies ModelKind[];
  const changes = (await Promise.all(kinds.map((kind) => registry.changes(kind)))).flat().sort((a, b) => (a.at < b.at ? 1 : -1));
  return { models, events: changes.map(({ at, who, version, from, to, what, why: reason }) => ({ at, who, version, from, to, outcome: what === 'refused' ? 'refused' : 'done', why: reason })) };
}

async function toSummary(registry: ModelRegistry, model: RegisteredModel): Promise<ModelSummary> {
  const { version, kind, stage, canaryShare, simulated, trainedAt, registeredAt, registeredBy, trainedOn, measures } = model;
  const { areaUnderRoc, brier, calibrationError, split, testRows } = measures;
  const reports = await registry.reportsOf(version);
  return {
    version, kind, stage, share: canaryShare, simulated, trainedAt, registeredAt, registeredBy, trainedOn, measures: { areaUnderRoc, brier, calibrationError, split, testRows },
    gateReports: reports.toReversed().map(({ madeAt, to, passed, checks }) => ({ at: madeAt, to, passed, checks })),
  };
}
