import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import type { PolicyRevision } from '#prior-auth/coverage-requirement/policy.ts';
import { canonicalCoding } from '#prior-auth/order/canonical-coding.ts';
import type { Fault } from './json-file.ts';

/** Code systems that an order can be looked up by. Any other matches no order. */
const SERVICE_SYSTEMS: ReadonlyMap<string, string> = new Map([
  ['CPT', CODE_SYSTEMS.cpt],
  ['HCPCS', CODE_SYSTEMS.hcpcs],
  ['ICD-10-PCS', CODE_SYSTEMS.icd10pcs],
  ['NDC', CODE_SYSTEMS.ndc],
  ['RXNORM', CODE_SYSTEMS.rxnorm],
  ['SNOMED CT', CODE_SYSTEMS.snomed],
  ['LOINC', CODE_SYSTEMS.loinc],
]);

export function systemFault(system: string): string | undefined {
  const address = SERVICE_SYSTEMS.get(system.trim().toUpperCase());
  if (address !== undefined) return `"${system}" is no address of a code system: write ${address}`;
  if ([...SERVICE_SYSTEMS.values()].includes(spelt(system))) return undefined;
  return `"${system}" is no code system that orders are looked up by. They are: ${[...SERVICE_SYSTEMS].map(([name, known]) => `${name} ${known}`).join(', ')}`;
}

/** The system is one that orders are looked up by. */
export function spellingFault(system: string): string | undefined {
  const right = spelt(system);
  return right === system ? undefined : `must be ${right}`;
}

function spelt(system: string): string {
  return canonicalCoding({ system, code: 'x' })?.system ?? system;
}

/** The coding is canonical. */
export function codeFault({ system, code }: { readonly system: string; readonly code: string }): string | undefined {
  if (/\s/.test(code)) return `"${code}" is no code`;
  const isRange = /^[A-Z]?\d+[A-Z]?\s*[-–]\s*[A-Z]?\d+[A-Z]?$/i.test(code) ? ': name each code of a range' : '';
  if (system === CODE_SYSTEMS.hcpcs && !/^[A-V]\d{4}$/.test(code)) return `"${code}" is no HCPCS code (a letter and four digits)${isRange}`;
  if (system === CODE_SYSTEMS.cpt && !/^\d{4}[\dFTUAM]$/.test(code)) return `"${code}" is no CPT code (five digits, or four and a letter)${isRange}`;
  return undefined;
}

/** Paths begin at the revision. */
export function serviceFaults({ services }: PolicyRevision): readonly Fault[] {
  return services.flatMap((service, s): readonly Fault[] => {
    const at = (message: string, ...path: PropertyKey[]): Fault => ({ path: ['services', s, ...path], message });
    const ends = service.from !== undefined && service.to !== undefined && service.to < service.from ? [at('names services whose phase ends before it begins', 'to')] : [];
    const system = systemFault(service.system);
    if (system !== undefined) return [...ends, at(system, 'system')];
    const spelling = spellingFault(service.system);
    return [
      ...ends,
      ...(spelling === undefined ? [] : [at(spelling, 'system')]),
      ...service.codes.flatMap((code, c) => {
        const canonical = canonicalCoding({ system: service.system, code });
        const fault = canonical && codeFault(canonical);
        if (fault !== undefined) return [at(fault, 'codes', c)];
        if (canonical && canonical.code !== code) return [at(`names ${code}, which is written ${canonical.code} of ${canonical.system}`, 'codes', c)];
        if (canonical && canonical.system !== spelt(service.system)) return [at(`${code} is a code of ${canonical.system}: name it in an entry of its own, with that system`, 'codes', c)];
        return service.codes.indexOf(code) < c ? [at(`names ${code} twice`, 'codes', c)] : [];
      }),
    ];
  });
}
