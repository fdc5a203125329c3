import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import type { Logger } from 'pino';

/** Lines of NDJSON. The first is had before anything is sent, so that a store that does not answer is a 503 and no broken 200. Never rejects. */
export async function sendLines(response: Response, lines: AsyncGenerator<string>, log: Logger): Promise<void> {
  try {
    const first = await lines.next();
    const all = async function* () {
      if (!first.done) yield first.value;
      yield* lines;
    };
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson; charset=utf-8', 'Cache-Control': 'no-store' });
    await pipeline(Readable.from(all()), response);
  } catch (error) {
    log.error({ fault: error instanceof Error ? error.name : typeof error }, 'an export could not be written to the end');
    if (response.headersSent) response.destroy();
    else sendUnreadable(response);
  }
}

export function sendUnreadable(response: Response): void {
  response.writeHead(503, { 'Content-Type': 'text/plain; charset=utf-8', 'Retry-After': '60' }).end('The figures cannot be read at the moment. Try again in a minute.\n');
}
