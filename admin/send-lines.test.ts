import type { AddressInfo } from 'node:net';
import express from 'express';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sendLines } from './send-lines.ts';

/** Lines of an export whose store goes away before line `until`. */
async function* linesUntil(until: number): AsyncGenerator<string> {
  for (let line = 1; line <= 3; line += 1) {
    if (line === until) throw new Error('the store does not answer');
    yield `${line}\n`;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
async function* none(): AsyncGenerator<string> {
  yield* [];
}
const EXPORTS: Readonly<Record<string, () => AsyncGenerator<string>>> = { none, all: () => linesUntil(0), failing: () => linesUntil(1), ending: () => linesUntil(2) };
let url: string;
let close: () => void;
beforeAll(async () => {
  const app = express();
  app.get('/:name', (request, response) => void sendLines(response, (EXPORTS[request.params.name] ?? none)(), pino({ level: 'silent' })));
  const server = app.listen(0);
  await new Promise((ready) => server.once('listening', ready));
  url = `http://localhost:${(server.address() as AddressInfo).port}`;
  close = () => server.close();
});
afterAll(() => close());

const get = async (name: string) => {
  const answer = await fetch(`${url}/${name}`);
  return [answer.status, await answer.text().catch(() => 'cut off')];
};
it('sends lines, also none', async () => expect([await get('all'), await get('none')]).toEqual([[200, '1\n2\n3\n'], [200, '']]));
it('is a 503 with words when there is not even a first line', async () => expect(await get('failing')).toEqual([503, 'The figures cannot be read at the moment. Try again in a minute.\n']));
it('cuts the connection later on, so that half an export is not taken for the whole', async () => expect(await get('ending')).toEqual([200, 'cut off']));
