import type { Extension, Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import { emissionFaults } from '#prior-auth/coverage-requirement/emission-rules.ts';
import type { CoverageRequirement } from '#prior-auth/coverage-requirement/requirement.ts';
import { coverageInformationFaults } from '../answer-rules/coverage-information-rules.ts';
import { CRD_VERSIONS } from '../hook-call.ts';
import { ANSWER_WRITERS } from '../versions/answer-writers.ts';
import { readPayersCards } from './payers-cards.ts';
import { readPayersWord } from './payers-word.ts';

const order = { resourceType: 'DeviceRequest', id: 'd1', status: 'draft', intent: 'order', subject: { reference: 'Patient/p1' } } as Resource;
const code = (url: string, valueCode: string): Extension => ({ url, valueCode });
const reason = (value: string, text?: string): Extension => ({ url: 'reason', valueCodeableConcept: { coding: [{ system: CRD_URLS.codesTemp, code: value }], ...(text === undefined ? {} : { text }) } });

function said(...parts: readonly Extension[]): CoverageRequirement {
  const extension = [{ url: CRD_URLS.coverageInformation, extension: [{ url: 'coverage', valueReference: { reference: 'Coverage/c1' } }, ...parts, { url: 'date', valueDate: '2026-11-22' }, { url: 'coverage-assertion-id', valueString: 'a' }] }];
  const word = readPayersWord({ ...order, extension } as Resource, { resource: order, coverage: 'Coverage/c1' });
  if (word.kind !== 'said') throw new Error(word.why);
  return word.requirement;
}
const written = (requirement: CoverageRequirement, version: '2.0' | '2.2') => {
  const extension = ANSWER_WRITERS[version].coverageInformation(requirement);
  expect(coverageInformationFaults({ extension: [extension] }, version)).toEqual([]);
  const all = (url: string) => (extension.extension ?? []).filter((part) => part.url === url);
  return { covered: all('covered')[0]?.valueCode, paNeeded: all('pa-needed')[0]?.valueCode, infoNeeded: all('info-needed').map((part) => part.valueCode), reasons: all('reason').map((part) => part.valueCodeableConcept) };
};
const coded = (value: string, text: unknown) => ({ coding: [{ system: CRD_URLS.codesTemp, code: value }], text });

describe("a payer's codes for its reasons (CRD 2.2 §coverage-information)", () => {
  it.each(['no-member-found', 'no-active-coverage', 'coverage-not-found'])('%s is passed on: by its code in 2.2, in words in 2.0.1', (cause) => {
    const requirement = said(code('covered', 'not-covered'), reason(cause));
    expect(emissionFaults([requirement])).toEqual([]);
    expect(written(requirement, '2.2')).toEqual({ covered: 'not-covered', paNeeded: undefined, infoNeeded: [], reasons: [coded(cause, expect.any(String))] });
    expect(written(requirement, '2.0')).toEqual({ covered: 'conditional', paNeeded: 'conditional', infoNeeded: ['OTH'], reasons: [{ text: expect.any(String) }] });
  });
  it.each<[string, readonly Extension[]]>([
    ['covered and pa-needed', [code('covered', 'indeterminate'), code('pa-needed', 'indeterminate'), reason('technical', 'Down until noon.')]],
    ['pa-needed alone', [code('covered', 'covered'), code('pa-needed', 'indeterminate'), reason('technical', 'Down until noon.')]],
  ])('indeterminate in %s stays so', (_name, parts) => {
    const requirement = said(...parts);
    expect(written(requirement, '2.2')).toEqual({ covered: 'indeterminate', paNeeded: 'indeterminate', infoNeeded: [], reasons: [coded('technical', 'Down until noon.')] });
    expect(written(requirement, '2.0')).toEqual({ covered: 'conditional', paNeeded: 'conditional', infoNeeded: ['OTH'], reasons: [{ text: 'Down until noon.' }] });
  });
  it.each<[string, readonly string[]]>([
    ['gold-card', ['2.0', '2.2']],
    ['auth-out-network', ['2.2']],
  ])('%s keeps its code where the version has it (%j)', (value, versions) => {
    const requirement = said(code('covered', 'covered'), code('pa-needed', 'no-auth'), reason(value));
    const reasons = CRD_VERSIONS.flatMap((version) => written(requirement, version).reasons);
    expect(reasons.map((each) => each?.coding?.[0]?.code)).toEqual(CRD_VERSIONS.map((version) => (versions.includes(version) ? value : undefined)));
    for (const each of reasons) expect(each?.text).toMatch(/\w/);
  });
  it('detail-code among what is needed is read, and said in words', () => {
    const requirement = said(code('covered', 'conditional'), code('pa-needed', 'conditional'), code('info-needed', 'detail-code'), { url: 'reason', valueCodeableConcept: { text: 'Say which side.' } });
    for (const version of CRD_VERSIONS) expect(written(requirement, version)).toMatchObject({ covered: 'conditional', infoNeeded: [version === '2.0' ? 'OTH' : 'detail-code'], reasons: [{ text: 'Say which side.' }, { text: expect.stringContaining('code') }] });
  });
  it('documents of the patient stay the patient’s in 2.2, and are administrative in 2.0.1', () => {
    const documents = (codes: readonly string[], version: '2.0' | '2.2') => {
      const requirement = said(code('covered', 'covered'), code('pa-needed', 'auth-needed'), ...codes.map((each) => code('doc-needed', each)), code('doc-purpose', 'withpa'), { url: 'reason', valueCodeableConcept: { text: 'x' } });
      return (ANSWER_WRITERS[version].coverageInformation(requirement).extension ?? []).flatMap(({ url, valueCode }) => (url === 'doc-needed' ? [valueCode] : []));
    };
    expect([documents(['patient'], '2.2'), documents(['patient'], '2.0')]).toEqual([['patient'], ['admin']]);
    expect([documents(['clinical', 'patient'], '2.2'), documents(['clinical', 'patient'], '2.0')]).toEqual([['clinical', 'patient'], ['both']]);
  });
});

describe("a payer's details", () => {
  const CODES = { '2.0': CRD_URLS.codesTemp, '2.2': CRD_URLS.coverageDetails };
  const own = { coding: [{ system: 'https://payer.example/details', code: 'x' }], text: 'Own' };
  const detail = (concept: object, value: object): Extension => ({ url: 'detail', extension: [{ url: 'category', valueCode: 'cat-other' }, { url: 'code', valueCodeableConcept: concept }, { url: 'value', ...value }] });
  it.each<[string, object, object, object, object]>([
    ['a code of both versions', { coding: [{ system: CODES['2.2'], code: 'allowed-period' }] }, { valuePeriod: { start: '2026-12-01', end: '2026-12-31' } }, { coding: [{ system: CODES['2.0'], code: 'allowed-period' }] }, { coding: [{ system: CODES['2.2'], code: 'allowed-period' }] }],
    ['a code of 2.0.1 alone', { coding: [{ system: CODES['2.0'], code: 'auth-out-network-only' }] }, { valueBoolean: true }, { coding: [{ system: CODES['2.0'], code: 'auth-out-network-only' }] }, { coding: [{ system: CODES['2.0'], code: 'auth-out-network-only' }] }],
    ['a code of 2.2 alone', { coding: [{ system: CODES['2.2'], code: 'policy-link' }] }, { valueUrl: 'https://payer.example/7' }, { coding: [{ system: CODES['2.2'], code: 'policy-link' }] }, { coding: [{ system: CODES['2.2'], code: 'policy-link' }] }],
    ['a code of its own', own, { valueQuantity: { value: 3, code: 'mo', system: 'http://unitsofmeasure.org' } }, own, own],
    ['words alone', { text: 'As said' }, { valueString: 'x' }, { text: 'As said' }, { text: 'As said' }],
  ])('%s: nothing of it is lost or put in another system', (_what, concept, value, in201, in22) => {
    const requirement = said(code('covered', 'covered'), code('pa-needed', 'no-auth'), detail(concept, value));
    for (const [version, expected] of [['2.0', in201], ['2.2', in22]] as const) {
      const extension = ANSWER_WRITERS[version].coverageInformation(requirement);
      expect(coverageInformationFaults({ extension: [extension] }, version)).toEqual([]);
      const [parts] = (extension.extension ?? []).filter(({ url }) => url === 'detail').map((each) => each.extension ?? []);
      expect(parts?.find(({ url }) => url === 'code')?.valueCodeableConcept).toEqual(expected);
      // 2.0.1 has no type for an address.
      const wanted = version === '2.0' && 'valueUrl' in value ? { valueString: value.valueUrl } : value;
      expect(parts?.find(({ url }) => url === 'value')).toEqual({ url: 'value', ...wanted });
    }
  });
});

describe("a payer's cards", () => {
  const card = (more: object) => readPayersCards([{ summary: 'A card', source: { label: 'Payer' }, ...more }], { payer: { id: 'p' } as never, patientId: 'p1', foci: [order], writer: ANSWER_WRITERS['2.0'] })[0];
  it.each<[string, string]>([
    ['Saturation < 88 % at rest, or PaO2 > 55 mmHg needs review.', 'Saturation < 88 % at rest, or PaO2 > 55 mmHg needs review.'],
    ['SpO2 <88 % and >80 %', 'SpO2 <88 % and >80 %'],
    ['a<b and c>d', 'a&lt;b and c>d'],
    ['<b>Bold</b> and <a href="https://x.example" title=\'>\'>here</a><br/>', 'Bold and here'],
    ['<script>alert(1)</script><!-- x --><img src=x onerror=alert(1)>', 'alert(1)'],
    ['<img src=x onerror="a" b', '&lt;img src=x onerror="a" b'],
  ])('%s loses its HTML and nothing else', (detail, left) => expect(card({ detail })?.detail).toBe(left));
  it('keep the reasons for which they may be overridden', () => {
    const reasons = [{ system: 'https://payer.example', code: 'r1', display: 'Documented elsewhere' }];
    expect(card({ overrideReasons: [...reasons, { code: 'no display' }] })?.overrideReasons).toEqual(reasons);
  });
});
