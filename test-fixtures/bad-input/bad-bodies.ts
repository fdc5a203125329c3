import { gzipSync } from 'node:zlib';
import type { BadRequest } from './bad-request.ts';

const LARGE = Buffer.alloc(30 * 1024 * 1024, 0x20);
const DEEP_LIST = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
const DEEP_OBJECT = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`;

/** As a piece of JSON, to stand inside a body that is otherwise good. */
export const DEEP_VALUE = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

type Route = Pick<BadRequest, 'method' | 'path' | 'from' | 'shape'> & {
  /** The content type the route reads. */
  readonly reads: string;
  /** What it says to JSON that is no request of it. */
  readonly wrong: number | readonly number[];
  /** Statuses that differ from the usual ones. */
  readonly noType?: number;
};

/** What every route that reads JSON must refuse, whatever it is for. */
export function badBodies({ reads, wrong, noType = 415, ...route }: Route): BadRequest[] {
  const say = (what: string, body: unknown, status: BadRequest['status'], type: string | undefined = reads, headers: Readonly<Record<string, string>> = {}): BadRequest => ({ ...route, what, body, status, headers, ...(type === '' ? {} : { type }) });
  return [
    say('not JSON', '{"a":', 400),
    say('no body', '', wrong),
    say('null', 'null', [400, ...list(wrong)]),
    say('a number', '42', [400, ...list(wrong)]),
    say('a list', '[]', wrong),
    say('an empty object', {}, wrong),
    say('keys of the prototype', '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}', wrong),
    say('lists 10,000 deep', DEEP_LIST, [400, ...list(wrong)]),
    say('objects 10,000 deep', DEEP_OBJECT, [400, ...list(wrong)]),
    say('30 MB', LARGE, 413),
    say('another content type', '<a/>', 415, 'application/xml'),
    say('no content type', '{}', noType, ''),
    say('a charset that is none', '{}', [415, ...list(wrong)], `${reads}; charset=klingon`),
    say('gzip that is none', 'not gzip', [400, 415], reads, { 'content-encoding': 'gzip' }),
    say('a gzip bomb', gzipSync(LARGE), [413, 415], reads, { 'content-encoding': 'gzip' }),
    say('an encoding nobody knows', '{}', 415, reads, { 'content-encoding': 'rot13' }),
    say('broken UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), [400, ...list(wrong)]),
  ];
}

function list(status: number | readonly number[]): readonly number[] {
  return typeof status === 'number' ? [status] : status;
}
