import type { ValueSet, ValueSetExpansionContains } from '@medplum/fhirtypes';

export interface ActiveCode {
  readonly system?: string;
  readonly code: string;
  readonly display?: string;
}

/** The active codes of a value set that lists them, in its order: of its expansion, else of its definition. */
export function activeCodes(valueSet: ValueSet): readonly ActiveCode[] {
  if (valueSet.expansion?.contains) return flatten(valueSet.expansion.contains);
  return (valueSet.compose?.include ?? []).flatMap(({ system, concept }) => (concept ?? []).map(({ code, display }) => facts(system, code ?? '', display)));
}

function flatten(contains: readonly ValueSetExpansionContains[]): ActiveCode[] {
  return contains.flatMap(({ system, code, display, inactive, abstract, contains: inner }) => [
    ...(code === undefined || inactive === true || abstract === true ? [] : [facts(system, code, display)]),
    ...flatten(inner ?? []),
  ]);
}

function facts(system: string | undefined, code: string, display: string | undefined): ActiveCode {
  return { ...(system === undefined ? {} : { system }), code, ...(display === undefined ? {} : { display }) };
}
