import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '#start/config.ts';
import { startOpenPriorAuth } from '#start/open-prior-auth.ts';
import { play, type StepReport } from './play.ts';
import { loadStories, type Story } from './story.ts';

const USAGE = `npm run walkthrough -- --story NAME [--json] [--base URL]
  --story NAME   a story of --list, or all
  --base URL     play against a running server; without it one is started on a free port with its own data
  --json         one JSON object a step: {story, step, ok, ms, …}
  --list         names the stories
Exit: 0 every step went well, 1 a step failed, 2 the command is wrong.`;

const root = join(import.meta.dirname, '..');

function readArguments() {
  try {
    return parseArgs({ options: { story: { type: 'string' }, base: { type: 'string' }, json: { type: 'boolean', default: false }, list: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } }).values;
  } catch (error) {
    return misuse((error as Error).message);
  }
}

function misuse(message: string): never {
  console.error(`${message}\n${USAGE}`);
  process.exit(2);
}

const values = readArguments();
const stories = loadStories(new Date().toISOString().slice(0, 10));
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
if (values.list) {
  for (const story of stories) console.log(`${story.name.padEnd(24)} ${story.title}`);
  process.exit(0);
}
const chosen = values.story === 'all' ? stories : stories.filter((story) => story.name === values.story);
if (chosen.length === 0) misuse(values.story ? `There is no story ${values.story}. The stories: ${stories.map((story) => story.name).join(', ')}, all.` : 'Which story?');
if (values.base) {
  if (!/^https?:$/.test(URL.parse(values.base)?.protocol ?? '')) misuse(`--base ${values.base} is not an http address.`);
  if (!(await answers(values.base))) {
    console.error(`Open Prior Auth does not answer at ${values.base}. Start it (npm start), or leave --base out.`);
    process.exit(1);
  }
}

const own = values.base ? undefined : await startOwn();
const base = values.base?.replace(/\/+$/, '') ?? own?.baseUrl ?? '';
let failed = false;
try {
  for (const story of chosen) failed = !(await playWithData(story)) || failed;
} finally {
  await own?.stop();
}
process.exit(failed ? 1 : 0);

async function answers(address: string): Promise<boolean> {
  try {
    return (await fetch(new URL('/readyz', address), { signal: AbortSignal.timeout(5_000) })).ok;
  } catch (error) {
    if (error instanceof TypeError || (error instanceof Error && error.name === 'TimeoutError')) return false;
    throw error;
  }
}

async function startOwn() {
  const dataDir = mkdtempSync(join(tmpdir(), 'opa-walkthrough-'));
  const running = await startOpenPriorAuth(readConfig({ REVIEW_DELAY_MS: '1500', LOG_LEVEL: 'error', ...process.env, PORT: '0', PUBLIC_URL: '', DATA_DIR: dataDir }));
  return {
    baseUrl: running.baseUrl,
    dataDir,
    stop: async () => {
      await running.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function playWithData(story: Story): Promise<boolean> {
  const startedAt = performance.now();
  if (story.load) {
    const folder = resolve(root, story.load);
    if (!existsSync(folder)) {
      report({ story: story.name, step: 'data-loaded', ok: true, ms: 0, left_out: `${story.load} is not there` });
      return true;
    }
    const { code, output } = await load(folder);
    report({ story: story.name, step: 'data-loaded', ok: code === 0, ms: Math.round(performance.now() - startedAt), said: output.trim().split('\n').at(-1) });
    if (code !== 0) return false;
  }
  return play(story, base, report);
}

/** Runs `npm run ehr:load` as a person would. */
function load(folder: string): Promise<{ code: number; output: string }> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [join(root, 'sandbox-ehr', 'commands', 'load.ts'), folder, '--base', base], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...(own ? { DATA_DIR: own.dataDir } : {}) } });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', fail);
    child.on('close', (code) => done({ code: code ?? 1, output }));
  });
}

function report(step: StepReport): void {
  if (values.json) {
    console.log(JSON.stringify(step));
    return;
  }
  const { story, step: name, ok, ms, ...facts } = step;
  if (name === 'signed-in' || name === 'data-loaded') console.log(`\n${story}`);
  console.log(`  ${ok ? '✓' : '✗'} ${name.padEnd(26)} ${String(ms).padStart(6)} ms`);
  for (const [key, value] of Object.entries(facts)) if (value !== undefined) console.log(`      ${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
}
