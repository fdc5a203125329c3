import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChecks, TIME_ZONES } from './checks.ts';
import { findChromium } from './chromium.ts';
import { startTestPostgres } from './postgresql.ts';
import { NODE, ROOT, run } from './run.ts';
import { Tally } from './tally.ts';
import { runVitest } from './vitest.ts';

// npm test : everything. Sets up what it needs by itself; ends with the plain line "N passed, N failed".
const tally = new Tally();
const chromium = await findChromium().catch((error: Error) => error);
const postgres = await startTestPostgres().catch((error: Error) => error);

await runChecks(tally);
await runVitest(tally, 'unit and integration, embedded database', [], { TZ: 'America/New_York' });
for (const zone of TIME_ZONES) await runVitest(tally, `domain in ${zone}`, ['prior-auth'], { TZ: zone });

if (postgres instanceof Error) {
  if (process.env['CI']) tally.add(`PostgreSQL: ${postgres.message}`, false, 0);
  else tally.skip('everything again on PostgreSQL', postgres.message);
} else {
  const usesStore = globSync('**/*.test.ts', { cwd: ROOT, exclude: ['node_modules/**'] }).filter((file) => !file.includes('.browser.') && readFileSync(join(ROOT, file), 'utf8').includes('openTestStore'));
  await runVitest(tally, 'every test with a store, PostgreSQL', usesStore, { TEST_DATABASE_URL: postgres.url });
}

if (chromium instanceof Error) tally.add(`browser tests: ${chromium.message}`, false, 0);
else await runVitest(tally, 'screens in Chromium', ['--config', 'vitest.browser.config.ts'], { CHROMIUM_PATH: chromium });

await runStories('embedded database', {});
if (!(postgres instanceof Error)) await runStories('PostgreSQL', { DATABASE_URL: postgres.url });

if (!(postgres instanceof Error)) postgres.stop();
process.exit(tally.finish());

/** Plays every story of the walkthrough over HTTP against a server started for it; each story counts once. */
async function runStories(where: string, env: Readonly<Record<string, string>>): Promise<void> {
  const { output } = await run(NODE, ['walkthrough/main.ts', '--story', 'all', '--json'], { env, quiet: true });
  const lines = output.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as { story: string; step: string; ok: boolean; ms: number; left_out?: string });
  const stories = new Map<string, typeof lines>();
  for (const line of lines) stories.set(line.story, [...(stories.get(line.story) ?? []), line]);
  if (stories.size === 0) tally.add(`walkthrough (${where}) printed no step:\n${output.slice(-2000)}`, false, 0);
  for (const [story, steps] of stories) {
    const leftOut = steps.find((step) => step.left_out)?.left_out;
    if (leftOut) tally.skip(`walkthrough ${story} (${where})`, leftOut);
    else {
      const failed = steps.find((step) => !step.ok);
      tally.add(`walkthrough ${story} (${where})${failed ? `: ${JSON.stringify(failed)}` : ''}`, !failed, steps.reduce((sum, step) => sum + step.ms, 0));
    }
  }
}
