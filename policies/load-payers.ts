import { join } from 'node:path';
import { z } from 'zod/mini';
import { createPayerDirectory, type PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import { PolicyFileError, readJsonFile } from './json-file.ts';

export type { Payer, PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';

const words = z.string().check(z.minLength(1));
/** Stays under the payer's FHIR base. */
const operationPath = words.check(z.regex(/^(?!.*\.\.)[A-Za-z$][\w$/.-]*$/));
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
      subscriptionFilter: z.optional(z.enum(['org-identifier', 'orgIdentifier', 'identifier'])),
      subscriptionFor: z.optional(z.enum(['each-organization', 'all-organizations'])),
      timeZone: words.check(z.refine(isTimeZone, 'an IANA time zone')),
      contact: z.optional(z.strictObject({ name: z.optional(words), telecom: z.array(z.strictObject({ system: z.enum(['phone', 'fax', 'email', 'url']), value: words })).check(z.minLength(1)) })),
      crd: z.optional(
        z.strictObject({
          /** Absolute, or a path under this server's own base URL. */
          baseUrl: words.check(z.refine(isSecure, 'an https address, or a path here; http is for loopback only')),
          version: z.enum(['2.0', '2.2']),
          timeoutMs: z.int().check(z.minimum(50), z.maximum(5_000)),
        }),
      ),
      dtr: z.optional(
        z.strictObject({
          version: z.enum(['2.0.1', '2.2']),
          operations: z.optional(z.strictObject({ questionnairePackage: z.optional(operationPath), nextQuestion: z.optional(operationPath), logErrors: z.optional(operationPath), expand: z.optional(operationPath) })),
          terminologyServers: z.optional(z.array(words.check(z.refine(isSecure, 'an https address, or a path here; http is for loopback only')))),
        }),
      ),
    }),
  ),
});

/** @throws PolicyFileError */
export function loadPayers(baseUrl: string, file: string = join(import.meta.dirname, 'payers.json')): PayerDirectory {
  const { payers } = readJsonFile(file, payersSchema);
  if (new Set(payers.map((payer) => payer.id)).size < payers.length) throw new PolicyFileError(`${file}: two payers have the same id`);
  const here = (address: string): string => (address.startsWith('/') ? `${baseUrl.replace(/\/+$/, '')}${address}` : address);
  return createPayerDirectory(payers.map((payer) => ({ ...payer, fhirBase: here(payer.fhirBase), crd: payer.crd && { ...payer.crd, baseUrl: here(payer.crd.baseUrl).replace(/\/+$/, '') },
    dtr: payer.dtr && { ...payer.dtr, terminologyServers: payer.dtr.terminologyServers?.map(here) },
  })));
}

function isSecure(address: string): boolean {
  const url = URL.parse(address, 'https://here.invalid');
  return url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)));
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
