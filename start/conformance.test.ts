import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';

/* The pages of docs/conformance say of each clause what shows it: what they name must be there, and nothing is done without being shown. */

const ROOT = join(import.meta.dirname, '..');
const pages = globSync('docs/conformance/*.md', { cwd: ROOT }).sort((a, b) => a.localeCompare(b));
const tests = globSync('**/*.test.{ts,tsx}', { cwd: ROOT, exclude: ['node_modules/**', '.build/**', 'dist/**'] });

/** A whole path, the end of one, or a file's name alone. */
const filesNamed = (name: string): readonly string[] => tests.filter((test) => test === name || test.endsWith(`/${name}`) || (!name.includes('/') && basename(test) === name));

interface Row {
  readonly line: number;
  readonly state: string;
  readonly shownBy: string;
  readonly clause: string;
}

/** Rows of the tables that have a column "state". */
function rowsOf(page: string): readonly Row[] {
  const rows: Row[] = [];
  let header: readonly string[] | undefined;
  for (const [index, text] of readFileSync(join(ROOT, page), 'utf8').split('\n').entries()) {
    const cells = text.startsWith('|') ? text.slice(1, -1).split('|').map((cell) => cell.trim()) : undefined;
    const state = header?.indexOf('state') ?? -1;
    if (cells && header && state >= 0 && !/^[\s:|-]+$/.test(text)) rows.push({ line: index + 1, clause: cells[0] ?? '', state: cells[state] ?? '', shownBy: cells[header.indexOf('shown by')] ?? '' });
    header = cells ? (header ?? cells) : undefined;
  }
  return rows;
}

describe.each(pages)('%s', (page) => {
  it('names tests that exist', () => {
    const text = readFileSync(join(ROOT, page), 'utf8');
    const named = [...text.matchAll(/`([\w./-]+\.test\.tsx?)`/g)].map(([, name = '']) => name);
    expect(named.filter((name) => filesNamed(name).length === 0)).toEqual([]);
  });
});

describe.each(pages.filter((page) => basename(page).startsWith('pas-')))('%s', (page) => {
  it('calls nothing done that nothing shows', () => {
    const done = rowsOf(page).filter(({ state }) => /^(yes|done)\b/.test(state));
    expect(done.length).toBeGreaterThan(20);
    expect(done.filter(({ shownBy }) => !/`[^`]+`|\bsame\b|measured/.test(shownBy)).map(({ line, clause }) => `${page}:${line} ${clause}`)).toEqual([]);
  });
});

/** `file` "title", "title": titles are as written in the file, whole or in part. */
function shownIn(shownBy: string): readonly { readonly file: string; readonly titles: readonly string[] }[] {
  return [...shownBy.matchAll(/`([\w./-]+\.test\.tsx?)`((?:[\s,]*"[^"]*")*)/g)].map(([, file = '', titles = '']) => ({ file, titles: [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title) }));
}

/** What the tests of a file are called, and the rows of their tables. A test that is skipped or still to be written is none. */
function titlesOf(file: string): readonly string[] {
  const written = readFileSync(join(ROOT, file), 'utf8').replaceAll(/^\s*(?:\/\/|\*).*$/gm, '');
  return [...written.matchAll(/(?:\b(?:it|describe)\(|\)\(|^\s*\[)\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/gm)].map(([, , title = '']) => title);
}

/** Why a row of the page does not hold. */
function rowFaults({ state, shownBy }: Row): readonly string[] {
  const shown = shownIn(shownBy);
  const faults = /^(?:yes|partly|no|not ours)\b/.test(state) ? [] : [`the state is neither yes, partly, no nor not ours: ${state}`];
  if (/^(?:yes|partly)\b/.test(state) && shown.length === 0) faults.push('names no test');
  for (const { file, titles } of shown) {
    const [found, ...more] = filesNamed(file);
    if (found === undefined || more.length > 0) faults.push(`${file} is ${found === undefined ? 'no file' : 'more than one file'}`);
    if (titles.length === 0) faults.push(`${file}: no test of it is named`);
    const known = found === undefined ? [] : titlesOf(found);
    faults.push(...titles.filter((title) => !known.some((each) => each.includes(title))).map((title) => `${file} has no test "${title}"`));
  }
  return faults;
}

describe('docs/conformance/crd.md', () => {
  const page = 'docs/conformance/crd.md';
  it('names for all that is done the test that shows it, by file and title', () => {
    const rows = rowsOf(page);
    expect(rows.filter(({ state }) => state.startsWith('yes')).length).toBeGreaterThan(80);
    expect(rows.flatMap((row) => rowFaults(row).map((fault) => `${page}:${row.line} ${row.clause}: ${fault}`))).toEqual([]);
  });
  it.each<[string, Partial<Row>, RegExp]>([
    ['no test', { state: 'yes', shownBy: 'folder walls' }, /names no test/],
    ['a file alone', { state: 'yes', shownBy: '`start/conformance.test.ts`' }, /no test of it is named/],
    ['a title that is not there', { state: 'partly: x', shownBy: '`start/conformance.test.ts` "names for all", "is not \u200bthere"' }, /has no test/],
    ['a file that is not there', { state: 'no', shownBy: '`none.test.ts` "x"' }, /is no file/],
    ['another word', { state: 'done', shownBy: '' }, /neither yes/],
  ])('a row that names %s does not hold', (_name, row, fault) => {
    expect(rowFaults({ line: 1, clause: 'x', state: '', shownBy: '', ...row }).join()).toMatch(fault);
  });

  const DIGEST = join(ROOT, '..', 'shared', 'specs', 'crd.md');
  if (!existsSync(DIGEST)) console.warn(`left out: the kit's test ids, ${DIGEST} is not there`);
  it.skipIf(!existsSync(DIGEST))('has a row for each id of the public kit, 2.0.1 server and what 2.2 adds', () => {
    const [, before = '', after = ''] = /### 9\.1([^]*?)\n### 9\.2[^]*?\n### 9\.3([^]*?)\n## 10/.exec(readFileSync(DIGEST, 'utf8')) ?? [];
    const ids = [...`${before}${after}`.replaceAll(/`crd_(?:server|client)(?:_v221)?`/g, '').matchAll(/\b[a-z]+(?:_[a-z0-9]+)+\b/g)].map(([id]) => id);
    expect(ids.length).toBeGreaterThan(70);
    const listed = rowsOf(page).map(({ clause }) => clause).join();
    expect([...new Set(ids)].filter((id) => !listed.includes(id))).toEqual([]);
  });
});
