import type { Identifier } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';

/** Our own numbering: docs/decisions/identifiers.md. */
export const IDENTIFIER_SYSTEMS = {
  submission: 'https://openpriorauth.org/pas/submission',
  claim: 'https://openpriorauth.org/pas/claim',
  itemTrace: 'https://openpriorauth.org/pas/item-trace',
} as const;

/** Identifiers with system and value, trimmed; an NPI only when it has ten digits. */
export function usableIdentifiers(identifiers: readonly Identifier[] | undefined): Identifier[] {
  return (identifiers ?? []).flatMap((identifier) => {
    const system = identifier.system?.trim();
    const value = identifier.value?.trim();
    if (!system || !value || (system === CODE_SYSTEMS.npi && !/^\d{10}$/.test(value))) return [];
    return [{ ...(identifier.type ? { type: identifier.type } : {}), system, value }];
  });
}

export function hasType(identifier: Identifier, code: string): boolean {
  return identifier.type?.coding?.some((coding) => coding.code?.trim() === code) ?? false;
}

/** The NPI alone when there is one, else the first of what there is: no more identifiers leave than the payer needs. */
export function providerIdentifiers(identifiers: readonly Identifier[] | undefined): Identifier[] {
  const usable = usableIdentifiers(identifiers);
  const national = usable.filter(({ system }) => system === CODE_SYSTEMS.npi || system === CODE_SYSTEMS.tin);
  return (national.length > 0 ? national : usable.slice(0, 1)).map(({ system, value }) => ({ system: system ?? '', value: value ?? '' }));
}
