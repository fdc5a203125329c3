import { runChecks, TIME_ZONES } from './checks.ts';
import { Tally } from './tally.ts';
import { runVitest } from './vitest.ts';

// npm run check : types, arrows, lint, unused code, generated tables, and the domain's tests in three time zones.
const tally = new Tally();
await runChecks(tally);
for (const zone of TIME_ZONES) await runVitest(tally, `domain in ${zone}`, ['prior-auth'], { TZ: zone });
process.exit(tally.finish());
