import type { AlertStep, LearningSession, ModelKind, ModelPromotion, ModelRollback, ModelsPage, MonitoringReport, ThresholdChange, TrainingOrder, TrainingRun } from '#prior-auth/learning-api.ts';
import { callJson, type Reply } from '../ui/call-json.ts';

/** The role's token, for this tab until it closes or its holder signs out. */
const KEY = 'opa-learning-token';

export function keepToken(token: string): void {
  sessionStorage.setItem(KEY, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEY);
}

export function hasToken(): boolean {
  return sessionStorage.getItem(KEY) !== null;
}

export const readSession = (): Promise<Reply<LearningSession>> => call('GET', '/session');
export const readModels = (): Promise<Reply<ModelsPage>> => call('GET', '/models');
export const readMonitoring = (kind: ModelKind): Promise<Reply<MonitoringReport>> => call('GET', `/monitoring?kind=${kind}`);
export const readTrainings = (): Promise<Reply<{ readonly trainings: readonly TrainingRun[] }>> => call('GET', '/trainings');
export const promote = (version: string, step: ModelPromotion): Promise<Reply<unknown>> => call('POST', `/models/${encodeURIComponent(version)}/promote`, step);
export const rollBack = (step: ModelRollback): Promise<Reply<unknown>> => call('POST', '/rollback', step);
export const stepAlert = (id: string, step: 'acknowledge' | 'close', said: AlertStep): Promise<Reply<unknown>> => call('POST', `/alerts/${encodeURIComponent(id)}/${step}`, said);
export const changeThreshold = (change: ThresholdChange): Promise<Reply<unknown>> => call('POST', '/thresholds', change);
export const askTraining = (order: TrainingOrder): Promise<Reply<unknown>> => call('POST', '/trainings', order);
export const stopTraining = (id: string): Promise<Reply<unknown>> => call('POST', `/trainings/${encodeURIComponent(id)}/stop`, {});

function call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Reply<T>> {
  return callJson<T>({ method, path: `/learning/api${path}`, body, headers: { authorization: `Bearer ${sessionStorage.getItem(KEY) ?? ''}` } });
}
