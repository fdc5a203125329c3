import { withoutSlashes } from '#fhir/base/reference.ts';
import { z } from 'zod/mini';
import { PolicyFileError, readJsonFile } from '#policies/json-file.ts';
import { type EhrRegistration, ehrRegistrationSchema } from './ehr-registration.ts';

/** The file of EHRS_FILE cannot be used. The message names file, line and what is wrong, one line for each fault. */
export class EhrsFileError extends Error {
  readonly code = 'EHRS_FILE_INVALID';

  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'EhrsFileError';
  }
}

const ehrsFile = z.strictObject({
  ehrs: z.array(ehrRegistrationSchema).check((given) => {
    const first = new Map<string, number>();
    given.value.forEach((ehr, index) => {
      const base = withoutSlashes(ehr.fhirBase);
      const before = first.get(base);
      if (before === undefined) first.set(base, index);
      else given.issues.push({ code: 'custom', input: ehr.fhirBase, path: [index, 'fhirBase'], message: `the same EHR as ehrs.${before}` });
    });
  }),
});

/** @throws EhrsFileError */
export function readEhrsFile(file: string): readonly EhrRegistration[] {
  try {
    return readJsonFile(file, ehrsFile).ehrs;
  } catch (cause) {
    if (cause instanceof PolicyFileError) throw new EhrsFileError(cause.message, { cause });
    throw cause;
  }
}
