import { withoutSlashes } from '#fhir/base/reference.ts';
import { z } from 'zod';
import type { ConnectionReport } from './check-report.ts';
import type { KnownPayer } from './registered-payers.ts';

/** A command asked a running process in vain. The message is for the operator. */
export class RunningProcessError extends Error {
  override readonly name = 'RunningProcessError';
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the installation is, as its own settings say. */
export function addressOf(env: Environment): string {
  return withoutSlashes(env['PUBLIC_URL'] || `http://localhost:${env['PORT'] || '3000'}`);
}

const errorReply = z.object({ error: z.object({ message: z.string(), nextStep: z.string().optional() }) });

/** The admin pages of a running process, which alone has the embedded database open. */
export class RunningProcess {
  readonly #address: string;
  readonly #token: string;

  /** @throws RunningProcessError without ADMIN_TOKEN. */
  constructor(env: Environment) {
    this.#address = addressOf(env);
    this.#token = env['ADMIN_TOKEN'] ?? '';
    if (this.#token === '') throw new RunningProcessError('A running process has the database open. Set ADMIN_TOKEN to its own, so that it can be asked; or stop it.');
  }

  async list(): Promise<readonly KnownPayer[]> {
    return ((await this.#ask('GET', '')) as { readonly payers: readonly KnownPayer[] }).payers;
  }

  async test(payerId: string): Promise<ConnectionReport | undefined> {
    return (await this.#ask('POST', `/${encodeURIComponent(payerId)}/test`)) as ConnectionReport | undefined;
  }

  async rotate(): Promise<void> {
    await this.#ask('POST', '/keys/rotate');
  }

  async close(): Promise<void> {}

  /** Undefined: there is no such thing there. */
  async #ask(method: string, path: string): Promise<unknown> {
    const url = `${this.#address}/admin/payers${path}`;
    const response = await fetch(url, { method, headers: { accept: 'application/json', authorization: `Bearer ${this.#token}` }, signal: AbortSignal.timeout(120_000) }).catch((cause: unknown) => {
      throw new RunningProcessError(`${url} cannot be reached. Set PUBLIC_URL or PORT to that of the running process.`, { cause });
    });
    const body: unknown = await response.json().catch(() => undefined);
    if (response.ok) return body;
    const said = errorReply.safeParse(body);
    if (response.status === 404 && said.success && path.endsWith('/test')) return undefined;
    throw new RunningProcessError(said.success ? `${said.data.error.message} ${said.data.error.nextStep ?? ''}`.trim() : `${url} answered ${response.status}. Is ADMIN_TOKEN set in the running process?`);
  }
}
