import type { Request } from 'express';
import { Refusal } from './refusal.ts';

const MAX_BODY_BYTES = 1_048_576;

/** The whole body as text, once. @throws Refusal 413, 415; 408 when it is not there within `withinMs`, or its sender has gone. */
export async function readBody(request: Request, withinMs: number): Promise<string> {
  if (!/^application\/(?:fhir\+)?json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw new Refusal(415, 'not-supported', 'Send the call as application/json.');
  }
  if (request.headers['content-encoding'] !== undefined && request.headers['content-encoding'] !== 'identity') {
    throw new Refusal(415, 'not-supported', 'Send the call without a content encoding.');
  }
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  return collect(request, withinMs);
}

function collect(request: Request, withinMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    // One that went while its token was looked at says nothing more.
    if (request.destroyed) return reject(notWhole());
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
    const late = setTimeout(() => {
      request.removeAllListeners('data').pause();
      reject(notWhole());
    }, withinMs);
    request.once('end', () => {
      clearTimeout(late);
      resolve((chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)).toString('utf8'));
    });
    request.once('error', () => reject(notWhole()));
    request.once('close', () => {
      clearTimeout(late);
      if (!request.complete) reject(notWhole());
    });
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

function notWhole(): Refusal {
  return new Refusal(408, 'incomplete', 'The whole call had not come in time. Send it again.');
}

function tooLarge(): Refusal {
  return new Refusal(413, 'too-long', `The body is larger than ${MAX_BODY_BYTES} bytes.`);
}
