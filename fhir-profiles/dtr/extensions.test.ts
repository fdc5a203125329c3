import { expect, it } from 'vitest';

import { readInformationOrigin, writeInformationOrigin } from './information-origin.ts';
import { readIntendedUse, writeIntendedUse } from './intended-use.ts';
import { readQrContext, writeQrContext } from './qr-context.ts';

it('information-origin reads back what it writes', () => {
  const typed = { source: 'override', practitioner: 'Practitioner/1' } as const;
  expect(readInformationOrigin({ extension: [writeInformationOrigin(typed)] })).toEqual(typed);
  expect(readInformationOrigin({ extension: [writeInformationOrigin({ source: 'auto' })] })).toEqual({ source: 'auto' });
  expect(readInformationOrigin({})).toBeUndefined();
});

it('qr-context and intendedUse read back what they write', () => {
  expect(readQrContext({ extension: writeQrContext(['Coverage/1', 'DeviceRequest/2']) })).toEqual(['Coverage/1', 'DeviceRequest/2']);
  expect(readIntendedUse({ extension: [writeIntendedUse('withpa'), writeIntendedUse('OTH')] })).toEqual(['withpa', 'OTH']);
  expect(readQrContext({})).toEqual([]);
});
