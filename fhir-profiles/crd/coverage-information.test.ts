import { expect, it } from 'vitest';

import { readCoverageInformation, writeCoverageInformation, type CoverageInformation } from './coverage-information.ts';

const information: CoverageInformation = {
  coverage: 'Coverage/1',
  covered: 'conditional',
  paNeeded: 'satisfied',
  docNeeded: 'both',
  docPurpose: ['withpa', 'OTH'],
  infoNeeded: ['performer'],
  reasons: [{ text: 'why' }],
  details: [{ code: { text: 'revision' }, value: 'p|1', qualification: 'q' }],
  questionnaires: ['http://q|1'],
  responses: ['QuestionnaireResponse/1'],
  date: '2026-11-22',
  assertionId: 'a',
  satisfiedPaId: 'PA1',
};

it('reads back what it writes', () => {
  expect(readCoverageInformation({ extension: [writeCoverageInformation(information)] })).toEqual([{ ...information, docNeeded: ['both'] }]);
});

it('reads what later versions and careless senders write, without inventing', () => {
  const { url } = writeCoverageInformation(information);
  const read = readCoverageInformation({
    extension: [
      { url, extension: [{ url: 'covered', valueCode: 'indeterminate' }, { url: 'doc-needed', valueCode: 'clinical' }, { url: 'doc-needed', valueCode: 'admin' }] },
      { url },
      { url: 'http://other' },
    ],
  });
  const nothing = { docNeeded: [], docPurpose: [], infoNeeded: [], reasons: [], details: [], questionnaires: [], responses: [] };
  expect(read).toEqual([{ ...nothing, covered: 'indeterminate', docNeeded: ['clinical', 'admin'] }, nothing]);
});

it.each([
  ['valueBoolean', true],
  ['valueString', 'x'],
  ['valuePeriod', { start: '2026-01-01' }],
  ['valueQuantity', { value: 1 }],
] as const)('writes a detail as %s', (key, value) => {
  const written = writeCoverageInformation({ ...information, details: [{ code: { text: 'c' }, value }] });
  const detail = written.extension?.find(({ url }) => url === 'detail');
  expect(detail?.extension?.[1]).toEqual({ url: 'value', [key]: value });
});
