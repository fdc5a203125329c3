import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { CompileResult, ElmLibrary } from './compile-cql.ts';
import { executionFlags } from './execution-flags.ts';
import { createWorkerPool } from './worker-pool.ts';

const pool = createWorkerPool({ size: 1, timeLimitMs: 1_000, memoryLimitMb: 128 });
afterAll(() => pool.stop());

async function compile(sources: Record<string, string>): Promise<CompileResult> {
  const outcome = await pool.run({ kind: 'compile', sources, wanted: Object.keys(sources) }, 60_000);
  if (outcome.kind !== 'done' || !outcome.compiled) throw new Error('the compiler did not answer');
  return outcome.compiled;
}
async function elmOf(text: string): Promise<ElmLibrary> {
  const result = await compile({ T: text });
  if (!result.elm['T']) throw new Error(JSON.stringify(result));
  return result.elm['T'];
}
const run = async (elm: ElmLibrary, defines: string[], more: object = {}) =>
  pool.run({
    kind: 'cql', elm: [elm], defines: defines.map((define) => ({ library: 'T', define })), patient: 'p', valueSets: {}, parameters: {}, nowMs: Date.UTC(2026, 10, 22, 12),
    resources: [{ resourceType: 'Patient', id: 'p', birthDate: '1951-04-02' }, { resourceType: 'Condition', id: 'c', subject: { reference: 'Patient/p' }, code: { coding: [{ system: 'http://x', code: '1' }] } }], ...more,
  });
const HEAD = `library T version '1' using FHIR version '4.0.1' context Patient`;

describe('compiling', () => {
  it('strict first', async () => expect(await compile({ T: `${HEAD} define A: 1` })).toMatchObject({ mode: 'strict', refused: [] }));
  it('list demotion only when strict refuses', async () => {
    const text = `library T version '1' using FHIR version '4.0.1' context Patient define function F(c FHIR.Condition): c.code define A: F([Condition])`;
    expect(await compile({ T: text })).toMatchObject({ mode: 'lenient', refused: [] });
  });
  it('what is no CQL is refused, with the library named', async () => {
    const result = await compile({ T: `${HEAD} define Y: [Observation where ` });
    expect(result).toMatchObject({ elm: {}, refused: [{ library: 'T' }] });
  });
  it('quantities with UCUM units', async () => expect((await compile({ T: `${HEAD} define A: 5 'mg/dL' > 4 'mg/dL'` })).refused).toEqual([]));
  it('codes of a retrieve that are a list already are not wrapped again', async () => {
    const elm = await elmOf(`library T version '1' using FHIR version '4.0.1' codesystem "X": 'http://x' code "One": '1' from "X" context Patient define Codes: { "One" } define A: exists [Condition: Codes]`);
    expect(JSON.stringify(elm)).not.toMatch(/"codes":\{[^{}]*"type":"ToList"[^{}]*"operand":\{[^{}]*"type":"ExpressionRef"/);
    expect((await run(elm, ['A'])).results).toEqual([{ kind: 'value', id: 'T|A', values: [true] }]);
  });
});

describe('running', () => {
  it('dates come out as calendar days', async () => {
    const elm = await elmOf(`${HEAD} define Born: Patient.birthDate.value define Soon: Today() + 1 day`);
    expect((await run(elm, ['Born', 'Soon'])).results.map((result) => (result.kind === 'value' ? result.values : result))).toEqual([['1951-04-02'], ['2026-11-23']]);
  });
  it('a define that throws fails alone', async () => {
    const elm = await elmOf(`${HEAD} define Bad: singleton from ({1, 2}) define Good: 7`);
    expect((await run(elm, ['Bad', 'Good', 'Absent'])).results).toEqual([
      expect.objectContaining({ kind: 'failed', id: 'T|Bad', reason: 'runtime' }),
      { kind: 'value', id: 'T|Good', values: [7] },
      { kind: 'failed', id: 'T|Absent', reason: 'syntax' },
    ]);
  });
  it('a failure never repeats what the record says', async () => {
    // The engine's own message quotes both names here.
    const patient = { resourceType: 'Patient', id: 'p', name: [{ family: 'Okafor' }, { family: 'Ada' }] };
    const outcome = await pool.run({ kind: 'fhirpath', frames: [{ values: { patient }, variables: [], expressions: [{ id: 'a', expression: '%patient.name.family.lower()' }] }] });
    expect(outcome.results).toEqual([{ kind: 'failed', id: 'a', reason: 'runtime' }]);
  });
  it('a value set that the package lacks is named as the reason', async () => {
    const elm = await elmOf(`library T version '1' using FHIR version '4.0.1' valueset "V": 'http://nowhere' context Patient define A: [Condition: "V"] define B: 1`);
    expect((await run(elm, ['A', 'B'])).results).toEqual([expect.objectContaining({ id: 'T|A', reason: 'value-set-missing' }), { kind: 'value', id: 'T|B', values: [1] }]);
  });
  it('a define that does not end is stopped, what was finished is kept, and the next task runs', async () => {
    const list = `expand { Interval[1, 3000] }`;
    const elm = await elmOf(`${HEAD} define Numbers: ${list} define Quick: 1 define Endless: Count(from Numbers a, Numbers b, Numbers c return 1)`);
    const started = performance.now();
    const outcome = await run(elm, ['Quick', 'Endless']);
    expect(outcome).toMatchObject({ kind: 'stopped', results: [{ id: 'T|Quick', values: [1] }], at: 'T|Endless' });
    expect(performance.now() - started).toBeLessThan(8_000);
    expect((await run(elm, ['Quick'])).kind).toBe('done');
  }, 20_000);
  it('ELM from a stranger cannot reach what is not CQL', async () => {
    const expression = (type: string) => ({ name: type, context: 'Patient', expression: { type, operand: [{ type: 'Literal', valueType: '{urn:hl7-org:elm-types:r1}String', value: 'process.exit(1)' }] } });
    const elm = { library: { identifier: { id: 'T' }, usings: { def: [{ localIdentifier: 'FHIR', version: '4.0.1' }] }, statements: { def: ['constructor', '__proto__', 'Function', 'eval'].map(expression) } } };
    const outcome = await run(elm, ['constructor', '__proto__', 'Function', 'eval']);
    expect(outcome.results.every((result) => result.kind === 'failed' || result.values.length === 0)).toBe(true);
    expect((await run(await elmOf(`${HEAD} define A: 1`), ['A'])).kind).toBe('done');
  });
  it('FHIRPath is limited too, and sees no environment', async () => {
    const outcome = await pool.run({ kind: 'fhirpath', frames: [{ values: { patient: { resourceType: 'Patient', id: 'p' } }, variables: [], expressions: [
      { id: 'a', expression: '%patient.id' }, { id: 'b', expression: 'nonsense(' }, { id: 'c', expression: '%undefinedName' },
      { id: 'd', expression: `'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a+)+$')` },
    ] }] });
    expect(outcome.results.slice(0, 3).map(({ kind }) => kind)).toEqual(['value', 'failed', 'failed']);
    expect(outcome).toMatchObject({ kind: 'stopped', limit: 'time', at: 'd' });
  }, 20_000);
  it('a define that fills its memory breaks its own process only, and the next task runs', async () => {
    const small = createWorkerPool({ size: 1, timeLimitMs: 20_000, memoryLimitMb: 48 });
    const elm = await elmOf(`${HEAD} define Good: 1 define Big: Count(expand { Interval[1, 90000000] })`);
    const task = (defines: string[]) => small.run({ kind: 'cql', elm: [elm], defines: defines.map((define) => ({ library: 'T', define })), patient: 'p', valueSets: {}, parameters: {}, nowMs: 0, resources: [{ resourceType: 'Patient', id: 'p' }] });
    expect(await task(['Good', 'Big'])).toMatchObject({ kind: 'stopped', limit: 'memory', results: [{ id: 'T|Good', values: [1] }], at: 'T|Big' });
    expect((await task(['Good'])).kind).toBe('done');
    await small.stop();
  }, 30_000);
});

describe('the process that payers’ rules run in', () => {
  const attempts: readonly [string, string][] = [
    ['a file of the machine', `fs.readFileSync('/etc/passwd')`],
    ['its own folder, to write', `fs.writeFileSync(${JSON.stringify(join(import.meta.dirname, 'written.txt'))}, '')`],
    ['the temporary folder', `fs.writeFileSync('/tmp/opa-hostile', '')`],
    ['another program', `cp.execSync('id')`],
    ['another thread', `new wt.Worker('0', { eval: true })`],
    ['fetch', `fetch('http://127.0.0.1:1')`],
    ['a socket by a new module', `await import('node:net')`],
    ['a socket by require', `mod.createRequire('/')('net')`],
    ['Node’s own parts', `process.getBuiltinModule('net')`],
    ['the old binding', `process.binding('tcp_wrap')`],
    ['the environment', `if (Object.keys(process.env).length === 0) throw new Error('empty')`],
    ['code from text', `new Function('return 1')()`],
    ['eval', `(0, eval)('1')`],
    ['WebAssembly', `new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))`],
  ];
  it('cannot reach the network, files, programs or the environment', () => {
    // What was loaded before the doors close is given to the attacker, which no expression ever has.
    const program = `
      const [fs, cp, wt, mod, { writeSync }] = [await import('node:fs'), await import('node:child_process'), await import('node:worker_threads'), await import('node:module'), await import('node:fs')];
      const { lockDown } = await import(${JSON.stringify(new URL('./lock-down.ts', import.meta.url).href)});
      lockDown();
      const reached = [];
      ${attempts.map(([name, code]) => `try { ${code}; reached.push(${JSON.stringify(name)}); } catch {}`).join('\n')}
      writeSync(1, JSON.stringify(reached));`;
    const said = execFileSync(process.execPath, [...executionFlags(64), '--input-type=module', '-e', program], { env: {}, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    expect(JSON.parse(said)).toEqual([]);
  });
});
