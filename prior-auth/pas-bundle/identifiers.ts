import type { Identifier } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';

/** Our own numbering: docs/decisions/identifiers.md. */
export const IDENTIFIER_SYSTEMS = {
  submission: 'https://openpriorauth.org/pas/submission',
  claim: 'https://openpriorauth.org/pas/claim',
  itemTrace: 'https://openpriorauth.org/pas/item-trace',
} as const;

/** The check digit of an NPI: Luhn over 80840 and its ten digits (45 CFR 162.406). US Core demands it from 4.0 on. */
export function isCheckedNpi(value: string): boolean {
  const sum = `80840${value}`.split('').toReversed().reduce((total, digit, index) => total + (index % 2 === 0 ? Number(digit) : [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][Number(digit)] ?? 0), 0);
  return /^\d{10}$/.test(value) && sum % 10 === 0;
}

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
export function providerIdentifiers(identifiers: readonly Identifier[] | undefined, { checksNpi }: { readonly checksNpi: boolean }): Identifier[] {
  const usable = usableIdentifiers(identifiers).filter(({ system, value }) => !checksNpi || system !== CODE_SYSTEMS.npi || isCheckedNpi(value ?? ''));
  const national = usable.filter(({ system }) => system === CODE_SYSTEMS.npi || system === CODE_SYSTEMS.tin);
  return (national.length > 0 ? national : usable.slice(0, 1)).map(({ system, value }) => ({ system: system ?? '', value: value ?? '' }));
}
