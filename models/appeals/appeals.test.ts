import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { openAppealOutlooks } from './appeal-outlook.ts';
import { appealTable } from './appeal-table.ts';
import { readImrFile } from './imr-file.ts';
import { readLikening } from './like-cases.ts';
import { readShippedAppeals } from './shipped-appeals.ts';
import { trainAppeals } from './train-appeals.ts';

const HEADER = 'Reference ID;Report Year;Diagnosis Category;Diagnosis Sub Category;Treatment Category;Treatment Sub Category;Determination;Type;Age Range;Patient Gender';
const GOOD = 'XX15-1;2015;Made up;;"Also; made up";Part;Overturned Decision of Health Plan;Medical Necessity;11_20;Female';
const service = (system: string, code: string, reason?: string) => ({ codings: [{ system, code }], reasonCodes: reason === undefined ? [] : [{ system: CODE_SYSTEMS.icd10cm, code: reason }] });

describe('the file of determinations', () => {
  it('is read with quotes, blanks, CRLF, byte order mark, and with commas', () => {
    const [one] = readImrFile(`\uFEFF${HEADER}\r\n${GOOD}\r\n`);
    expect(one).toEqual({ reference: 'XX15-1', year: 2015, diagnosis: 'Made up', diagnosisDetail: null, treatment: 'Also; made up', treatmentDetail: 'Part', reviewType: 'Medical Necessity', overturned: true, age: '11-20', sex: 'female' });
    expect(readImrFile(`${HEADER.replaceAll(';', ',')}\n${GOOD.replaceAll(';', ',')}`)).toHaveLength(1);
  });

  it.each([
    ['nothing', '', /lacks the column Reference ID/],
    ['a lacking column', HEADER.replace(';Type', ''), /lacks the column Type/],
    ['a line too short', `${HEADER}\nXX15-1;2015`, /line 2: number of fields/],
    ['a reference twice', `${HEADER}\n${GOOD}\n${GOOD}`, /line 3: Reference ID/],
    ['no year', `${HEADER}\n${GOOD.replace(';2015;', ';soon;')}`, /line 2: Report Year/],
    ['an unknown determination', `${HEADER}\n${GOOD.replace('Overturned', 'Halved')}`, /line 2: Determination/],
    ['an unknown type', `${HEADER}\n${GOOD.replace('Medical Necessity', 'Other')}`, /line 2: Type/],
    ['an unknown age', `${HEADER}\n${GOOD.replace('11_20', '12')}`, /line 2: Age Range/],
    ['an unknown sex', `${HEADER}\n${GOOD.replace('Female', 'F')}`, /line 2: Patient Gender/],
  ])('is refused with %s, without its content', (_what, text, message) => {
    expect(() => readImrFile(text)).toThrow(expect.objectContaining({ code: 'TRAINING_REFUSED', message: expect.stringMatching(message) }));
    expect(() => readImrFile(text)).toThrow(expect.objectContaining({ message: expect.not.stringContaining('Made up') }));
  });

  it('gives rows without age and sex among what may be learnt, and without levels that are rare where it learns', () => {
    const many = Array.from({ length: 12 }, (_, index) => GOOD.replace('XX15-1', `XX15-${index}`).replace(';2015;', index < 11 ? ';2014;' : ';2016;'));
    const table = appealTable(readImrFile([HEADER, ...many, GOOD.replace('XX15-1', 'Y').replace('Made up', 'Seldom')].join('\n')), 2015);
    expect(Object.keys(table.categories ?? {}).join()).not.toMatch(/age|sex/);
    expect(Object.keys(table.groups)).toEqual(['sex', 'age']);
    expect(new Set(table.categories?.['diagnosis'])).toEqual(new Set(['Made up', null]));
    expect(table.rowIds.join()).not.toContain('XX15');
  });
});

describe('the shipped appeal model', () => {
  const { bundle, report } = readShippedAppeals();
  const outlookOf = openAppealOutlooks();

  it('holds no level of fewer than eleven determinations, no age, no sex, and says that it is not simulated', () => {
    const levels = bundle.file.encoders.flatMap((encoder) => Object.values(encoder.levels));
    expect(Math.min(...levels.map(({ count }) => count))).toBeGreaterThanOrEqual(11);
    expect(bundle.file.features.join()).not.toMatch(/age_|sex/);
    expect(bundle.file.simulated).toBe(false);
  });

  it('was measured a year ahead of what it learnt, beside a plain logistic regression, with the drift and the subgroup gap as they are', () => {
    for (const year of report.years) {
      expect(year.areaUnderRoc.value).toBeGreaterThan(0.6);
      expect(year.areaUnderRoc.value).toBeLessThan(0.7);
      expect(year.logistic.areaUnderRoc.value).toBeGreaterThan(0.6);
      expect(year.drift.find(({ field }) => field === 'sex')?.psi).toBeLessThan(0.02);
    }
    expect(report.years.map(({ testedOn }) => testedOn.overturnedShare.toFixed(3))).toEqual(['0.387', '0.515', '0.554']);
    expect(report.years.find(({ testYear }) => testYear === 2015)?.drift.find(({ field }) => field === 'diagnosis')?.psi).toBeGreaterThan(0.5);
    const [women, men] = ['female', 'male'].map((level) => report.years.at(-1)?.subgroups.find((row) => row.level === level)?.truePositiveRate?.value ?? 0);
    expect((men ?? 0) - (women ?? 0)).toBeGreaterThan(0.15);
  });

  it('likens every mapped category to one it knows', () => {
    const known = (name: string) => Object.keys(bundle.file.encoders.find((encoder) => encoder.name === name)?.levels ?? {});
    const map = JSON.parse(readFileSync(join(import.meta.dirname, 'service-map.json'), 'utf8')) as { treatments: { treatment: string }[]; diagnoses: { diagnosis: string }[] };
    expect(map.treatments.filter(({ treatment }) => !known('treatment').includes(treatment))).toEqual([]);
    expect(map.diagnoses.filter(({ diagnosis }) => !known('diagnosis').includes(diagnosis))).toEqual([]);
  });

  it('gives an outlook with what it was checked on', () => {
    const outlook = outlookOf(service(CODE_SYSTEMS.hcpcs, 'K0823', 'G82.20'));
    expect(outlook).toMatchObject({ likenedTo: { diagnosis: 'Central Nervous System/ Neuromuscular', treatment: 'Durable Medical Equipment' }, learntFrom: { from: 2001, to: 2015 }, checked: { year: 2016 } });
    expect(outlook?.overturned).toBeGreaterThan(0.05);
    expect(outlook?.overturned).toBeLessThan(0.95);
    expect(outlook?.likeCases).toBeGreaterThan(100);
  });

  it.each([
    ['an unknown service', service(CODE_SYSTEMS.hcpcs, 'Z9999', 'J44.9')],
    ['an unknown diagnosis', service(CODE_SYSTEMS.hcpcs, 'E1390', 'Z00.0')],
    ['no diagnosis', service(CODE_SYSTEMS.hcpcs, 'E1390')],
    ['a code of another system', service('http://snomed.info/sct', 'E1390', 'J44.9')],
  ])('gives none for %s', (_what, of) => {
    expect(outlookOf(of)).toBeNull();
  });

  it.each([
    ['hcpcs', 'E0601', 'G47.33', 'C-Pap Machine', 'Sleep Apnea'],
    ['hcpcs', 'K0800', 'M17.11', 'Electric Scooter', 'Osteoarthritis'],
    ['cpt', '75561', 'I42.0', 'MRI', 'Cardiomyopathy'],
    ['cpt', '78452', 'R07.9', 'Other', 'Chest pain'],
    ['cpt', '64615', 'G43.709', 'Botox Injection', 'Headache/Migraine'],
  ] as const)('likens %s %s for %s', (system, code, reason, treatmentDetail, diagnosisDetail) => {
    expect(readLikening()(service(CODE_SYSTEMS[system], code, reason))).toMatchObject({ treatmentDetail, diagnosisDetail });
  });
});

describe('training on the real determinations', () => {
  const path = join(import.meta.dirname, '../../../shared/data/imr-california/imr-determinations-2001-2016.csv');
  const there = existsSync(path);
  if (!there) console.log('left out: ../shared/data/imr-california is not here');

  it.runIf(there)('gives the shipped figures again', async () => {
    const { report, bundle } = readShippedAppeals();
    const again = await trainAppeals(readImrFile(readFileSync(path, 'utf8')), 2016, bundle.file.trainedAt);
    expect(again.evaluation.areaUnderRoc).toEqual(report.years.at(-1)?.areaUnderRoc);
    expect(again.bundle.file.forest).toEqual(bundle.file.forest);
  }, 20_000);
});
