import { parseReference } from '../base/reference.ts';
import { isObject, type JsonObject } from './json-values.ts';

/** The resources a reference can mean: entries of the Bundle around it, and what the resource contains. */
export class BundleIndex {
  readonly #byFullUrl = new Map<string, JsonObject>();
  readonly #fullUrlOf = new Map<JsonObject, string>();

  constructor(bundle: JsonObject) {
    for (const entry of Array.isArray(bundle['entry']) ? bundle['entry'] : []) {
      if (!isObject(entry) || typeof entry['fullUrl'] !== 'string' || !isObject(entry['resource'])) continue;
      if (!this.#byFullUrl.has(entry['fullUrl'])) this.#byFullUrl.set(entry['fullUrl'], entry['resource']);
      this.#fullUrlOf.set(entry['resource'], entry['fullUrl']);
    }
  }

  fullUrlOf(resource: JsonObject): string | undefined {
    return this.#fullUrlOf.get(resource);
  }

  /** R4 bundle.html#references: a relative reference is completed with the base of the entry it stands in. */
  resolve(reference: string, fromFullUrl: string | undefined): JsonObject | undefined {
    const parsed = parseReference(reference);
    if (parsed.kind === 'relative') {
      const base = fromFullUrl === undefined ? undefined : parseReference(fromFullUrl);
      return base?.kind === 'absolute' ? this.#byFullUrl.get(`${base.base}/${parsed.resourceType}/${parsed.id}`) : undefined;
    }
    if (parsed.kind === 'absolute') return this.#byFullUrl.get(`${parsed.base}/${parsed.resourceType}/${parsed.id}`);
    return this.#byFullUrl.get(reference);
  }
}

export function containedResource(container: JsonObject, reference: string): JsonObject | undefined {
  const contained = Array.isArray(container['contained']) ? container['contained'] : [];
  return contained.filter(isObject).find(({ id }) => `#${String(id)}` === reference);
}

/** Type named by the text of a reference, when it names one. */
export function typeInReference(reference: string): string | undefined {
  const parsed = parseReference(reference);
  return parsed.kind === 'relative' || parsed.kind === 'absolute' ? parsed.resourceType : undefined;
}
