import { expect, it } from 'vitest';

import { INFORMATION_ORIGIN_CODES } from '../generated/code-sets.ts';
import { readInformationOrigin, writeInformationOrigin } from './information-origin.ts';
import { readIntendedUse, writeIntendedUse } from './intended-use.ts';
import { readQrContext, writeQrContext } from './qr-context.ts';

it.each(INFORMATION_ORIGIN_CODES)('information-origin %s reads back what it writes', (source) => {
  const origin = source === 'auto' ? { source } : { source, practitioner: 'Practitioner/1' };
  expect(readInformationOrigin({ extension: [writeInformationOrigin(origin)] })).toEqual(origin);
});

it('an answer without origin has none', () => {
  expect(readInformationOrigin({})).toBeUndefined();
});

it('qr-context and intendedUse read back what they write', () => {
  expect(readQrContext({ extension: writeQrContext(['Coverage/1', 'DeviceRequest/2']) })).toEqual(['Coverage/1', 'DeviceRequest/2']);
  expect(readIntendedUse({ extension: [writeIntendedUse('withpa'), writeIntendedUse('OTH')] })).toEqual(['withpa', 'OTH']);
  expect(readQrContext({})).toEqual([]);
});
