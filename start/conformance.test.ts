import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';

/* The pages of docs/conformance say of each clause what shows it: what they name must be there, and nothing is done without being shown. */

const ROOT = join(import.meta.dirname, '..');
const pages = globSync('docs/conformance/*.md', { cwd: ROOT }).sort((a, b) => a.localeCompare(b));
const tests = globSync('**/*.test.{ts,tsx}', { cwd: ROOT, exclude: ['node_modules/**', '.build/**', 'dist/**'] });

/** A whole path, the end of one, or a file's name alone. */
const exists = (name: string): boolean => tests.some((test) => test === name || test.endsWith(`/${name}`) || (!name.includes('/') && basename(test) === name));

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
    expect(named.filter((name) => !exists(name))).toEqual([]);
  });
});

describe.each(pages.filter((page) => basename(page).startsWith('pas-')))('%s', (page) => {
  it('calls nothing done that nothing shows', () => {
    const done = rowsOf(page).filter(({ state }) => /^(yes|done)\b/.test(state));
    expect(done.length).toBeGreaterThan(20);
    expect(done.filter(({ shownBy }) => !/`[^`]+`|\bsame\b|measured/.test(shownBy)).map(({ line, clause }) => `${page}:${line} ${clause}`)).toEqual([]);
  });
});
