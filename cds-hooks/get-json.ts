import { Agent as HttpAgent, type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { createHostLookup } from './host-lookup.ts';

/* Reading by node:http: a call may need eight reads, and each takes a third less of the processor than by fetch. */

/** The server gave something, but not what was asked for. `message`: an HTTP status or the kind of fault, never data. */
export class UnreadableAnswer extends Error {}

const MAX_ANSWER_BYTES = 5 * 1_048_576;
/** Connections that nothing came over for so long are closed here before the other side may close them under a request. */
const agentOptions = { keepAlive: true, timeout: 4_000, lookup: createHostLookup() };
const http = { agent: new HttpAgent(agentOptions), request: httpRequest };
const https = { agent: new HttpsAgent(agentOptions), request: httpsRequest };

/** The JSON at that address. Redirects are not followed. @throws UnreadableAnswer, or the network's fault */
export async function getJson(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<unknown> {
  const response = await ask(url, { headers: { ...headers, 'accept-encoding': 'gzip' }, signal });
  if (response.statusCode !== 200) {
    response.destroy();
    throw new UnreadableAnswer(`status ${response.statusCode}`);
  }
  const body = await collect(response);
  const plain = response.headers['content-encoding'] === 'gzip' ? await promisify(gunzip)(body, { maxOutputLength: MAX_ANSWER_BYTES }) : body;
  return JSON.parse(plain.toString('utf8'));
}

function ask(url: string, options: RequestOptions, again = true): Promise<IncomingMessage> {
  const { agent, request } = url.startsWith('https:') ? https : http;
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...options, agent }, resolve);
    sent.on('error', (error: NodeJS.ErrnoException) => {
      // A kept connection may be closed by the other side just as it is used: a read is sent once more.
      if (again && sent.reusedSocket && error.code === 'ECONNRESET') resolve(ask(url, options, false));
      else reject(error);
    });
    sent.end();
  });
}

function collect(response: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) response.destroy(new UnreadableAnswer('answer too large'));
      else chunks.push(chunk);
    });
    response.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    response.once('error', reject);
  });
}
