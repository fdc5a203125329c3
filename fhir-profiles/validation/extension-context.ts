import type { StructureFacts } from '../tables/table-format.ts';
import type { ElementNode } from './element-tree.ts';

/** Where an extension stands. */
export interface ExtensionPlace {
  /** Element paths and type of the parent, such as `Claim.item.category` and `CodeableConcept`; the resource type at a root. */
  readonly names: readonly string[];
  readonly isResourceRoot: boolean;
  /** Url of the extension it is a part of. */
  readonly insideExtension: string | undefined;
}

export function atRoot(resourceType: string): ExtensionPlace {
  return { names: [resourceType], isResourceRoot: true, insideExtension: undefined };
}

/** A data type's element goes by two paths: `MedicationRequest.dosageInstruction.timing` is `Dosage.timing` too. */
export function atElement(node: ElementNode, type: string | undefined): ExtensionPlace {
  const { id, contentReference } = node.facts;
  const parentType = node.tree.byId.get(id.slice(0, id.lastIndexOf('.')))?.facts.types?.[0]?.code;
  const repeated = contentReference === undefined ? undefined : node.tree.byId.get(contentReference)?.path;
  const names = [node.path, ...(repeated === undefined ? [] : [repeated]), ...(parentType === undefined ? [] : [`${parentType}.${node.name}`]), ...(type === undefined ? [] : [type])];
  return { names: names.map((name) => name.replaceAll('[x]', '')), isResourceRoot: false, insideExtension: undefined };
}

export function insideExtension(outer: ExtensionPlace, url: string | undefined): ExtensionPlace {
  return { names: [...outer.names.map((name) => `${name}.extension`), 'Extension'], isResourceRoot: false, insideExtension: url };
}

const ANY_ELEMENT: ReadonlySet<string> = new Set(['Element', 'BackboneElement', '*']);
/** `Request` and the like are patterns that R4 does not tie to resource types. */
const ANY_RESOURCE: ReadonlySet<string> = new Set(['Resource', 'DomainResource', 'CanonicalResource', 'MetadataResource', 'Request', 'Event', 'Definition']);

/** StructureDefinition.context; FHIRPath contexts and those that name a profile are taken as fulfilled. */
export function contextAllows(contexts: NonNullable<StructureFacts['context']>, place: ExtensionPlace): boolean {
  return contexts.some(({ type, expression }) => {
    if (type === 'extension') return place.insideExtension === expression.split('#')[0];
    if (type !== 'element' || expression.includes(':')) return true;
    if (ANY_ELEMENT.has(expression)) return true;
    if (ANY_RESOURCE.has(expression)) return place.isResourceRoot;
    return place.names.includes(expression.replaceAll('[x]', ''));
  });
}
