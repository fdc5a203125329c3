import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDiagnosisMap } from './load-diagnosis-map.ts';

describe('the map of diagnoses', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'diagnosis-map-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const load = (text: string) => {
    const file = join(folder, 'map.json');
    writeFileSync(file, text);
    return loadDiagnosisMap(file);
  };

  it('that is shipped knows one meaning, several, and none', () => {
    const map = loadDiagnosisMap();
    expect(map.candidates('13645005')).toEqual([{ code: 'J44.9' }]);
    expect(map.candidates('239873007').length).toBeGreaterThan(1);
    expect(map.candidates('1')).toEqual([]);
    expect(map.candidates('__proto__')).toEqual([]);
  });

  it('of a clinic takes its place', () => {
    expect(load('{"map": {"13645005": ["J44.1", "J44.9"]}}').candidates('13645005')).toEqual([{ code: 'J44.1' }, { code: 'J44.9' }]);
  });

  it.each([
    ['no JSON', '{"map": {', /map\.json:\d+: not JSON/],
    ['a code without its dot', '{\n"map": {"13645005": ["J449"]}}', /map\.json:2: map\.13645005\.0: is no ICD-10-CM code/],
    ['no code', '{"map": {"13645005": []}}', /must have 1 or more/],
    ['another concept', '{"map": {"COPD": ["J44.9"]}}', /map\.json:1: map/],
    ['another element', '{"maps": {}}', /map\.json/],
  ])('with %s is refused with its line', (_name, text, message) => {
    expect(() => load(text)).toThrow(message);
  });
});
