import { execFile, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openValidator } from '#fhir/validation/validator.ts';
import { buildSubmission } from '#prior-auth/pas-bundle/build-submission.ts';
import { sampleInput } from '#test-fixtures/pas-submission-input.ts';
import { HEADER, measure, row } from './figures.ts';

const AIM_MS = 5;
const AIM_PER_SECOND = 100;
/** How much dearer a case may be among 100,000 than among 1,000. */
const AIM_RATIO = 1.25;

/** A request bundle in both versions, and submissions from end to end. Returns what missed its aim. */
export async function benchPas(): Promise<string[]> {
  return [...(await benchBundle('2.0.1')), ...(await benchBundle('2.2.1')), ...(await benchSending())];
}

/** Building and validating, against cloning the same bundle. */
async function benchBundle(version: '2.0.1' | '2.2.1'): Promise<string[]> {
  const input = sampleInput();
  const build = () => {
    const built = buildSubmission(input, { ids: randomUUID, now: Date.parse('2026-11-22T10:00:00Z'), version });
    if (built.kind !== 'built') throw new Error('the sample case does not make a bundle');
    return built.bundle;
  };
  const validator = openValidator([`pas-${version}`]);
  const bundle = build();
  const report = validator.validate(bundle);
  if (!report.valid) throw new Error(`the sample bundle is not valid: ${JSON.stringify(report.issues.filter((issue) => issue.severity === 'error').slice(0, 3))}`);
  console.log(`\nPAS ${version} request bundle, ${(JSON.stringify(bundle).length / 1024).toFixed(1)} kB, ${bundle.entry?.length} entries\n${HEADER}`);
  console.log(row('structuredClone of the bundle', await measure(() => structuredClone(bundle), { durationMs: 1_000 })));
  console.log(row('build', await measure(build, { durationMs: 1_500 })));
  console.log(row('validate', await measure(() => validator.validate(bundle), { durationMs: 2_000 })));
  const both = await measure(() => validator.validate(build()), { durationMs: 2_000 });
  console.log(row('build and validate', both));
  return both.p50Ms > AIM_MS ? [`building and validating in PAS ${version} has p50 ${both.p50Ms.toFixed(1)} ms; the aim is ${AIM_MS} ms`] : [];
}

/** One sending process with its payer and PostgreSQL, all on two cores where the system can be told so. */
async function benchSending(): Promise<string[]> {
  const program = [process.execPath, join(import.meta.dirname, 'pas-sending.ts')];
  const pinned = canPin();
  const [command = '', ...rest] = pinned ? ['taskset', '-c', '0,1', ...program] : program;
  const { stdout } = await promisify(execFile)(command, rest, { maxBuffer: 1e8 });
  const { small, large, baseline, cpuMs } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { readonly small: number; readonly large: number; readonly baseline: number; readonly cpuMs: number };
  const ratio = small / large;
  console.log(`\nSubmissions from end to end: one process, PostgreSQL and the payer on ${pinned ? '2 cores' : 'all cores (taskset is not there)'}; a second`);
  console.log(`${'the same bytes POSTed, one insert'.padEnd(44)}${baseline.toFixed(0).padStart(9)}`);
  console.log(`${'among 1,000 stored cases'.padEnd(44)}${small.toFixed(0).padStart(9)}`);
  console.log(`${'among 100,000 stored cases'.padEnd(44)}${large.toFixed(0).padStart(9)}`);
  console.log(`${'cost of a case, 100,000 to 1,000'.padEnd(44)}${ratio.toFixed(2).padStart(9)}`);
  console.log(`${'processor time of the sending process, ms'.padEnd(44)}${cpuMs.toFixed(1).padStart(9)}`);
  const slower = Math.min(small, large);
  return [
    ...(slower < AIM_PER_SECOND ? [`${slower.toFixed(0)} submissions a second; the aim is ${AIM_PER_SECOND}`] : []),
    ...(ratio > AIM_RATIO ? [`a case costs ${ratio.toFixed(2)} times as much among 100,000 as among 1,000; the aim is flat (${AIM_RATIO} at most)`] : []),
  ];
}

function canPin(): boolean {
  try {
    execFileSync('taskset', ['-c', '0,1', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
