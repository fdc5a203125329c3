import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PGlite, type PGliteOptions, types } from '@electric-sql/pglite';

type Parsers = NonNullable<PGliteOptions['parsers']>;

/** The database of the installed engine version as `npm run store:template` wrote it, empty but for the tables of the job machinery: unpacking it takes half a second, making it anew three. */
export function templateFile(): string {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const { version } = JSON.parse(readFileSync(join(dirname(entry), '..', 'package.json'), 'utf8')) as { version: string };
  return join(import.meta.dirname, 'template', `pglite-${version}.tar.gz`);
}

function template(): { loadDataDir: Blob } | Record<string, never> {
  const file = templateFile();
  return existsSync(file) ? { loadDataDir: new Blob([readFileSync(file)]) } : {};
}

/**
 * Opens the embedded engine on a folder, or in memory for `memory`. The `complete` mark is written before anything is ever stored,
 * so a folder without it is the rest of a first start that was killed, and is made anew.
 */
export async function openEngine(dataDir: string, parsers: Parsers): Promise<PGlite> {
  const settings = { parsers: { ...parsers, [types.INT8]: Number } };
  if (dataDir === 'memory') return PGlite.create({ ...settings, ...template() });
  const folder = join(dataDir, 'database');
  const mark = join(dataDir, 'database.complete');
  if (existsSync(mark)) return PGlite.create(folder, settings);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const engine = await PGlite.create(folder, { ...settings, ...template() });
  writeFileSync(mark, `${new Date().toISOString()}\n`, { mode: 0o600 });
  return engine;
}
