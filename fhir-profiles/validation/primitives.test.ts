import { describe, expect, it } from 'vitest';

import { primitiveProblem } from './primitives.ts';

const CASES: readonly [type: string, good: readonly unknown[], bad: readonly unknown[]][] = [
  ['date', ['2026', '2026-02', '2024-02-29'], ['2026-02-29', '2026-00-10', '2026-1-1', '26-01-01', '2026-01-01T00:00:00Z', '']],
  ['dateTime', ['2026', '2026-02-28', '2026-02-28T23:59:59Z', '2026-02-28T23:59:59.123+05:30', '2026-06-30T23:59:60Z'], ['2026-02-28T24:00:00Z', '2026-02-28T10:00Z', '2026-02-28T10:00:00', '2026-02-30T10:00:00Z', '2026-02-28T10:00:00+15:00']],
  ['instant', ['2026-02-28T23:59:59Z'], ['2026-02-28', '2026-02-28T23:59:59']],
  ['time', ['23:59:59', '00:00:00.5'], ['24:00:00', '10:00', '10:00:00Z']],
  ['id', ['a-1.B', 'x'.repeat(64)], ['', 'a_b', 'x'.repeat(65)]],
  ['code', ['a', 'a b'], ['', ' a', 'a  b', 'a\tb']],
  ['positiveInt', [1, 2_147_483_647], [0, -1, 1.5, 2_147_483_648, '1']],
  ['unsignedInt', [0], [-1]],
  ['decimal', [0, -1.5], ['1.5', null]],
  ['boolean', [true, false], ['true', 1]],
  ['uri', ['urn:x', 'http://a/b'], ['', 'a b']],
  ['uuid', ['urn:uuid:c757873d-ec9a-4326-a141-556f43239520'], ['urn:uuid:1', 'c757873d-ec9a-4326-a141-556f43239520']],
  ['oid', ['urn:oid:1.2.3'], ['1.2.3', 'urn:oid:3.1', 'urn:oid:1.02']],
  ['base64Binary', ['YQ==', 'YWJj\nYWJj'], ['', 'a-b=', 'a=bc', 'YQ']],
  ['string', ['x'], ['', '  ', 5]],
];

describe.each(CASES)('%s', (type, good, bad) => {
  it.each(good.map((value) => [value]))('takes %j', (value) => {
    expect(primitiveProblem(type, value)).toBeUndefined();
  });
  it.each(bad.map((value) => [value]))('refuses %j', (value) => {
    expect(primitiveProblem(type, value)).toBeDefined();
  });
});
