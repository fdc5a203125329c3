import { Agent, request } from 'node:http';

// Idle connections are dropped before the server does so, or a call could meet one that is just being closed.
const agent = new Agent({ keepAlive: true, maxSockets: 256, timeout: 3_000 });

/** The answer's text. @throws when it is not 200. */
export function send(method: 'GET' | 'POST' | 'PUT', url: string, body = '', headers: Readonly<Record<string, string>> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent, headers: { ...(body === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }), ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`${new URL(url).pathname} answered ${response.statusCode}: ${text.slice(0, 300)}`));
      });
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
