import { readFileSync, statSync } from 'node:fs';
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { PayerTls } from '#prior-auth/coverage-requirement/payer-connection.ts';

/** Nobody knows whether the payer has it. `message` is for staff; `code` is Node's or OpenSSL's, or `HTTP 503`. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
  readonly code: string;

  constructor(message: string, code: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

export interface HttpCall {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface Transport {
  /** Follows no redirect. @throws Unavailable */
  send(url: string, call: HttpCall): Promise<HttpAnswer>;
}

const MOST_BYTES = 20_000_000;
/** How often certificate files are looked at. */
const FILES_LOOKED_AT_MS = 60_000;
const plainAgent = new HttpAgent({ keepAlive: true, timeout: 60_000 });
const publicAgent = new HttpsAgent({ keepAlive: true, timeout: 60_000, minVersion: 'TLSv1.2' });

/** HTTP(S) with the payer's own client certificate, where it has one. Without `tls`: the system's certificates and no client certificate. */
export function createTransport(tls: PayerTls | undefined, now: () => number): Transport {
  const agentNow = tls ? followedAgent(tls, now) : () => publicAgent;
  return {
    async send(url, call) {
      const signal = AbortSignal.timeout(call.timeoutMs);
      const once = (): Promise<HttpAnswer> => sendOnce(url, call, url.startsWith('https:') ? agentNow() : plainAgent, signal);
      try {
        // A connection that the payer closed while it lay idle: nothing of this call was read.
        return await once().catch((error: unknown) => (error instanceof StaleConnection ? once() : Promise.reject(error as Error)));
      } catch (error) {
        if (error instanceof Unavailable) throw error;
        if (signal.aborted) throw new Unavailable(`no answer within ${call.timeoutMs} ms`, 'timeout', { cause: error });
        const code = codeOf(error);
        throw new Unavailable(`no connection, or it was lost (${code})`, code, { cause: error });
      }
    },
  };
}

class StaleConnection extends Error {}

function sendOnce(url: string, { method, headers, body }: HttpCall, agent: HttpAgent | HttpsAgent, signal: AbortSignal): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    const request = send(url, { method, agent, signal, headers: { ...headers, ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }) } }, (response) => {
      readBody(response).then((text) => resolve({ status: response.statusCode ?? 0, contentType: response.headers['content-type'] ?? '', body: text }), reject);
    });
    request.on('error', (cause) => reject(request.reusedSocket && codeOf(cause) === 'ECONNRESET' ? new StaleConnection('closed while idle', { cause }) : cause));
    request.end(body);
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new Unavailable(`an answer larger than ${MOST_BYTES} bytes`, 'answer-too-large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A renewed certificate is used within a minute; connections made with the old one end by themselves. */
function followedAgent(tls: PayerTls, now: () => number): () => HttpsAgent {
  const files = [tls.certificateFile, tls.keyFile, tls.caFile].filter((file) => file !== undefined);
  let held: { readonly agent: HttpsAgent; readonly state: string } | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (held && now() - lookedAt < FILES_LOOKED_AT_MS) return held.agent;
    lookedAt = now();
    const state = files.map((file) => `${file} ${statSync(file, { throwIfNoEntry: false })?.mtimeMs}`).join('\n');
    if (held?.state === state) return held.agent;
    held = { state, agent: new HttpsAgent({ keepAlive: true, timeout: 60_000, minVersion: 'TLSv1.2', ...readTlsFiles(tls) }) };
    return held.agent;
  };
}

/** @throws Unavailable naming the file. */
export function readTlsFiles({ certificateFile, keyFile, caFile }: PayerTls): { readonly cert?: Buffer; readonly key?: Buffer; readonly ca?: Buffer } {
  return { ...(certificateFile === undefined ? {} : { cert: readPem(certificateFile) }), ...(keyFile === undefined ? {} : { key: readPem(keyFile) }), ...(caFile === undefined ? {} : { ca: readPem(caFile) }) };
}

function readPem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new Unavailable(`the file ${file} cannot be read (${codeOf(cause)})`, 'tls-file', { cause });
  }
}

/** Node's or OpenSSL's code of a failed call. */
export function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : 'no connection';
}
