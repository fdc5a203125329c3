import { request as httpRequest } from 'node:http';

/** Who sends it: whose cookies or token go along. `hook` is the sandbox EHR as CDS client, with a fresh JWT each time. */
export type Sender = 'nobody' | 'clinician' | 'loader' | 'panel' | 'staff' | 'backend' | 'payer' | 'hook';

/** `error-reply`: ours. `outcome`: FHIR. `oauth`: RFC 6749. `page`: HTML for a person. `empty`: no body by the specification. `any`: Node answers before any route. */
export type ErrorShape = 'error-reply' | 'outcome' | 'oauth' | 'page' | 'empty' | 'any';

export interface BadRequest {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly from?: Sender;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: unknown;
  readonly status: number | readonly number[];
  readonly shape: ErrorShape;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly ms: number;
}

/** Stands for a patient's data in what is sent: no answer may carry it. */
export const PRIVATE_WORDS = 'Zebulon-Quarterstaff';

const SLOWEST_MS = 2_000;

/** Sends a path as it is written: fetch would tidy `..` and escapes away. */
export function sendRaw(base: string, { method, path, headers = {}, body }: { readonly method: string; readonly path: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: string | Buffer | undefined }): Promise<Answer> {
  const { hostname, port } = new URL(base);
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, method, path, headers: { ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }), ...headers }, agent: false, timeout: 10_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString('utf8'), ms: performance.now() - startedAt }));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error('no answer in 10 s')));
    request.on('error', reject);
    request.end(body);
  });
}

/** Everything that is wrong with an answer to a bad request. */
export function faultsOf(row: BadRequest, answer: Answer): readonly string[] {
  const expected = typeof row.status === 'number' ? [row.status] : row.status;
  const faults: string[] = [];
  if (!expected.includes(answer.status)) faults.push(`status ${answer.status}, expected ${expected.join(' or ')}: ${answer.text.slice(0, 200)}`);
  if (answer.ms > SLOWEST_MS) faults.push(`took ${Math.round(answer.ms)} ms`);
  if (answer.headers['x-powered-by'] !== undefined) faults.push('names the framework');
  // What a caller may read or has just written is no leak; what it is refused with may be.
  if (answer.status >= 400) for (const [name, sign] of LEAKS) if (sign.test(answer.text)) faults.push(`${name}: ${sign.exec(answer.text)?.[0]}`);
  if (expected.includes(answer.status) && answer.status >= 400 && !isInShape(row.shape, answer)) faults.push(`not a ${row.shape}: ${String(answer.headers['content-type'])} ${answer.text.slice(0, 200)}`);
  return faults.map((fault) => `${row.method} ${row.path.slice(0, 80)} · ${row.what} · ${fault}`);
}

const LEAKS: readonly (readonly [string, RegExp])[] = [
  ['a stack trace', /\bat (?:[\w.<>]+ )?\(?(?:file:|node:|\/)[^)\n]*:\d+:\d+|\b(?:Type|Range|Reference|Syntax)Error\b/],
  ['a file path', /node_modules|file:\/\/|\/(?:work\/main|tmp|home|usr|etc)\//],
  ['words of the database', /\bselect .* from\b|invalid byte sequence|unicode (?:low|high) surrogate|violates|pglite/i],
  ['words of the parser', /Unexpected (?:token|end)|is not valid JSON at|position \d+/],
  ['patient data', new RegExp(`${PRIVATE_WORDS}|Okafor|Whitfield|Delgado|Lindqvist`)],
];

function isInShape(shape: ErrorShape, { headers, text }: Answer): boolean {
  const type = String(headers['content-type'] ?? '');
  if (shape === 'any') return true;
  if (shape === 'empty') return text === '';
  if (shape === 'page') return type.startsWith('text/html') && text.length > 100;
  const json = readObject(text);
  if (!json) return false;
  switch (shape) {
    case 'error-reply': {
      const error = objectOf(json['error']);
      return type.startsWith('application/json') && /^[A-Z][A-Z_]+$/.test(String(error['code'])) && isSentence(error['message']) && (error['nextStep'] === undefined || isSentence(error['nextStep']));
    }
    case 'outcome': {
      const [issue] = Array.isArray(json['issue']) ? json['issue'].map(objectOf) : [];
      return type.startsWith('application/fhir+json') && json['resourceType'] === 'OperationOutcome' && issue?.['severity'] === 'error' && typeof issue['code'] === 'string' && (isSentence(issue['diagnostics']) || isSentence(objectOf(issue['details'])['text']));
    }
    case 'oauth':
      return type.startsWith('application/json') && /^[a-z_]+$/.test(String(json['error'])) && isSentence(json['error_description']);
  }
}

function isSentence(value: unknown): boolean {
  return typeof value === 'string' && value.length >= 8;
}

function readObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
