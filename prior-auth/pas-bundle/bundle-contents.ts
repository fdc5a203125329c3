import type { BundleEntry, Resource } from '@medplum/fhirtypes';
import { parseReference, withoutSlashes } from '#fhir/base/reference.ts';
import { cleanCopy, type ReferenceRule } from './clean-copy.ts';

/** Gives a new random UUID (version 4) at each call; the test kits refuse other versions. */
export type IdSource = () => string;

/**
 * The entries of one bundle being written. A record's resource is known by its EHR reference ("Patient/1") and gets one
 * urn:uuid, so nothing can be in the bundle twice; references are rewritten when an entry is added, so nothing can dangle.
 */
export interface BundleContents {
  /** The urn that `ehrReferences` will have; several names of one resource share it. */
  reserve(...ehrReferences: readonly (string | undefined)[]): string;
  /** The urn of a resource that is, or will be, in the bundle. */
  urnOf(ehrReference: string | undefined): string | undefined;
  add(urn: string, resource: Resource, options?: { readonly keepUnresolved?: boolean }): void;
  /** In the order added. */
  entries(): BundleEntry[];
  /** Urns by the record's reference ("Observation/1"): what a later update needs to say the same of the same. */
  names(): Readonly<Record<string, string>>;
}

/** `known`: names of resources that were sent before and keep their urns. */
export function openBundleContents(ids: IdSource, ehrBase: string, known: Readonly<Record<string, string>> = {}): BundleContents {
  const urns = new Map<string, string>(Object.entries(known));
  const entries = new Map<string, Resource>();
  const base = withoutSlashes(ehrBase);

  const keyOf = (reference: string): string | undefined => {
    const parsed = parseReference(reference);
    if (parsed.kind !== 'relative' && parsed.kind !== 'absolute') return undefined;
    return parsed.kind === 'absolute' && parsed.base !== base ? undefined : `${parsed.resourceType}/${parsed.id}`;
  };
  const urnOf = (reference: string | undefined): string | undefined => {
    if (reference === undefined) return undefined;
    const key = keyOf(reference);
    return key === undefined ? undefined : urns.get(key);
  };
  const resolveOr =
    (otherwise: ReferenceRule): ReferenceRule =>
    (reference) => {
      if (reference.startsWith('urn:uuid:')) return { reference };
      const urn = urnOf(reference);
      return urn === undefined ? otherwise(reference) : { reference: urn };
    };
  const drop = resolveOr(() => undefined);
  const asLogical = resolveOr((reference) => {
    const key = keyOf(reference);
    return key === undefined ? undefined : { identifier: { system: base, value: key } };
  });

  return {
    reserve(...ehrReferences) {
      const urn = `urn:uuid:${ids()}`;
      for (const reference of ehrReferences) {
        const key = reference === undefined ? undefined : keyOf(reference);
        if (key !== undefined && !urns.has(key)) urns.set(key, urn);
      }
      return urn;
    },
    urnOf,
    add(urn, resource, { keepUnresolved = false } = {}) {
      entries.set(urn, cleanCopy(resource, keepUnresolved ? asLogical : drop));
    },
    names: () => Object.fromEntries(urns),
    entries: () => [...entries].map(([fullUrl, resource]) => ({ fullUrl, resource })),
  };
}
