import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/* CRD, data use: hook data is for coverage determination, audit and DTR; nothing may be trained on it. What trains cannot reach the log of calls: by the compiler's walls, by imports, or by the table's name. */

const ROOT = join(import.meta.dirname, '..');
const LOG = 'cds-hooks/exchange-log.ts';
/** Features, models, and the training and registry around them. */
const TRAINING = ['prior-auth', 'models', 'server'];

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const sourcesOf = (pattern: string): readonly string[] => globSync(pattern, { cwd: ROOT, exclude: ['node_modules/**', '.build/**', 'dist/**'] }).map((file) => file.replaceAll('\\', '/')).filter((file) => !/\.test\.tsx?$/.test(file));

/** The project's folder and every folder that it may import from, however far. */
function reachable(project: string): ReadonlySet<string> {
  const found = new Set<string>();
  const follow = (folder: string): void => {
    if (found.has(folder)) return;
    found.add(folder);
    const { references = [] } = JSON.parse(read(join(folder, 'tsconfig.json'))) as { references?: readonly { readonly path: string }[] };
    for (const { path } of references) follow(normalize(join(folder, path)).replaceAll('\\', '/'));
  };
  follow(project);
  return found;
}

/** What a source imports or re-exports, static, dynamic or as a type, as paths from the root. */
function importsOf(file: string): readonly string[] {
  return [...read(file).matchAll(/(?:\bfrom|\bimport|\bimport\s*\(|\brequire\s*\()\s*['"`]([^'"`]+)['"`]/g)].map(([, named = '']) => (named.startsWith('.') ? normalize(join(dirname(file), named)).replaceAll('\\', '/') : named.replace(/^#/, '')));
}

describe.each(TRAINING)('%s', (project) => {
  it('has the hooks behind a wall: the compiler lets nothing of theirs in', () => {
    const folders = reachable(project);
    expect([...folders].filter((folder) => folder.startsWith('cds-hooks'))).toEqual([]);
    // A composite project may import its own files and those of its references only (TS6307).
    for (const folder of folders) expect(JSON.parse(read(`${folder}/tsconfig.json`))).toMatchObject({ extends: expect.stringMatching(/tsconfig\.base\.json$/), include: expect.not.arrayContaining([expect.stringContaining('cds-hooks')]) });
    expect(JSON.parse(read('tsconfig.base.json'))).toMatchObject({ compilerOptions: { composite: true } });
  });
  it('imports nothing of the hooks', () => {
    const sources = [...reachable(project)].flatMap((folder) => sourcesOf(`${folder}/**/*.{ts,tsx}`));
    expect(sources.length).toBeGreaterThan(20);
    expect(sources.filter((file) => importsOf(file).some((path) => path.startsWith('cds-hooks/')))).toEqual([]);
  });
});

describe('the log of calls', () => {
  const sources = sourcesOf('**/*.{ts,tsx}').filter((file) => !file.startsWith('cds-hooks/'));
  it('is imported by the hooks alone', () => {
    expect(sourcesOf('cds-hooks/*.ts').filter((file) => importsOf(file).includes(LOG))).toEqual(['cds-hooks/cds-hooks.ts']);
    expect(sources.filter((file) => importsOf(file).includes(LOG))).toEqual([]);
  });
  it('is handed on by nobody, and its table named by nobody else', () => {
    expect(sources.filter((file) => /\bexchange_batch\b|\.exchanges\b/.test(read(file)))).toEqual([]);
  });
});
