import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NODE, ROOT, run } from './run.ts';
import type { Tally } from './tally.ts';

/** The fast part: types and folder arrows, lint, dead code, generated tables, the domain's tests in three time zones. */
export async function runChecks(tally: Tally): Promise<void> {
  await tally.time('types and folder arrows (tsc -b)', async () => (await run('tsc', ['-b'])).code === 0);
  await tally.time('lint (oxlint)', async () => (await run('oxlint', ['--deny-warnings'])).code === 0);
  await tally.time('unused code (knip)', async () => (await run('knip', [])).code === 0);
  const packages = join(ROOT, '..', 'shared', 'igs');
  if (existsSync(packages)) {
    await tally.time('generated tables are current', async () => (await run(NODE, ['fhir-profiles/commands/generate.ts', packages, '--check'])).code === 0);
  } else {
    tally.skip('generated tables are current', 'the official packages are not at ../shared/igs');
  }
}

/** Instants, deadlines and calendar dates must not depend on where the server stands. */
export const TIME_ZONES = ['America/Los_Angeles', 'UTC', 'Pacific/Auckland'] as const;
