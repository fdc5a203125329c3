import type { Resource } from '@medplum/fhirtypes';
import type { ElmLibrary } from './compile-cql.ts';

interface ParameterDeclaration {
  readonly name?: string;
  readonly default?: unknown;
  readonly parameterTypeSpecifier?: { readonly type?: string; readonly name?: string; readonly elementType?: { readonly name?: string } };
}

/**
 * The parameters that libraries declare, bound from the launch: by the names that payers use, else by the declared FHIR type; an order of
 * another type is null, as the published libraries expect. A parameter that is no resource keeps its default.
 */
export function launchParameters(launch: Readonly<Record<string, Resource | null>>, elm: readonly ElmLibrary[], wrap: (resource: object) => unknown): Record<string, unknown> {
  const declared = elm.flatMap(({ library }) => (library['parameters'] as { def?: ParameterDeclaration[] } | undefined)?.def ?? []);
  const bound: Record<string, unknown> = {};
  for (const { name, default: otherwise, parameterTypeSpecifier: specifier } of declared) {
    if (name === undefined) continue;
    const isList = specifier?.type === 'ListTypeSpecifier';
    const type = fhirType(isList ? specifier.elementType?.name : specifier?.name);
    const named = Object.hasOwn(launch, name) ? launch[name] ?? null : undefined;
    const fits = (resource: Resource | null | undefined): resource is Resource => Boolean(resource) && (type === undefined || resource?.resourceType === type);
    const found = fits(named) ? named : type === undefined ? undefined : Object.values(launch).find(fits);
    if (found) bound[name] = isList ? [wrap(found)] : wrap(found);
    else if (named !== undefined || (type !== undefined && otherwise === undefined)) bound[name] = isList ? [] : null;
  }
  return bound;
}

const FHIR_TYPE = /^\{http:\/\/hl7\.org\/fhir\}([A-Z]\w+)$/;

function fhirType(name: string | undefined): string | undefined {
  return FHIR_TYPE.exec(name ?? '')?.[1];
}
