import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainingTable } from '#models/dataset.ts';
import type { ModelBundle } from '#models/model-file.ts';
import { openStore } from '#store/database.ts';
import { smallModel, smallTable } from '#test-fixtures/trained-models.ts';
import { ArgumentsError, readArguments } from './arguments.ts';
import { evaluateShipped } from './evaluate-models.ts';
import { openModelDesk } from './model-desk.ts';
import { toldEvaluation, toldGate, toldModels, toldTraining } from './told.ts';
import { bundleFrom, putDown } from './train-models.ts';

describe('arguments', () => {
  it.each<[string, string]>([
    ['', 'Which command'],
    ['fly', 'no command "fly"'],
    ['list more', 'too much'],
    ['list --colour', 'colour'],
    ['train --rows 10', '--rows'],
    ['train --rows many', '--rows'],
    ['train --seed -1', '--seed'],
    ['train --kind weather', '--kind'],
    ['train --kind appeal', '--data'],
    ['train --from decisions', '--register'],
    ['train --register', '--why'],
    ['promote', 'needs a version'],
    ['promote 1234', '--why'],
    ['promote 1234 --why x --to retired', '--to'],
    ['promote 1234 --why x --share 1', '--share'],
    ['rollback', '--why'],
    ['export 1234', '--out'],
    ['register', 'folder or file'],
  ])('"%s" is refused and says why', (line, words) => {
    const read = () => readArguments(line.split(' ').filter(Boolean));
    expect(read).toThrow(ArgumentsError);
    expect(read).toThrow(words);
  });

  it('are read with their defaults', () => {
    expect(readArguments(['train'])).toMatchObject({ command: 'train', kind: 'denial-risk', from: 'simulator', rows: 40_000, json: false });
    expect(readArguments(['promote', 'abcd', '--why', 'x', '--share', '0.2'])).toMatchObject({ subject: 'abcd', share: 0.2 });
    expect(readArguments(['--help'])).toBe('help');
  });
});

describe('the shipped models', () => {
  it('are measured with data set, split, intervals, subgroups and a plain logistic regression beside', async () => {
    const evaluated = await evaluateShipped({ rows: 6_000, seed: 5 }, undefined);
    const [denial, ...appeals] = evaluated;
    expect([denial?.model, denial?.evaluation.simulated, appeals.length]).toEqual(['denial-risk', true, 3]);
    for (const each of evaluated) {
      const told = toldEvaluation(each);
      for (const words of ['Split: ', '| AUC |', '| Brier score |', '| calibration error |', 'plain logistic regression', '| sex | female |', each.evaluation.source.slice(0, 20)]) expect(told).toContain(words);
      expect(told.includes('simulated')).toBe(each.model === 'denial-risk');
    }
    // A year ahead, the external reviews give no more than this.
    for (const { evaluation } of appeals) expect(evaluation.areaUnderRoc.value).toBeGreaterThan(0.6);
    for (const { evaluation } of appeals) expect(evaluation.areaUnderRoc.value).toBeLessThan(0.7);
  });
});

describe('the desk in the database', () => {
  let folder: string;
  let table: TrainingTable;
  let bundle: ModelBundle;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'model-desk-'));
    table = smallTable();
    bundle = await smallModel(table, 2);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('registers what was put down and takes it out again', async () => {
    const desk = await openModelDesk({ DATA_DIR: join(folder, 'data') });
    try {
      putDown(bundle, join(folder, 'out'));
      const read = await bundleFrom(join(folder, 'out'), true, async () => table, 1, {});
      expect(await desk.register(read, 'A test')).toMatchObject({ version: bundle.file.version, stage: 'candidate', registeredBy: 'operator' });
      expect(toldTraining(read.file)).toContain('simulated');
      expect(toldModels(await desk.list())).toMatch(new RegExp(`${bundle.file.version} {2}denial-risk {2}candidate, simulated`));
      await expect(desk.promote(bundle.file.version, { why: 'A test' })).rejects.toMatchObject({ code: 'MODEL_OWN_APPROVAL' });
      expect(await desk.bundle(bundle.file.version.slice(0, 8))).toMatchObject({ file: bundle.file });
      expect(await desk.monitor('denial-risk')).toMatchObject({ scores: 0 });
      await expect(desk.rollback('denial-risk', 'A test')).rejects.toMatchObject({ code: 'MODEL_STEP_NOT_ALLOWED' });
    } finally {
      await desk.close();
    }
  });

  it('asks for a token where another process has the database open, and knows no stranger', async () => {
    const dataDir = join(folder, 'taken');
    const other = await openStore({ dataDir });
    await expect(openModelDesk({ DATA_DIR: dataDir })).rejects.toThrow('MODEL_TOKEN');
    await other.close();
    await expect(openModelDesk({ DATA_DIR: dataDir, MODEL_TOKEN: 'unknown' })).rejects.toMatchObject({ code: 'MODEL_ROLE_NEEDED' });
  });

  it('takes XGBoost’s trees as a candidate for the same gate', async () => {
    const file = join(import.meta.dirname, '..', '..', '..', 'test-fixtures', 'models-elsewhere', 'denial-risk-xgboost.json');
    const imported = await bundleFrom(file, false, async () => table, 1, {});
    const desk = await openModelDesk({ DATA_DIR: join(folder, 'data') });
    try {
      expect(await desk.register(imported, 'Trained elsewhere')).toMatchObject({ stage: 'candidate', origin: 'imported', importedFrom: { format: 'xgboost' } });
      const report = await desk.gate(imported.file.version);
      expect(toldGate(report)).toContain('✗ no-worse-than-live');
      expect(report.checks.filter(({ passed }) => !passed).map(({ code }) => code)).toEqual(['no-worse-than-live']);
      expect((await desk.card(imported.file.version)).limits.join()).toContain('trained elsewhere (xgboost)');
    } finally {
      await desk.close();
    }
  });

  it('refuses a file that is no model', async () => {
    await expect(bundleFrom(import.meta.filename, false, async () => table, 1, {})).rejects.toMatchObject({ code: 'MODEL_IMPORT_REFUSED' });
    await expect(bundleFrom(join(folder, 'nothing'), false, async () => table, 1, {})).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
