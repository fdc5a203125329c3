import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './run.ts';
import type { Tally } from './tally.ts';

interface JsonReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly { readonly name: string; readonly status: string; readonly message: string; readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[] }[];
}

/** Runs vitest on the paths given and adds its tests to the tally; a file that does not load counts as one failure. */
export async function runVitest(tally: Tally, name: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'opa-vitest-'));
  const file = join(folder, 'report.json');
  console.log(`\n== ${name}`);
  const startedAt = performance.now();
  const { code } = await run('vitest', ['run', ...args, '--reporter=dot', '--reporter=json', `--outputFile.json=${file}`], { env });
  let report: JsonReport | undefined;
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as JsonReport;
  } catch (error) {
    console.error(`vitest left no report: ${String(error)}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
  const broken = report?.testResults.filter((result) => result.status === 'failed' && result.assertionResults.every((each) => each.status !== 'failed')) ?? [];
  const failures = report?.testResults.flatMap((result) => result.assertionResults.filter((each) => each.status === 'failed').map((each) => `${name}: ${each.fullName}`)) ?? [];
  tally.passed += report?.numPassedTests ?? 0;
  tally.failed += failures.length + broken.length;
  tally.skipped += report?.numPendingTests ?? 0;
  tally.failures.push(...failures, ...broken.map((result) => `${name}: ${result.name} did not run`));
  const unexplained = !report || (code !== 0 && failures.length + broken.length === 0);
  if (unexplained) {
    tally.failed += 1;
    tally.failures.push(`${name}: vitest ended with code ${code}`);
  }
  console.log(`== ${name}: ${report?.numPassedTests ?? 0} passed, ${failures.length + broken.length} failed (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
}
