import type { ErrorReply } from '#prior-auth/panel-api.ts';

/** Why a call brought nothing; `status` 0 means the server was not reached. */
export interface Failure {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly nextStep?: string;
  /** With FORM_CHANGED: the form as it is now. */
  readonly current?: ErrorReply['error']['current'];
}

export type Reply<T> = { readonly kind: 'ok'; readonly value: T } | { readonly kind: 'failed'; readonly failure: Failure };

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** UTF-16 units. A browser lets 64 KiB outlive the page that sent them, and refuses more. */
const KEPT_ALIVE_BELOW = 20_000;

/** Longer than any answer of ours takes; a connection that died without a word is given up. */
const TIMEOUT_MS = 60_000;

/** One JSON call to our own origin. Failure words that the server did not give are left empty: the screen has them by `status`. */
export async function callJson<T>({ method, path, body, headers, signal }: Call): Promise<Reply<T>> {
  const sent = body === undefined ? undefined : JSON.stringify(body);
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: 'same-origin',
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(sent === undefined ? {} : { body: sent, keepalive: sent.length < KEPT_ALIVE_BELOW }),
      signal: signal ?? AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    return failed(0, 'NOT_REACHED');
  }
  const text = await response.text().catch(() => '');
  const json = parse(text);
  if (!response.ok) return { kind: 'failed', failure: readFailure(response.status, json) };
  if (json === undefined && text !== '') return failed(response.status, 'ANSWER_UNREADABLE');
  return { kind: 'ok', value: (json ?? {}) as T };
}

export function readFailure(status: number, body: unknown): Failure {
  const error = isObject(body) && isObject(body['error']) ? body['error'] : {};
  const word = (key: string): string | undefined => (typeof error[key] === 'string' && error[key] !== '' ? error[key] : undefined);
  const nextStep = word('nextStep');
  return { status, code: word('code') ?? `HTTP_${status}`, message: word('message') ?? '', ...(nextStep === undefined ? {} : { nextStep }), ...(isObject(error['current']) ? { current: error['current'] as unknown as NonNullable<Failure['current']> } : {}) };
}

function failed(status: number, code: string): { readonly kind: 'failed'; readonly failure: Failure } {
  return { kind: 'failed', failure: { status, code, message: '' } };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
