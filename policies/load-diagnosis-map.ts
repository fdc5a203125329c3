import { join } from 'node:path';
import { z } from 'zod/mini';
import type { DiagnosisMap } from '#prior-auth/pas-bundle/diagnosis-map.ts';
import { readJsonFile } from './json-file.ts';

const SHIPPED_MAP = join(import.meta.dirname, 'diagnosis-map.json');

const mapFile = z.strictObject({
  about: z.optional(z.string()),
  map: z.record(
    z.string().check(z.regex(/^\d{6,18}$/, 'a SNOMED CT concept has 6 to 18 digits')),
    z.array(z.string().check(z.regex(/^[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?$/, 'is no ICD-10-CM code with its dot'))).check(z.minLength(1)),
  ),
});

/** A file of `{"map": {"SNOMED CT concept": ["ICD-10-CM code", …]}}`. @throws PolicyFileError */
export function loadDiagnosisMap(file: string = SHIPPED_MAP): DiagnosisMap {
  const codes = new Map(Object.entries(readJsonFile(file, mapFile).map));
  return { candidates: (snomedCode) => (codes.get(snomedCode) ?? []).map((code) => ({ code })) };
}
