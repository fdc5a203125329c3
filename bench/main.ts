import { cpus } from 'node:os';
import { benchHooks } from './hooks.ts';
import { benchModel } from './model.ts';
import { benchPanel } from './panel.ts';
import { benchPas } from './pas.ts';

// npm run bench [-- hooks|model|pas|panel …] : measures, against a baseline in the same run. Exit 1 when an aim is missed.
const BENCHES = { pas: benchPas, model: benchModel, panel: benchPanel, hooks: benchHooks } as const;
type Bench = keyof typeof BENCHES;

const named = process.argv.slice(2);
if (named.includes('--help')) {
  console.log(`npm run bench [-- NAME …], NAME one of ${Object.keys(BENCHES).join(', ')}; all of them without one.
Exit: 0 every aim is met, 1 an aim is missed, 2 the command is wrong.`);
  process.exit(0);
}
const unknown = named.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}. There are: ${Object.keys(BENCHES).join(', ')}.`);
  process.exit(2);
}
console.log(`Node ${process.version}, ${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown processor'}`);
const missed: string[] = [];
for (const name of (named.length > 0 ? named : Object.keys(BENCHES)) as Bench[]) missed.push(...(await BENCHES[name]()));
console.log(missed.length === 0 ? '\nEvery aim is met.' : `\nMissed:\n${missed.map((line) => `  ${line}`).join('\n')}`);
process.exit(missed.length === 0 ? 0 : 1);
