import { z } from 'zod';
import type { ModelBundle } from '#models/model-file.ts';
import type { ModelKind, ModelsPage, MonitoringReport } from '#prior-auth/learning-api.ts';
import { addressOf } from '../../connections/running-process.ts';
import { LEARNING_API } from '../access.ts';
import type { GateEvidence, GateReport } from '../gate.ts';
import type { ModelCard } from '../model-card.ts';
import { readBundle, type RegisteredModel } from '../registered-model.ts';
import type { Promotion, StepUp } from '../registry.ts';
import type { Environment, ModelDesk } from './model-desk.ts';

/** A running process was asked in vain, or refused. The message is for the operator. */
export class DeskError extends Error {
  override readonly name = 'DeskError';
  /** The error code of its answer. */
  readonly code: string | undefined;

  constructor(message: string, options: { readonly code?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
  }
}

const errorReply = z.object({ error: z.object({ code: z.string(), message: z.string(), nextStep: z.string().optional() }) });

/** The API of the process that has the embedded database open. What it answers is what this program's own API sends. */
export class RemoteDesk implements ModelDesk {
  readonly #address: string;
  readonly #token: string;

  /** @throws DeskError without a token. */
  constructor(env: Environment) {
    this.#address = `${addressOf(env)}${LEARNING_API}`;
    this.#token = env['MODEL_TOKEN'] || env['ADMIN_TOKEN'] || '';
    if (this.#token === '') throw new DeskError('A running process has the database open. Set MODEL_TOKEN or ADMIN_TOKEN, so that it can be asked; or stop it.');
  }

  async list(): Promise<ModelsPage> {
    return (await this.#ask('GET', '/models')) as ModelsPage;
  }

  async register({ file, onnx }: ModelBundle, why: string): Promise<RegisteredModel> {
    return (await this.#ask('POST', '/models', { json: JSON.stringify(file), onnxBase64: Buffer.from(onnx).toString('base64'), why })) as RegisteredModel;
  }

  async promote(version: string, { to, why, share }: { readonly to?: StepUp | undefined; readonly why: string; readonly share?: number | undefined }): Promise<Pick<Promotion, 'kind' | 'model' | 'report'>> {
    const answer = (await this.#ask('POST', `/models/${encodeURIComponent(version)}/promote`, { to: to ?? (await this.#nextOf(version)), why, ...(share === undefined ? {} : { share }) })) as Pick<Promotion, 'model' | 'report'>;
    return { kind: 'promoted', ...answer };
  }

  async rollback(kind: ModelKind, why: string): Promise<RegisteredModel> {
    return (await this.#ask('POST', '/rollback', { kind, why })) as RegisteredModel;
  }

  async retire(version: string, why: string): Promise<RegisteredModel> {
    return (await this.#ask('POST', `/models/${encodeURIComponent(version)}/retire`, { why })) as RegisteredModel;
  }

  async gate(version: string): Promise<GateReport> {
    return (await this.#ask('POST', `/models/${encodeURIComponent(version)}/gate`, {})) as GateReport;
  }

  async card(version: string): Promise<ModelCard> {
    return (await this.#ask('GET', `/models/${encodeURIComponent(version)}/card?format=json`)) as ModelCard;
  }

  async bundle(version: string): Promise<ModelBundle> {
    const { json, onnxBase64 } = (await this.#ask('GET', `/models/${encodeURIComponent(version)}/bundle`)) as { readonly json: string; readonly onnxBase64: string };
    return readBundle(json, Buffer.from(onnxBase64, 'base64'));
  }

  async monitor(kind: ModelKind): Promise<MonitoringReport> {
    return (await this.#ask('GET', `/monitoring?kind=${kind}`)) as MonitoringReport;
  }

  async decisions(): Promise<GateEvidence> {
    throw new DeskError('The running process has the decisions. Start the training there: POST /learning/api/trainings, or the page /learning/.');
  }

  async close(): Promise<void> {}

  async #nextOf(version: string): Promise<StepUp> {
    const model = (await this.list()).models.find((each) => each.version.startsWith(version));
    return model?.stage === 'shadow' ? 'canary' : model?.stage === 'canary' ? 'live' : 'shadow';
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const url = `${this.#address}${path}`;
    const response = await fetch(url, {
      method, headers: { authorization: `Bearer ${this.#token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, signal: AbortSignal.timeout(120_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((cause: unknown) => {
      throw new DeskError(`${url} cannot be reached. Set PUBLIC_URL or PORT to that of the running process.`, { cause });
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) return answer;
    const said = errorReply.safeParse(answer);
    throw said.success ? new DeskError(`${said.data.error.message} ${said.data.error.nextStep ?? ''}`.trim(), { code: said.data.error.code }) : new DeskError(`${url} answered ${response.status}.`);
  }
}
