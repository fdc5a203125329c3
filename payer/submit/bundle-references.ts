import type { Bundle, BundleEntry } from '@medplum/fhirtypes';
import { absoluteFrom } from '#fhir/base/reference.ts';

/** Every literal reference inside a resource, except those to its own contained resources. */
export function referencesIn(resource: unknown): readonly string[] {
  const found: string[] = [];
  const waiting: unknown[] = [resource];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, child] of Object.entries(value)) {
      if (key === 'reference' && typeof child === 'string') {
        if (!child.startsWith('#')) found.push(child);
      } else if (child !== null) waiting.push(child);
    }
  }
  return found;
}

/** The entry that a reference means when it stands in the entry `fromFullUrl`. */
export function entryOf(bundle: Bundle, reference: string | undefined, fromFullUrl: string | undefined): BundleEntry | undefined {
  const wanted = reference === undefined ? undefined : absoluteFrom(reference, fromFullUrl);
  return wanted === undefined ? undefined : bundle.entry?.find((entry) => entry.fullUrl === wanted);
}

/** The entries reachable from the given ones through references, themselves first, each once. */
export function closureOf(bundle: Bundle, roots: readonly BundleEntry[]): readonly BundleEntry[] {
  const reached = new Set<BundleEntry>(roots);
  for (const entry of reached) {
    for (const reference of referencesIn(entry.resource)) {
      const target = entryOf(bundle, reference, entry.fullUrl);
      if (target) reached.add(target);
    }
  }
  return [...reached];
}
