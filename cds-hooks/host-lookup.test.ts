import type { LookupAddress } from 'node:dns';
import { Agent, createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHostLookup } from './host-lookup.ts';

/* Requests go to a real server; the names are those of a name server played here. */

const HERE: readonly LookupAddress[] = [{ address: '127.0.0.1', family: 4 }];
const unknown = (): Promise<never> => Promise.reject(Object.assign(new Error('unknown name'), { code: 'ENOTFOUND' }));
const silent = (): Promise<never> => new Promise(() => undefined);

let server: Server;
let port: number;
beforeAll(async () => {
  server = createServer((_request, response) => void response.end('here'));
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => void server.close());

function names(answers: Readonly<Record<string, () => Promise<readonly LookupAddress[]>>>) {
  const asked: string[] = [];
  let atMs = 0;
  const lookup = createHostLookup({
    now: () => atMs,
    ask(host) {
      asked.push(host);
      return answers[host]?.() ?? unknown();
    },
  });
  const agent = new Agent({ lookup });
  const read = (host: string): Promise<string> => new Promise((resolve) => {
    get(`http://${host}:${port}/`, { agent }, (response) => void response.resume().once('end', () => resolve('read'))).on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.name));
  });
  return { asked, read, pass: (ms: number) => (atMs += ms) };
}

describe('a name', () => {
  it('is asked for once, however many reads want it, and not again for a while', async () => {
    const { asked, read } = names({ 'one.example': async () => HERE });
    expect(await Promise.all([1, 2, 3].map(() => read('one.example')))).toEqual(['read', 'read', 'read']);
    expect(await read('one.example')).toBe('read');
    expect(asked).toEqual(['one.example']);
  });
  it('that the name server says nothing about is not asked for again meanwhile, and the reads are not kept', async () => {
    const { asked, read, pass } = names({ 'lost.example': silent, 'one.example': async () => HERE });
    expect(await Promise.all([1, 2, 3].map(() => read('lost.example')))).toEqual(['EAI_AGAIN', 'EAI_AGAIN', 'EAI_AGAIN']);
    pass(3_600_000);
    expect(await read('lost.example')).toBe('EAI_AGAIN');
    expect(await read('one.example')).toBe('read');
    expect(asked).toEqual(['lost.example', 'one.example']);
  });
  it('that is not known is asked for again after a while', async () => {
    let answer: () => Promise<readonly LookupAddress[]> = unknown;
    const { asked, read, pass } = names({ 'new.example': () => answer() });
    expect([await read('new.example'), await read('new.example'), asked.length]).toEqual(['ENOTFOUND', 'ENOTFOUND', 1]);
    answer = async () => HERE;
    pass(5_000);
    expect(await read('new.example')).toBe('read');
  });
  it.each<[string, () => Promise<readonly LookupAddress[]>]>([['silent', silent], ['failing', unknown]])('keeps its last address while the name server is %s, for an hour', async (_name, trouble) => {
    let answer = async (): Promise<readonly LookupAddress[]> => HERE;
    const { asked, read, pass } = names({ 'one.example': () => answer() });
    await read('one.example');
    answer = trouble;
    pass(60_000);
    expect([await read('one.example'), asked.length]).toEqual(['read', 2]);
    pass(3_600_000);
    expect(await read('one.example')).not.toBe('read');
  });
  it('of this machine is found', async () => {
    const own = new Agent({ lookup: createHostLookup() });
    const status = await new Promise((resolve, reject) => void get(`http://localhost:${port}/`, { agent: own }, (response) => void response.resume().once('end', () => resolve(response.statusCode))).on('error', reject));
    expect(status).toBe(200);
  });
});
