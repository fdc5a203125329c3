import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';

/* The pages of docs/conformance say of each clause what shows it: what they name must be there, and nothing is done without being shown. */

const ROOT = join(import.meta.dirname, '..');
const pages = globSync('docs/conformance/*.md', { cwd: ROOT }).sort((a, b) => a.localeCompare(b));
const tests = globSync('**/*.test.{ts,tsx}', { cwd: ROOT, exclude: ['node_modules/**', '.build/**', 'dist/**'] });

/** A whole path, the end of one, or a file's name alone. */
const exists = (name: string): boolean => tests.some((test) => test === name || test.endsWith(`/${name}`) || (!name.includes('/') && basename(test) === name));

function rowsOf(page: string): { readonly line: number; readonly cells: readonly string[] }[] {
  return readFileSync(join(ROOT, page), 'utf8').split('\n').flatMap((text, index) => {
    if (!text.startsWith('|') || /^\|[\s:|-]+\|$/.test(text)) return [];
    return [{ line: index + 1, cells: text.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim()) }];
  });
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
    const done = rowsOf(page).filter(({ cells }) => /^(yes|done)\b/.test(cells[1] ?? ''));
    expect(done.length).toBeGreaterThan(10);
    expect(done.filter(({ cells }) => !/`[^`]+`|\bsame\b|measured/.test(cells[2] ?? '')).map(({ line, cells }) => `${page}:${line} ${cells[0]}`)).toEqual([]);
  });
});
