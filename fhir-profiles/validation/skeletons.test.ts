import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { openValidator } from './validator.ts';

const FOLDER = fileURLToPath(new URL('../../../shared/cases/pas-skeletons/', import.meta.url));
const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.endsWith('.json')) : [];
if (files.length === 0) console.warn('left out: small PAS bundles, because ../shared/cases/pas-skeletons is not there');

describe.skipIf(files.length === 0)('small PAS bundles', () => {
  it.each(files)('%s has no error', (name) => {
    const validator = openValidator([name.includes('2.0.1') ? 'pas-2.0.1' : 'pas-2.2.1']);
    const { issues } = validator.validate(JSON.parse(readFileSync(FOLDER + name, 'utf8')));
    expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
  });
});
