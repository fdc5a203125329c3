import { parseArgs } from 'node:util';
import { startTestPostgres } from '../../tools/postgresql.ts';
import { type ChaosResult, runChaos } from './run-chaos.ts';

const USAGE = `npm run chaos [-- --cases 1000 --database pglite|postgresql|both --seed N --minutes M]
  Cases are entered, sent and decided while the payer answers slowly, fails, loses connections and doubles, loses and reorders
  notifications, and our processes (two on PostgreSQL, one on the embedded database) are killed with -9 and started again.
  --database   default both
  --seed       repeats the luck of a run
  --minutes    ends a run that is not decided by then; default 15
Exit: 0 nothing lost, nothing doubled, everything decided; 1 a violation; 2 the command is wrong.`;

function readArguments() {
  try {
    return parseArgs({ options: { cases: { type: 'string', default: '1000' }, database: { type: 'string', default: 'both' }, seed: { type: 'string' }, minutes: { type: 'string', default: '15' }, help: { type: 'boolean', default: false } } }).values;
  } catch (error) {
    return misuse((error as Error).message);
  }
}

function misuse(message: string): never {
  console.error(`${message}\n${USAGE}`);
  process.exit(2);
}

function positive(name: string, text: string): number {
  const value = Number(text);
  return Number.isFinite(value) && value > 0 ? value : misuse(`--${name} ${text} is not a number above 0.`);
}

function tell({ checks, kills, arrivals, repeatedEntries, counts, ms }: ChaosResult, cases: number): void {
  console.log(`\n${cases} cases in ${(ms / 1000).toFixed(0)} s: ${kills} kills, ${arrivals} submissions arrived at the payer, ${repeatedEntries} entries asked again that were stored already`);
  for (const [what, times] of Object.entries(counts).sort(([a], [b]) => a.localeCompare(b))) console.log(`  ${what.padEnd(48)}${String(times).padStart(7)}`);
  console.log('');
  for (const { what, violations, examples } of checks) console.log(`  ${violations === 0 ? 'ok  ' : 'FAIL'} ${what.padEnd(62)}${String(violations).padStart(5)}  ${examples.join(' ')}`);
}

const values = readArguments();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const cases = Math.floor(positive('cases', values.cases));
const limitMs = positive('minutes', values.minutes) * 60_000;
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Math.floor(positive('seed', values.seed));
if (!['pglite', 'postgresql', 'both'].includes(values.database)) misuse(`There is no database ${values.database}.`);
let violations = 0;
for (const database of values.database === 'both' ? ['pglite', 'postgresql'] : [values.database]) {
  const postgres = database === 'postgresql' ? await startTestPostgres() : undefined;
  console.log(`\n${database}: ${cases} cases, --seed ${seed}`);
  try {
    const result = await runChaos({ cases, seed, limitMs, serverUrl: postgres?.url, lifeMs: [2_000, 6_000], timeoutMs: 2_000, perSecond: 50, progress: console.log });
    tell(result, cases);
    violations += result.violations;
  } finally {
    postgres?.stop();
  }
}
console.log(violations === 0 ? `\nNothing lost, nothing doubled, everything decided (--seed ${seed}).` : `\n${violations} violations; the same luck again: npm run chaos -- --cases ${cases} --database ${values.database} --seed ${seed}`);
process.exit(violations === 0 ? 0 : 1);
