import type { Request } from 'express';
import { Refusal } from './refusal.ts';

const MAX_BODY_BYTES = 1_048_576;

/** The whole body as text, once. @throws Refusal 413, 415, 400 */
export async function readBody(request: Request): Promise<string> {
  if (!/^application\/(?:fhir\+)?json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw new Refusal(415, 'not-supported', 'Send the call as application/json.');
  }
  if (request.headers['content-encoding'] !== undefined && request.headers['content-encoding'] !== 'identity') {
    throw new Refusal(415, 'not-supported', 'Send the call without a content encoding.');
  }
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  return collect(request);
}

function collect(request: Request): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) {
        // Stop reading but leave the connection, so that the answer can still be sent.
        request.removeAllListeners('data').pause();
        reject(tooLarge());
      } else {
        chunks.push(chunk);
      }
    });
    request.once('end', () => resolve((chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)).toString('utf8')));
    request.once('error', reject);
  });
}

/** @throws Refusal 400 */
export function parseJson(text: string): unknown {
  const parsed = parseIfJson(text);
  if (parsed === undefined) throw notJson();
  return parsed;
}

/** undefined: it is not JSON. */
export function parseIfJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function notJson(): Refusal {
  return new Refusal(400, 'structure', 'The body is not JSON.');
}

function tooLarge(): Refusal {
  return new Refusal(413, 'too-long', `The body is larger than ${MAX_BODY_BYTES} bytes.`);
}
