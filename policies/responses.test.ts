import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { loadPolicies } from './load-policies.ts';

const LIBRARY = join(import.meta.dirname, 'library');
const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

/** A folder with one policy of the library, changed. */
function changed(policy: string, from: string | RegExp, to: string): { readonly folder: string; readonly text: string } {
  const folder = mkdtempSync(join(tmpdir(), 'policies-'));
  folders.push(folder);
  const before = readFileSync(join(LIBRARY, `${policy}.json`), 'utf8');
  const text = before.replace(from, to);
  expect(text).not.toBe(before);
  writeFileSync(join(folder, `${policy}.json`), text);
  return { folder, text };
}
const messageOf = (load: () => unknown): string => {
  try {
    load();
    return '';
  } catch (error) {
    return String(error);
  }
};

/** Each fault, the element that is named, and what stands on the line that is named. */
describe('a bad response stops the start with file, line and fault', () => {
  it.each<[string, string, string | RegExp, string, RegExp, string]>([
    ['an unknown type', 'cardiac-mri', '"type": "instructions"', '"type": "advice"', /responses\.1\.type: /, '"advice"'],
    ['a criterion that is not there', 'cardiac-mri', '"prior-echo": "met", "echo-inconclusive"', '"prior-echo": "met", "echo-bad"', /responses\.1\.when\.criteria\.echo-bad: no criterion of this revision has the id echo-bad/, 'echo-bad'],
    ['an unknown status', 'cardiac-mri', '"criteria": { "prior-echo": "unknown" }', '"criteria": { "prior-echo": "maybe" }', /responses\.0\.when\.criteria: always, all-met, any-open, any-not-met, or/, 'maybe'],
    ['an unknown hook', 'cardiac-mri', '"hooks": ["order-select", "order-sign"]', '"hooks": ["order-review"]', /responses\.0\.when\.hooks\.0: /, 'order-review'],
    ['FHIRPath that does not compile', 'pap-device', /"order": "parameter[^"]*"/, '"order": "parameter.where("', /responses\.0\.when\.order: not a FHIRPath expression/, 'parameter.where('],
    ['a placeholder that is none', 'cardiac-mri', '{{service}}', '{{patientName}}', /responses\.0\.summary: \{\{…\}\} may be one of service, code/, 'patientName'],
    ['a summary that is too long', 'cardiac-mri', 'comes before {{service}}', `comes before ${'x'.repeat(120)}`, /responses\.0\.summary: /, 'xxxx'],
    ['coverage-info as a card', 'cardiac-mri', '"topic": "guideline"', '"topic": "coverage-info"', /responses\.0\.topic: /, 'coverage-info'],
    ['an address that is not https', 'nuclear-stress-test', 'https://payer.openpriorauth.org/apps', 'http://payer.openpriorauth.org/apps', /app\.url: an https address/, 'http://payer'],
    ['an order without code', 'cardiac-mri', /,\s*"code": \{[^}]*"93306"[^}]*\}/, '', /orders\.0\.order: code if, and only if/, '"order": {'],
    ['an order that names its patient', 'cardiac-mri', '"resourceType": "ServiceRequest",', '"resourceType": "ServiceRequest", "elements": { "subject": {} },', /orders\.0\.order: elements are filled in and may not be named/, '"order": {'],
    ['a change of identity', 'pap-device', '"change": {\n                "set": { "parameter"', '"change": {\n                "set": { "id": "x", "parameter"', /alternatives\.0\.change: may not touch/, '"change"'],
    ['neither change nor replacement', 'nuclear-stress-test', /,\s*"replaceBy": \{[\s\S]*?\n {14}\}/, '', /alternatives\.0: either change or replaceBy/, '{'],
    ['a form that DTR fills in', 'pap-device', 'Questionnaire/pap-trial-report|1.0.0', 'Questionnaire/pap-device|1.0.0', /responses\.1\.questionnaire: is one of the revision's questionnaires/, 'pap-device|1.0.0'],
    ['a mistyped key', 'cardiac-mri', '"overrideReasons"', '"overideReasons"', /responses\.0\.overideReasons: there is no element/, 'overideReasons'],
    ['two of one id', 'cardiac-mri', '"id": "echo-report"', '"id": "echo-first"', /responses: two responses have the same id/, '"responses"'],
  ])('%s', (_name, policy, from, to, fault, onLine) => {
    const { folder, text } = changed(policy, from, to);
    const message = messageOf(() => loadPolicies(folder));
    expect(message).toMatch(fault);
    const line = Number(new RegExp(`${policy}\\.json:(\\d+): revisions\\.0\\.responses`).exec(message)?.[1]);
    expect(text.split('\n')[line - 1]).toContain(onLine);
  });
  it('a response to every order that goes by criteria', () => {
    const folder = mkdtempSync(join(tmpdir(), 'policies-'));
    folders.push(folder);
    const file = join(folder, 'default.json');
    writeFileSync(file, readFileSync(join(import.meta.dirname, 'default.json'), 'utf8').replace('"criteria": "always"', '"criteria": "any-open"'));
    expect(() => loadPolicies(LIBRARY, file)).toThrow(/default\.json:\d+: everyOrder: when\.criteria must be always/);
  });
  it('a form without version', () => {
    const folder = mkdtempSync(join(tmpdir(), 'forms-'));
    folders.push(folder);
    writeFileSync(join(folder, 'a.json'), '{\n  "resourceType": "Questionnaire",\n  "url": "https://x.example/q",\n  "status": "active"\n}');
    expect(() => loadPolicies(LIBRARY, undefined, folder)).toThrow(/a\.json:\d+: version: /);
  });
});

it('forms are found by canonical with version', () => {
  const library = loadPolicies();
  expect(library.form('https://payer.openpriorauth.org/fhir/Questionnaire/pap-trial-report|1.0.0')?.title).toMatch(/^Report after the trial/);
  expect(library.form('https://payer.openpriorauth.org/fhir/Questionnaire/pap-trial-report|2.0.0')).toBeUndefined();
});
