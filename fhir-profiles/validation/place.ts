import { atElement, atRoot, type ExtensionPlace } from './extension-context.ts';
import type { ElementNode } from './element-tree.ts';
import { isObject, type JsonObject } from './json-values.ts';
import { BundleIndex, containedResource } from './references.ts';

/** Where in the instance a walk is. */
export interface Place {
  readonly resource: JsonObject;
  readonly rootResource: JsonObject;
  readonly fullUrl: string | undefined;
  /** Innermost first. */
  readonly bundles: readonly BundleIndex[];
  /** The element whose extensions are next. */
  readonly extensions: ExtensionPlace;
}

export function outermost(resource: JsonObject): Place {
  const type = String(resource['resourceType']);
  return {
    resource,
    rootResource: resource,
    fullUrl: undefined,
    bundles: type === 'Bundle' ? [new BundleIndex(resource)] : [],
    extensions: atRoot(type),
  };
}

/** In a resource that stands in another: contained, or an entry or a parameter. */
export function insideResource(value: JsonObject, isContained: boolean, outer: Place): Place {
  const { bundles } = outer;
  return {
    resource: value,
    rootResource: isContained ? outer.rootResource : value,
    fullUrl: isContained ? outer.fullUrl : (bundles[0]?.fullUrlOf(value) ?? outer.fullUrl),
    bundles: value['resourceType'] === 'Bundle' ? [new BundleIndex(value), ...bundles] : bundles,
    extensions: atRoot(String(value['resourceType'])),
  };
}

/** At the resource that a reference led to. */
export function atTarget(target: JsonObject, from: Place): Place {
  return insideResource(target, false, from);
}

export function atElementOf(place: Place, node: ElementNode, type: string | undefined): Place {
  return { ...place, extensions: atElement(node, type) };
}

export function resolveAt({ resource, rootResource, bundles, fullUrl }: Place, reference: string): JsonObject | undefined {
  if (reference.startsWith('#')) return containedResource(rootResource, reference) ?? containedResource(resource, reference);
  for (const bundle of bundles) {
    const found = bundle.resolve(reference, fullUrl);
    if (found) return found;
  }
  return undefined;
}

/** The value has extensions of its own, so where they stand matters. */
export function hasExtensions(value: JsonObject): boolean {
  return 'extension' in value || 'modifierExtension' in value;
}

export function isResource(value: unknown): value is JsonObject & { readonly resourceType: string } {
  return isObject(value) && typeof value['resourceType'] === 'string';
}
