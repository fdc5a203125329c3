import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { benchHooks } from './hooks.ts';
import { benchModel } from './model.ts';
import { benchPanel } from './panel.ts';
import { benchPas } from './pas.ts';
import { benchQuestionnaire } from './questionnaire.ts';
import { benchTraining } from './training.ts';
import { benchWorklist } from './worklist.ts';

const USAGE = `npm run bench [-- NAME … --memory CALLS], NAME one of pas, model, training, panel, questionnaire, worklist, hooks; all of them without one.
--memory: how many hook calls the memory check makes, default 20000.
Exit: 0 every aim is met, 1 an aim is missed, 2 the command is wrong.`;

function readArguments() {
  try {
    return parseArgs({ allowPositionals: true, options: { memory: { type: 'string', default: '20000' }, help: { type: 'boolean', default: false } } });
  } catch (error) {
    return misuse((error as Error).message);
  }
}

function misuse(message: string): never {
  console.error(`${message}\n${USAGE}`);
  process.exit(2);
}

const { values, positionals: named } = readArguments();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const memoryCalls = Number(values.memory);
if (!Number.isInteger(memoryCalls) || memoryCalls < 1_000) misuse(`--memory ${values.memory} is not a number of at least 1000.`);
const BENCHES = { pas: benchPas, model: benchModel, training: benchTraining, panel: benchPanel, questionnaire: benchQuestionnaire, worklist: benchWorklist, hooks: () => benchHooks({ memoryCalls }) } as const;
type Bench = keyof typeof BENCHES;

const unknown = named.filter((name) => !(name in BENCHES));
if (unknown.length > 0) misuse(`There is no bench ${unknown.join(', ')}.`);
console.log(`Node ${process.version}, ${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown processor'}`);
const missed: string[] = [];
for (const name of (named.length > 0 ? named : Object.keys(BENCHES)) as Bench[]) missed.push(...(await BENCHES[name]()));
console.log(missed.length === 0 ? '\nEvery aim is met.' : `\nMissed:\n${missed.map((line) => `  ${line}`).join('\n')}`);
process.exit(missed.length === 0 ? 0 : 1);
