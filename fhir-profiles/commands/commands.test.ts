import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { ValidationIssue } from '../validation/validator.ts';
import { readResources } from './read-resources.ts';
import { reportText } from './report-text.ts';

const PACKAGES = fileURLToPath(new URL('../../../shared/igs', import.meta.url));
const FIXTURES = fileURLToPath(new URL('../validation/fixtures/', import.meta.url));

const UNREADABLE: Readonly<Record<string, string>> = {
  'a folder': 'is a folder: name the files in it, such as FOLDER/*.json',
  nothing: 'is empty',
  blanks: 'is empty',
  'UTF-16': 'is in UTF-16; save it as UTF-8',
  'Latin-1': 'is not in UTF-8, which FHIR requires',
  'a word that is no JSON': 'is not JSON: line 2, column 17',
  'a comma before a bracket': 'is not JSON: line 1, column 16',
  'a comma that is missing': 'is not JSON: line 1, column 15',
  'a cut file': 'is not JSON: it ends too early',
};

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
    expect(stdout).toMatch(/no error \(0 errors, \d+ warnings?, \d+ notes?, \d+ not verified\)/);
    expect(stdout).toContain('Also in pas-2.2.1: --ig picks one');
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
    ['an unknown guide', ['x.json', '--ig', 'pas-9'], 'Unknown guide "pas-9"'],
    ['an unknown option', ['x.json', '--fast'], '--fast'],
    ['an unknown profile', ['-', '--profile', 'http://example.org/none'], '--profile: http://example.org/none is in none of the guides'],
    ['a file that is not there', ['/nowhere/x.json'], '/nowhere/x.json: there is no such file'],
  ])('exits 2 on %s and says why', (_name, args, words) => {
    const { status, stderr } = run('validate', args, '{"resourceType":"Parameters"}');
    expect(status).toBe(2);
    expect(stderr).toContain(words);
  });

  it('exits 2 when one of several files is no JSON, and still reports the others', () => {
    const { status, stdout, stderr } = run('validate', [file('broken.json', '{'), file('basic.json', '{"resourceType":"Basic","code":{"text":"x"}}')]);
    expect(status).toBe(2);
    expect(stderr).toContain('broken.json: is not JSON');
    expect(stdout).toContain('basic.json: no error');
    expect(stdout).toContain('1 without error, 0 not valid, 1 not readable');
  });

  it('--help exits 0', () => {
    const { status, stdout } = run('validate', ['--help']);
    expect(status).toBe(0);
    expect(stdout).toContain('--verbose');
  });

  it('NDJSON: one JSON object for each resource, also for one that cannot be read', () => {
    const { status, stdout } = run('validate', ['-', '--json'], '{"resourceType":"Parameters"}\n\n{"resourceType":\n{"resourceType":"Basic"}\n');
    expect(status).toBe(2);
    expect(stdout.trim().split('\n').map((line) => JSON.parse(line) as unknown)).toEqual([
      { file: '-', line: 1, valid: true, guide: 'pas-2.0.1', profiles: ['http://hl7.org/fhir/StructureDefinition/Parameters'], issues: [] },
      { file: '-', line: 3, valid: false, unreadable: 'is not JSON: it ends too early' },
      expect.objectContaining({ file: '-', line: 4, valid: false }),
    ]);
  });

  it.each([
    ['a folder', FIXTURES],
    ['nothing', Buffer.from('')],
    ['blanks', Buffer.from(' \n')],
    ['UTF-16', Buffer.from('\uFEFF{}', 'utf16le')],
    ['Latin-1', Buffer.from('{"a":"ü"}', 'latin1')],
    ['a word that is no JSON', Buffer.from('{"a":\n "Okafor", "b": Okafor}')],
    ['a comma before a bracket', Buffer.from('{"a":["Okafor",]}')],
    ['a comma that is missing', Buffer.from('{"a":"Okafor" "b":1}')],
    ['a cut file', Buffer.from('{"a":"Okafor')],
  ])('what is wrong with %s, without quoting it', (name, content) => {
    const path = typeof content === 'string' ? content : join(folder, 'odd.json');
    if (typeof content !== 'string') writeFileSync(path, content);
    expect(readResources(path)).toEqual([{ file: path, kind: 'unreadable', why: UNREADABLE[name] }]);
  });

  const note = (path: string): ValidationIssue => ({ severity: 'information', code: 'extension-unknown', path, message: 'https://example.org/own is unknown' });
  const error = (path: string): ValidationIssue => ({ severity: 'error', code: 'empty', path, message: 'is null' });
  const open = (path: string): ValidationIssue => ({ severity: 'information', code: 'binding-not-verified', path, message: `list of ${path}`, notVerified: true });
  const issues = [note('A.b'), open('A.c'), note('A.d'), error('A.item[0].x'), open('A.e'), error('A.item[4].x'), error('A.y')];

  it('the text has errors first, and what differs only in its place once', () => {
    expect(reportText('f', { valid: false, profiles: ['http://p'], issues }, false)).toBe(`f: NOT VALID (3 errors, 0 warnings, 2 notes, 2 not verified)
  against http://p
  error    A.item[0].x and 1 more place
           is null [empty]
  error    A.y
           is null [empty]
  note     A.b and 1 more place
           https://example.org/own is unknown [extension-unknown]
  not verified:
    2 × codes of lists that are in none of the packages [binding-not-verified]
  --verbose lists each finding.`);
  });

  it('--verbose has each of them', () => {
    const text = reportText('f', { valid: false, profiles: [], issues }, true);
    expect(issues.filter(({ path }) => !text.includes(` ${path}\n`))).toEqual([]);
    expect(text.indexOf('A.y')).toBeLessThan(text.indexOf('A.b'));
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
