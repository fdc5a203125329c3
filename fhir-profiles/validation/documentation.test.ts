import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { RULES } from './pas-bundle-rules.ts';
import { ISSUE_CODES } from './report.ts';

const page = readFileSync(new URL('../../docs/validator.md', import.meta.url), 'utf8');

it('docs/validator.md explains every issue code, and no other', () => {
  const explained = new Set([...page.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code)));
  expect(explained).toEqual(new Set(ISSUE_CODES));
});

it('every bundle rule has its own code', () => {
  expect(RULES.map(({ code }) => code)).toEqual(ISSUE_CODES.filter((code) => code.startsWith('bundle-')));
});
