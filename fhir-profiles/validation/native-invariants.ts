import { isObject, type JsonObject } from './json-values.ts';

export interface InvariantContext {
  /** `%resource`: the resource the element is in. */
  readonly resource: JsonObject;
  /** `%rootResource`: its container when it is a contained one. */
  readonly rootResource: JsonObject;
}

/**
 * R4 rules that stand on every reference and resource: their FHIRPath would cost more than all the rest together, and the
 * engine refuses that of dom-3.
 */
export const NATIVE_INVARIANTS: Readonly<Record<string, (value: JsonObject, context: InvariantContext) => boolean>> = {
  'ref-1': ({ reference }, { resource, rootResource }) =>
    typeof reference !== 'string' || !reference.startsWith('#') || reference === '#' || holds(rootResource, reference) || holds(resource, reference),
  'dom-2': (resource) => containedOf(resource).every(({ contained }) => contained === undefined),
  'dom-3': everyContainedIsUsed,
  'dom-4': (resource) => containedOf(resource).every(({ meta }) => !isObject(meta) || (meta['versionId'] === undefined && meta['lastUpdated'] === undefined)),
  'dom-5': (resource) => containedOf(resource).every(({ meta }) => !isObject(meta) || meta['security'] === undefined),
};

function containedOf({ contained }: JsonObject): JsonObject[] {
  return Array.isArray(contained) ? contained.filter(isObject) : [];
}

function holds(resource: JsonObject, reference: string): boolean {
  return containedOf(resource).some(({ id }) => typeof id === 'string' && `#${id}` === reference);
}

/** A contained resource is referred to from its container, or refers to it. */
function everyContainedIsUsed(resource: JsonObject): boolean {
  const contained = containedOf(resource);
  if (contained.length === 0) return true;
  const used = new Set(localTexts(resource));
  return contained.every((inner) => (typeof inner['id'] === 'string' && used.has(`#${inner['id']}`)) || localTexts(inner).includes('#'));
}

/** Every text in it that could be a local reference. */
function localTexts(value: unknown): string[] {
  if (typeof value === 'string') return value.startsWith('#') ? [value] : [];
  if (Array.isArray(value)) return value.flatMap(localTexts);
  return isObject(value) ? Object.values(value).flatMap(localTexts) : [];
}
