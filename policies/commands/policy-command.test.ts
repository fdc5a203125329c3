import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runPolicyCommand } from './policy-command.ts';

const shipped = join(import.meta.dirname, '..');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'policy-command-'));
  for (const part of ['library', 'tests', 'payers.json', 'default.json', 'forms']) cpSync(join(shipped, part), join(folder, part), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

const policyFile = (id: string): string => join(folder, 'library', `${id}.json`);
const change = (id: string, from: string | RegExp, to: string): void => {
  const before = readFileSync(policyFile(id), 'utf8');
  expect(before.replace(from, to)).not.toBe(before);
  writeFileSync(policyFile(id), before.replace(from, to));
};
const lineOf = (id: string, part: string): number => readFileSync(policyFile(id), 'utf8').split('\n').findIndex((line) => line.includes(part)) + 1;

async function run(args: readonly string[], confirm?: boolean): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runPolicyCommand(args, {
    policies: folder,
    questionnaires: join(shipped, '../payer/questionnaires/forms'),
    hcpcs: join(folder, 'hcpcs'),
    today: '2026-11-22',
    print: (line) => out.push(line),
    complain: (line) => err.push(line),
    confirm: confirm === undefined ? undefined : async () => confirm,
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('a command that is not understood', () => {
  it.each([[[]], [['chek']], [['check', '--loud']], [['show']], [['show', 'E0601', 'E0470']], [['diff', 'blepharoplasty', '2020.1']], [['import', 'x.csv']]])('%j', async (args) => {
    const { code, err } = await run(args);
    expect(code).toBe(2);
    expect(err).toContain('Usage: npm run policy');
  });
  it.each<[readonly string[], string]>([
    [['check', 'nowhere.json'], 'There is no file nowhere.json.'],
    [['check', '--hcpcs', 'nowhere.csv'], 'There is no file nowhere.csv.'],
    [['show', 'no-policy'], '"no-policy" is neither a policy of'],
    [['show', 'E0601', '--date', '2026-02-30'], '--date: "2026-02-30" is no date'],
    [['show', 'E0601', '--payer', 'nobody'], 'There is no payer "nobody". There are: cascade-medicare'],
    [['show', 'E0601', '--state', 'Ohio'], '--state: "OHIO" is no state'],
    [['show', 'E0601', '--state', 'ZZ'], '--state: "ZZ" is no state'],
    [['diff', 'nothing', '1', '2'], 'There is no policy "nothing".'],
    [['diff', 'blepharoplasty', '2020.1', '2030.1'], 'blepharoplasty has no revision "2030.1". It has: 2020.1'],
    [['import', 'x.csv', '--policy', 'blepharoplasty', '--revision', '2022.1'], 'There is no file x.csv.'],
    [['test', 'nothing'], 'There is no policy "nothing".'],
  ])('%j: what it names is not there: one line, without the usage', async (args, words) => {
    const { code, err } = await run(args);
    expect(code).toBe(2);
    expect(err).toContain(words);
    expect(err.split('\n')).toHaveLength(1);
  });
  it.each(['--help', '-h', 'help'])('%s is', async (given) => expect(await run([given])).toMatchObject({ code: 0, err: '', out: expect.stringContaining('Usage: npm run policy') as unknown }));
});

describe('check', () => {
  it('finds nothing in the library that ships', async () => {
    const { code, out } = await run(['check', '--strict']);
    expect(out).toContain(': 0 errors, 0 warnings.');
    expect(out).toContain('HCPCS codes were not looked up');
    expect(code).toBe(0);
  });
  it.each<[string, string, string | RegExp, string, string, string]>([
    ['an expression that is none', 'vein-ablation', '"%evidence.exists()"', '"%evidence.exists("', '%evidence.exists("', 'criterion compression: record is no FHIRPath'],
    ['an element that is none', 'vein-ablation', '"covered":', '"note": "x", "covered":', '"note"', 'there is no element note here'],
    ['a word that is not in the list', 'vein-ablation', '"auth-needed"', '"perhaps"', '"perhaps"', 'must be '],
    ['an element that is missing', 'vein-ablation', /"denial": "[^"]*"/, '"x": 1', '"decision"', 'is missing, or is no string'],
    ['a code in another spelling', 'pap-device', '"E0601"', '"e0601"', 'e0601', 'names e0601, which is written E0601'],
    ['another spelling of the code system', 'pap-device', '"http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"', '"https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"', 'https://www.cms.gov/Medicare/Coding/HCPCS', 'revisions.0.services.0.system: must be http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets'],
    ['a code of another system', 'vein-ablation', '"codes": ["36473"', '"codes": ["E0470", "36473"', 'E0470', 'revisions.0.services.0.codes.0: E0470 is a code of http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets: name it in an entry of its own'],
    ['another spelling of the system of an order', 'cardiac-mri', '"system": "http://www.ama-assn.org/go/cpt", "code": "93306"', '"system": "https://www.ama-assn.org/go/cpt", "code": "93306"', 'https://www.ama-assn.org/go/cpt', 'orders.0.order.code.system: must be http://www.ama-assn.org/go/cpt'],
    ['an enumeration that may be null', 'vein-ablation', '"documentation": "clinical"', '"documentation": "none"', '"documentation"', 'revisions.0.documentation: must be clinical, admin, both, conditional, or null'],
    ['an object that may be null', 'vein-ablation', /"decision": \{[^}]*\}/, '"decision": "automatic"', '"decision"', 'revisions.0.decision: is missing, or is neither object nor null'],
    ['a text that may be null', 'vein-ablation', /"instructions": "[^"]*"/, '"instructions": ""', '"instructions"', 'revisions.0.instructions: must have 1 or more characters, or be null'],
    ['a decision that is missing', 'vein-ablation', /"decision": \{[^}]*\}/, '"decision": null', '"decision": null', 'needs an authorization, so it needs a decision'],
  ])('error: %s', async (_name, id, from, to, at, message) => {
    change(id, from, to);
    const { code, out } = await run(['check']);
    expect(code).toBe(1);
    const line = lineOf(id, at);
    const { findings } = JSON.parse((await run(['check', '--json'])).out) as { findings: readonly { line: number }[] };
    expect(findings).toContainEqual({ severity: 'error', file: policyFile(id), line, message: expect.stringContaining(message) as unknown });
    expect(out).toContain(`${id}.json:${findings[0]?.line}: error: `);
  });
  it.each<[string, string, string | RegExp, string, string]>([
    ['two policies for one code', 'panniculectomy', '"15830"', '"15830", "30400"', 'rhinoplasty and panniculectomy (panniculectomy.json) both name 30400 for cascade-medicare from 2020-07-01'],
    ['a payer that is not there', 'panniculectomy', '"cascade-medicare"', '"cascade"', 'payer cascade is not one of payers.json'],
    ['a form that the payer has not', 'panniculectomy', '"questionnaires": []', '"questionnaires": ["https://payer.example/q|1"]', 'the payer has no questionnaire https://payer.example/q|1'],
    ['a criterion that no answer decides', 'pap-device', /"record": "%evidence.exists\(\)",\s*"submission": "[^"]*"/, '"record": "%evidence.exists()"', 'criterion osa-diagnosis says no submission'],
    ['a phase that begins before its revision', 'upper-limb-orthosis', '"from": "2026-10-28"', '"from": "2026-10-01"', 'the phase begins on 2026-10-01, but revision 2026.1 only on 2026-10-28: before that day it says nothing'],
    ['a phase that ends after its revision', 'facet-joint-intervention', /"services": \[\s*\{ /, '"services": [{ "to": "2024-08-16", ', 'the phase ends on 2024-08-16, but revision 2023.1 already on 2024-08-15: after that day it says nothing'],
    ['days between two revisions', 'blepharoplasty', '2022-01-06', '2021-12-31', 'no revision holds from 2022-01-01 until 2022.1 begins on 2022-01-07'],
    ['a form that nobody has', 'pap-device', 'Questionnaire/pap-trial-report|1.0.0', 'Questionnaire/pap-trial|1.0.0', 'nobody has the questionnaire https://payer.openpriorauth.org/fhir/Questionnaire/pap-trial|1.0.0'],
    ['an approval of everything', 'vein-ablation', /"criteria": \[[\s\S]*\],\s*"decision"/, '"criteria": [], "decision"', 'revision 2020.1 has no criteria and is decided automatically: the payer would approve an empty chart'],
    ['a revision that nothing reaches', 'resting-ecg', /"codes": \["93000", "93005", "93010"\]\}/, '"codes": ["93000"], "to": "1990-01-01" }', 'these services are never named'],
  ])('warning: %s', async (_name, id, from, to, message) => {
    change(id, from, to);
    const { code, out } = await run(['check']);
    expect(out).toMatch(/\.json:\d+: warning: /);
    expect(out).toContain(message);
    expect(code).toBe(0);
    expect((await run(['check', '--strict'])).code).toBe(1);
  });
  it('error: what the start would refuse beside the library', async () => {
    const file = join(folder, 'default.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"status": "cancelled"', '"status": "over"'));
    writeFileSync(join(folder, 'forms', 'a.json'), '{ "resourceType": "Questionnaire", "url": "https://x.example/q", "status": "active" }');
    const { code, out } = await run(['check']);
    expect(code).toBe(1);
    expect(out).toMatch(/default\.json:\d+: error: everyOrder\.1\.change\.set\.status: over is not in http:/);
    expect(out).toContain('a.json:1: error: version: is missing, or is no string');
  });
  it('warning: a policy without cases', async () => {
    rmSync(join(folder, 'tests', 'rhinoplasty.json'));
    const { code, out } = await run(['check', '--strict']);
    expect(out).toContain(`${policyFile('rhinoplasty')}:2: warning: the policy has no cases: write ${join(folder, 'tests', 'rhinoplasty.json')}, as docs/policies.md tells\n`);
    expect(out).toContain(': 0 errors, 1 warning.');
    expect(code).toBe(1);
  });
  it('error: a file that is not UTF-8, with the line', async () => {
    const text = readFileSync(policyFile('vein-ablation'), 'utf8').replace('"title": "', '"title": "Respiré ');
    writeFileSync(policyFile('vein-ablation'), text, 'latin1');
    const { code, out } = await run(['check', policyFile('vein-ablation')]);
    expect(code).toBe(1);
    expect(out).toContain(`vein-ablation.json:${lineOf('vein-ablation', '"title"')}: error: is not UTF-8: save the file in that encoding\n`);
  });
  it('warning: a form for every order that nobody has', async () => {
    const file = join(folder, 'default.json');
    const form = { id: 'f', type: 'form-completion', when: { criteria: 'always' }, summary: 's', label: 'l', questionnaire: 'https://x.example/q|1', afterCompletion: 'prior-auth-include' };
    const read = JSON.parse(readFileSync(file, 'utf8')) as { everyOrder: readonly object[] };
    writeFileSync(file, JSON.stringify({ ...read, everyOrder: [form, ...read.everyOrder] }, null, 1));
    const line = readFileSync(file, 'utf8').split('\n').findIndex((each) => each.includes('"https://x.example/q|1"')) + 1;
    expect((await run(['check'])).out).toContain(`${file}:${line}: warning: nobody has the questionnaire https://x.example/q|1`);
  });
  const casesFile = (id: string): string => join(folder, 'tests', `${id}.json`);
  it('error: cases that are no JSON, also of one file', async () => {
    writeFileSync(casesFile('vein-ablation'), '{ "policy": "vein-ablation",\n"cases": [ }');
    for (const files of [[], [policyFile('vein-ablation')]]) {
      const { code, out } = await run(['check', ...files]);
      expect(code).toBe(1);
      expect(out).toContain(`${casesFile('vein-ablation')}:2: error: not JSON: `);
    }
    expect(await run(['check', policyFile('rhinoplasty')])).toMatchObject({ code: 0 });
  });
  it.each<[string, object, string, string]>([
    ['another policy', { policy: 'rhinoplasty' }, '"policy"', 'policy: names rhinoplasty, but the file is that of vein-ablation'],
    ['a revision that is not there', { revision: '2026' }, '"revision"', 'cases.0.revision: vein-ablation has no revision 2026; it has: 2020.1'],
    ['a criterion that is not there', { criteria: { reflix: 'met' } }, '"reflix"', 'cases.0.criteria.reflix: revision 2020.1 has no criterion reflix; it has: symptomatic-veins, reflux, compression'],
    ['a mistyped day', { record: [{ resourceType: 'Observation', effectiveDateTime: 'tody-10' }] }, '"tody-10"', 'cases.0.record.0.effectiveDateTime: is no valid dateTime: expected a date, or a date with time and zone such as 2026-11-22T10:00:00Z or, in a case, today-10'],
    ['a mistyped day inside', { both: [{ resourceType: 'Condition', onsetPeriod: { start: 'tday-10' } }] }, '"tday-10"', 'cases.0.both.0.onsetPeriod.start: is no valid dateTime'],
    ['a mistyped day of an answer', { answers: { 'trial-day': { valueDate: 'tody-10' } } }, '"tody-10"', 'cases.0.answers.trial-day.valueDate: is no valid date'],
    ['a mistyped element', { submission: [{ resourceType: 'Observation', valueQuanttity: { value: 3 } }] }, '"valueQuanttity"', 'cases.0.submission.0.valueQuanttity: valueQuanttity is not allowed here'],
    ['an element that is none', { record: [{ resourceType: 'Observation', efectiveDateTime: 'today-10' }] }, '"efectiveDateTime"', 'cases.0.record.0.efectiveDateTime: is no element of Observation'],
  ])('warning: cases of %s', async (_name, { policy = 'vein-ablation', ...more }: { policy?: string }, at, message) => {
    const text = JSON.stringify({ policy, cases: [{ name: 'x', outcome: 'unknown', ...more }] }, null, 1);
    writeFileSync(casesFile('vein-ablation'), text);
    const line = text.split('\n').findIndex((each) => each.includes(at)) + 1;
    const { findings } = JSON.parse((await run(['check', '--json'])).out) as { findings: readonly object[] };
    expect(findings).toEqual([{ severity: 'warning', file: casesFile('vein-ablation'), line, message: expect.stringContaining(message) as unknown }]);
  });
  it('a revision that nothing reaches is named as such', async () => {
    change('resting-ecg', /"codes": \["93000", "93005", "93010"\]\}/, '"codes": ["93000"], "to": "1990-01-01" }');
    expect((await run(['check'])).out).toMatch(/resting-ecg\.json:\d+: warning: revision .* cannot be reached/);
  });
  it('warns of codes that the HCPCS list does not know, unless their time was over before it', async () => {
    mkdirSync(join(folder, 'hcpcs'));
    const codes = 'A0426 A0428 L5856'.split(' ').map((code) => `${code},x,E1,,2026-04`);
    writeFileSync(join(folder, 'hcpcs', 'hcpcs-level2-2026-04.csv'), `HCPCSCode,ShortDescriptor\n${codes.join('\n')}\n`);
    const { out } = await run(['check']);
    expect(out).toContain('HCPCS of 2026-04-01 does not know E0601');
    expect(out).not.toMatch(/know (A0426|G0297)/);
    expect(out).not.toContain('not looked up');
  });
  const shared = join(shipped, '../../shared/data/hcpcs/hcpcs-level2-2026-04.csv');
  if (!existsSync(shared)) console.log('Left out: the HCPCS codes of the library against ../shared/data/hcpcs, which is not there.');
  it.skipIf(!existsSync(shared))('knows every HCPCS code of the library', async () => {
    expect(await run(['check', '--strict', '--hcpcs', shared])).toMatchObject({ code: 0, out: expect.stringContaining('0 warnings') as unknown });
  });
  it('of one file reports that file only, beside the others', async () => {
    change('panniculectomy', '"cascade-medicare"', '"cascade"');
    const other = await run(['check', policyFile('rhinoplasty')]);
    expect(other.out).toContain('1 policy checked: 0 errors, 0 warnings.');
    expect((await run(['check', policyFile('panniculectomy')])).out).toContain('payer cascade is not one');
  });
});

it('names files as seen from where it runs', () => {
  const command = join(import.meta.dirname, 'policy.ts');
  const inRoot = spawnSync(process.execPath, [command, 'show', 'no-policy'], { cwd: join(shipped, '..'), encoding: 'utf8' });
  expect([inRoot.status, inRoot.stderr]).toEqual([2, `"no-policy" is neither a policy of ${join('policies', 'library')} nor a CPT or HCPCS code.\n`]);
  const elsewhere = spawnSync(process.execPath, [command, 'check'], { cwd: folder, encoding: 'utf8' });
  expect([elsewhere.status, elsewhere.stderr]).toEqual([0, '']);
});

describe('show', () => {
  it('a code: which policy answers each payer, and why', async () => {
    const { code, out } = await run(['show', 'g0299']);
    expect(code).toBe(0);
    expect(out).toContain('cascade-medicare: home-health 2020.1');
    expect(out).toContain('evergreen-health: home-health-evergreen 2025.1');
    expect(out).toContain('home-health 2020.1 names it as long as the revision: does not apply: is for cascade-medicare');
  });
  it.each<[readonly string[], object]>([
    [['L3761', '--payer', 'cascade-medicare'], { outcome: { kind: 'state-needed' } }],
    [['L3761', '--payer', 'cascade-medicare', '--state', 'ca'], { outcome: { kind: 'policy', policy: 'upper-limb-orthosis', revision: '2026.1' } }],
    [['L3761', '--payer', 'cascade-medicare', '--date', '2027-04-26'], { outcome: { kind: 'policy', policy: 'upper-limb-orthosis', revision: '2026.1' } }],
    [['67911', '--payer', 'cascade-medicare'], { outcome: { kind: 'default' } }],
    [['67911', '--payer', 'cascade-medicare', '--date', '2021-01-01'], { outcome: { kind: 'policy', policy: 'blepharoplasty', revision: '2020.1' } }],
    [['99999', '--payer', 'cascade-medicare'], { outcome: { kind: 'default' }, considered: [] }],
  ])('%j', async (args, wanted) => {
    const { answers } = JSON.parse((await run(['show', ...args, '--json'])).out) as { answers: readonly object[] };
    expect(answers).toEqual([expect.objectContaining(wanted)]);
  });
  it('a policy, with what it tells the clinician', async () => {
    const { out } = await run(['show', 'pap-device']);
    expect(out).toMatch(/^ {2}instructions: \S/m);
    expect(out).toMatch(/^ {2}response [a-z-]+: form-completion: \S/m);
    expect((await run(['show', 'cardiac-mri'])).out).toContain('response echo-first: additional-orders: An echocardiogram comes before {{service}}\n    The record shows no echocardiogram.');
  });
  it('a policy, with the revision in force', async () => {
    const { out } = await run(['show', 'blepharoplasty', '--date', '2021-06-01']);
    expect(out).toContain('2020.1, 2020-07-01 to 2022-01-06 (in force on 2021-06-01)');
    expect((await run(['show', 'blepharoplasty', '--date', '2000-01-01'])).out).toContain('No revision is in force on 2000-01-01.');
  });
});

describe('diff', () => {
  it('says in words what is different', async () => {
    const { code, out } = await run(['diff', 'facet-joint-intervention', '2023.1', '2024.1']);
    expect(code).toBe(0);
    expect(out).toContain('- 64492  as long as the revision');
    expect(out).toContain('effectiveTo\n  - 2024-08-15\n  + (none)');
    expect((await run(['diff', 'lung-cancer-screening-ct', '2015.1', '2022.1'])).out).toContain('~ pack-years: Tobacco of 20 pack-years or more');
    expect((await run(['diff', 'blepharoplasty', '2020.1', '2020.1'])).out).toContain('No difference');
  });
  it('as JSON', async () => {
    const changes = JSON.parse((await run(['diff', 'glucose-monitor', '2021.1', '2023.1', '--json'])).out) as object;
    expect(changes).toMatchObject({ policyId: 'glucose-monitor', services: expect.arrayContaining([{ kind: 'changed', code: 'E2102', before: 'from 2022-04-01', after: 'as long as the revision' }]) as unknown, criteria: expect.arrayContaining([expect.objectContaining({ kind: 'removed', id: 'several-insulin-doses' })]) as unknown });
  });
});

describe('import', () => {
  const list = (text: string): string => {
    const file = join(folder, 'codes.csv');
    writeFileSync(file, text);
    return file;
  };
  const HEADER = 'system,code,from,to,states\n';
  const target = ['--policy', 'upper-limb-orthosis', '--revision', '2026.1'];
  const CHANGED = `${HEADER}HCPCS,L3761,2026-10-28,,NY MI FL CA\nhcpcs,l3916,2026-10-28,,"NY MI FL CA"\n# a remark\n\nHCPCS,L3761,2027-04-26\nHCPCS,L3807,2027-04-26,2028-01-01,\n`;

  it('shows the difference and writes only when told to', async () => {
    const before = readFileSync(policyFile('upper-limb-orthosis'), 'utf8');
    const { code, out, err } = await run(['import', list(CHANGED), ...target]);
    expect(code).toBe(1);
    expect(out).toContain('+ L3807  from 2027-04-26 to 2028-01-01');
    expect(out).toContain('~ L3916  from 2026-10-28 in NY MI FL CA; from 2027-01-26');
    expect(err).toContain('in force since 2026-10-28');
    expect(err).toContain('Nothing was written');
    expect((await run(['import', list(CHANGED), ...target], false)).code).toBe(1);
    expect(readFileSync(policyFile('upper-limb-orthosis'), 'utf8')).toBe(before);
  });
  it.each([['--yes', ['--yes'], undefined], ['a yes at the terminal', [], true]] as const)('%s: writes the services and nothing else, in the order that was there; the second time nothing changes', async (_name, more, confirm) => {
    const before = JSON.parse(readFileSync(policyFile('upper-limb-orthosis'), 'utf8')) as { revisions: readonly [{ services: unknown }] };
    const file = list(CHANGED);
    expect((await run(['import', file, ...target, ...more], confirm)).code).toBe(0);
    const text = readFileSync(policyFile('upper-limb-orthosis'), 'utf8');
    const system = 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets';
    expect(JSON.parse(text)).toEqual({
      ...before,
      revisions: [{ ...before.revisions[0], services: [{ system, codes: ['L3761', 'L3916'], from: '2026-10-28', states: ['NY', 'MI', 'FL', 'CA'] }, { system, codes: ['L3761'], from: '2027-04-26' }, { system, codes: ['L3807'], from: '2027-04-26', to: '2028-01-01' }] }],
    });
    expect(await run(['import', file, ...target])).toMatchObject({ code: 0, out: expect.stringContaining('names these codes already') as unknown });
    expect(readFileSync(policyFile('upper-limb-orthosis'), 'utf8')).toBe(text);
    expect((await run(['check', '--strict'])).code).toBe(0);
  });
  it('--add keeps what the list does not name', async () => {
    const { out } = await run(['import', list(`${HEADER}HCPCS,L3807,,,\n`), ...target, '--add', '--yes', '--json']);
    expect(JSON.parse(out)).toEqual({ policy: 'upper-limb-orthosis', revision: '2026.1', written: true, changes: [{ kind: 'added', code: 'L3807', after: 'as long as the revision' }] });
  });
  it('says that a folder is none', async () => {
    expect(await run(['import', folder, ...target])).toEqual({ code: 1, out: '', err: `${folder}: is a folder: name a file in it` });
  });
  it('refuses a phase after the revision', async () => {
    const { code, err } = await run(['import', list(`${HEADER}CPT,15820,2022-01-07,,\n`), '--policy', 'blepharoplasty', '--revision', '2020.1', '--yes']);
    expect(code).toBe(1);
    expect(err).toContain(':2: begins on 2022-01-07, after revision 2020.1 ends on 2022-01-06: the code would never be named');
  });
  it.each([
    ['no header', 'HCPCS,L3807,,,\n', ':1: the first line must be system,code,from,to,states'],
    ['nothing', HEADER, 'names no code'],
    ['an unknown system', `${HEADER}SNOMED,1,,,`, ':2: "SNOMED" is no code system'],
    ['no code', `${HEADER}CPT,,,,`, ':2: the code is missing'],
    ['a code of another form', `${HEADER}HCPCS,L38,,,`, ':2: "L38" is no HCPCS code'],
    ['a CPT code of another form', `${HEADER}CPT,123,,,`, ':2: "123" is no CPT code'],
    ['a day that is none', `${HEADER}HCPCS,L3807,2026-02-30,,`, ':2: from: "2026-02-30" is no date'],
    ['an end before the beginning', `${HEADER}HCPCS,L3807,2026-02-03,2026-01-01,`, ':2: ends on 2026-01-01, before'],
    ['a state that is none', `${HEADER}HCPCS,L3807,,,Ohio`, ':2: "OHIO" is no state'],
    ['two letters that are no state', `${HEADER}HCPCS,L3807,,,OH ZZ`, ':2: "ZZ" is no state or territory of the United States in two letters'],
    ['a system that no order is looked up by', `${HEADER}http://www.ama-assn.org/go/cptt,15830,,,`, ':2: "http://www.ama-assn.org/go/cptt" is no code system that orders are looked up by. They are: CPT http'],
    ['a range of codes', `${HEADER}HCPCS,L3807-L3809,,,`, ':2: "L3807-L3809" is no HCPCS code (a letter and four digits): name each code of a range'],
    ['a phase before the revision', `${HEADER}HCPCS,L3807,,2026-10-27,`, ':2: ends on 2026-10-27, before revision 2026.1 begins on 2026-10-28: the code would never be named'],
    ['too many fields', `${HEADER}HCPCS,L3807,,,OH,x`, ':2: has more than the fields'],
    ['the same twice', `${HEADER}HCPCS,L3807,,,OH\nHCPCS,L3806,,,OH\nHCPCS,l3807,,,oh`, ':4: says the same as line 2'],
    ['an open quote', `${HEADER}HCPCS,"L3807,,,`, ':2: a quote is not closed'],
  ])('refuses %s', async (_name, text, message) => {
    const { code, err } = await run(['import', list(text), ...target, '--yes']);
    expect(code).toBe(1);
    expect(err).toContain(`codes.csv${message.startsWith(':') ? '' : ': '}${message}`);
  });
});

describe('test', () => {
  it('plays the cases', async () => {
    expect(await run(['test', 'vein-ablation'])).toMatchObject({ code: 0, out: expect.stringContaining('all as expected') as unknown });
    change('vein-ablation', '>= 0.5"', '>= 5"');
    const { code, out } = await run(['test', 'vein-ablation']);
    expect(code).toBe(1);
    expect(out).toContain('vein-ablation 2020.1, record, "everything that is asked for is there": expected met, but it is not-met (reflux: not-met)');
  });
  it('a case of a revision that is not there, or a file of another policy, is a fault of it', async () => {
    const file = join(folder, 'tests', 'vein-ablation.json');
    const read = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly object[] };
    writeFileSync(file, JSON.stringify({ ...read, policy: 'rhinoplasty', cases: [...read.cases, { name: 'x', outcome: 'met', revision: '2026', both: [] }] }));
    const { code, out } = await run(['test', 'vein-ablation']);
    expect(code).toBe(1);
    expect(out).toContain('vein-ablation 2026, record, "x": is of revision 2026, which vein-ablation has not (it has: 2020.1); it was not played');
    expect(out).toContain(`vein-ablation: ${file} names the policy rhinoplasty`);
    expect(out).toContain(': 2 faults.');
  });
});
