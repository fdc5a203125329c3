import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const PACKAGES = fileURLToPath(new URL('../../../shared/igs', import.meta.url));
const FIXTURES = fileURLToPath(new URL('../validation/fixtures/', import.meta.url));

function run(command: 'validate' | 'generate', args: readonly string[], input = ''): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [fileURLToPath(new URL(`./${command}.ts`, import.meta.url)), ...args], { encoding: 'utf8', input });
}

describe('validate', () => {
  let folder = '';
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'validate-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('exits 0 and counts what is not verified', () => {
    const { status, stdout } = run('validate', [`${FIXTURES}request-2.0.1.json`]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/no error \(0 errors, \d+ warnings, 0 notes, \d+ not verified\)/);
    expect(stdout).toContain('not verified:');
  });

  it('exits 1 on an error and names the path', () => {
    const { status, stdout } = run('validate', [file('patient.json', '{"resourceType":"Patient","birthDate":"1970-02-30"}')]);
    expect(status).toBe(1);
    expect(stdout).toContain('Patient.birthDate');
  });

  it('--ig picks the version', () => {
    expect(run('validate', [`${FIXTURES}response-2.2.1.json`, '--ig', 'pas-2.2.1']).status).toBe(0);
  });

  it('--json gives one object a file, - reads standard input', () => {
    const { status, stdout } = run('validate', ['-', '--json', '--profile', 'http://hl7.org/fhir/us/davinci-pas/StructureDefinition/profile-insurer'], '\uFEFF{"resourceType":"Organization"}');
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ file: '-', valid: false, issues: expect.arrayContaining([expect.objectContaining({ code: 'cardinality-min', path: 'Organization.name' })]) });
  });

  it.each([
    ['no file', [], 'Name at least one file'],
    ['an unknown guide', ['x.json', '--ig', 'pas-9'], 'Unknown guide pas-9'],
    ['an unknown option', ['x.json', '--fast'], '--fast'],
    ['a file that is not there', ['/nowhere/x.json'], '/nowhere/x.json: cannot be read'],
  ])('exits 2 on %s and says why', (_name, args, words) => {
    const { status, stderr } = run('validate', args);
    expect(status).toBe(2);
    expect(stderr).toContain(words);
  });

  it('exits 2 when one of several files is no JSON, and still reports the others', () => {
    const { status, stdout, stderr } = run('validate', [file('broken.json', '{'), file('basic.json', '{"resourceType":"Basic","code":{"text":"x"}}')]);
    expect(status).toBe(2);
    expect(stderr).toContain('broken.json: is not JSON');
    expect(stdout).toContain('basic.json: no error');
  });
});

describe('generate', () => {
  const hasPackages = existsSync(PACKAGES);
  if (!hasPackages) console.warn('left out: whether the committed tables are current, because ../shared/igs is not there');

  it.skipIf(!hasPackages)('the committed tables are current', () => {
    const { status, stdout } = run('generate', [PACKAGES, '--check']);
    expect(stdout).toContain('files are current');
    expect(status).toBe(0);
  });

  it('exits 2 without a folder, and when packages are missing', () => {
    expect(run('generate', []).status).toBe(2);
    const { status, stderr } = run('generate', [tmpdir()]);
    expect(status).toBe(2);
    expect(stderr).toContain('pas-2.0.1.tgz');
  });
});
