import { join } from 'node:path';
import { z } from 'zod/mini';
import { createPayerDirectory, type PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import { PolicyFileError, readJsonFile } from './json-file.ts';

export type { Payer, PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';

const words = z.string().check(z.minLength(1));
const payersSchema = z.strictObject({
  payers: z.array(
    z.strictObject({
      id: words,
      name: words,
      organizationIdentifiers: z.array(z.strictObject({ system: words, value: words })).check(z.minLength(1)),
      matchNames: z.array(words),
      /** Absolute, or a path under this server's own base URL. */
      fhirBase: words,
      pasVersion: z.enum(['2.0.1', '2.2.1']),
      subscriptions: z.enum(['rest-hook', 'none']),
      timeZone: words.check(z.refine(isTimeZone, 'an IANA time zone')),
    }),
  ),
});

/** @throws PolicyFileError */
export function loadPayers(baseUrl: string, file: string = join(import.meta.dirname, 'payers.json')): PayerDirectory {
  const { payers } = readJsonFile(file, payersSchema);
  if (new Set(payers.map((payer) => payer.id)).size < payers.length) throw new PolicyFileError(`${file}: two payers have the same id`);
  return createPayerDirectory(payers.map((payer) => ({ ...payer, fhirBase: payer.fhirBase.startsWith('/') ? `${baseUrl.replace(/\/+$/, '')}${payer.fhirBase}` : payer.fhirBase })));
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name }).format(0);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
