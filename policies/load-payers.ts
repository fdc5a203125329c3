import { withoutSlashes } from '#fhir/base/reference.ts';
import { join } from 'node:path';
import { z } from 'zod/mini';
import { createPayerDirectory, type Payer, type PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import { type Fault, readJsonFile } from './json-file.ts';
import { payerSchema } from './payer-schema.ts';

export type { Payer, PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';

/** The payers that the program brings. */
export const SHIPPED_PAYERS = join(import.meta.dirname, 'payers.json');

const payersFile = z.strictObject({ payers: z.array(payerSchema) });

/** @throws PolicyFileError */
export function loadPayers(baseUrl: string, file: string = SHIPPED_PAYERS): PayerDirectory {
  return createPayerDirectory(readPayersFile(file).map((payer) => absolute(payer, baseUrl)));
}

/** Paths stay paths. @throws PolicyFileError */
export function readPayersFile(file: string): readonly Payer[] {
  return readJsonFile(file, payersFile, ({ payers }) => clashesAmong(payers)).payers;
}

/** What two payers must not have in common: with either, a coverage would be sent to the wrong one. */
function clashesAmong(payers: readonly Payer[]): readonly Fault[] {
  const ids = new Map<string, number>();
  const identifiers = new Map<string, number>();
  return payers.flatMap((payer, index) => [
    ...clash(ids, payer.id, index, ['payers', index, 'id'], 'the same id as'),
    ...payer.organizationIdentifiers.flatMap(({ system, value }, i) => clash(identifiers, `${system}|${value}`, index, ['payers', index, 'organizationIdentifiers', i], 'the same identifier as')),
  ]);
}

function clash(seen: Map<string, number>, key: string, index: number, path: Fault['path'], message: string): readonly Fault[] {
  const before = seen.get(key);
  if (before === undefined) seen.set(key, index);
  return before === undefined || before === index ? [] : [{ path, message: `${message} payers.${before}` }];
}

/** Paths become addresses under this server's own. */
export function absolute(payer: Payer, baseUrl: string): Payer {
  const here = (address: string): string => (address.startsWith('/') ? `${withoutSlashes(baseUrl)}${address}` : address);
  return {
    ...payer,
    fhirBase: here(payer.fhirBase),
    ...(payer.discoveryBase === undefined ? {} : { discoveryBase: here(payer.discoveryBase) }),
    ...(payer.crd ? { crd: { ...payer.crd, baseUrl: withoutSlashes(here(payer.crd.baseUrl)) } } : {}),
    ...(payer.dtr ? { dtr: { ...payer.dtr, terminologyServers: payer.dtr.terminologyServers?.map(here) } } : {}),
    ...(payer.plans ? { plans: payer.plans.map((plan) => ({ ...plan, fhirBase: here(plan.fhirBase) })) } : {}),
  };
}
