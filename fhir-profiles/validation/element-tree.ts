import { splitCanonical } from '../base/canonical.ts';
import type { ElementFacts, InvariantFacts, StructureFacts, TypeFacts } from '../tables/table-format.ts';
import type { Tables } from './load-tables.ts';

/** A snapshot element in its tree. Slices hang on the element they slice. */
export interface ElementNode {
  readonly facts: ElementFacts;
  /** Last step of the path without slice name: `item`, `value[x]`. */
  readonly name: string;
  /** FHIR path without slice names. */
  readonly path: string;
  readonly sliceName?: string;
  readonly sliceOf?: ElementNode;
  readonly children: Map<string, ElementNode>;
  readonly slices: ElementNode[];
  readonly tree: StructureTree;
}

export interface StructureTree {
  readonly facts: StructureFacts;
  readonly root: ElementNode;
  readonly byId: ReadonlyMap<string, ElementNode>;
}

const CORE = 'http://hl7.org/fhir/StructureDefinition/';

export function typeUrl(code: string): string {
  return code.includes(':') ? code : CORE + code;
}

/** Trees of the structures one guide sees, built when first asked for. */
export class Forest {
  readonly tables: Tables;
  readonly #trees = new Map<string, StructureTree | undefined>();
  readonly #completed = new Map<ElementNode, Map<string, ElementNode>>();

  constructor(tables: Tables) {
    this.tables = tables;
  }

  /** The tree of a canonical (its version is not looked at) or of a type name. */
  tree(canonicalOrType: string): StructureTree | undefined {
    const url = typeUrl(splitCanonical(canonicalOrType).url);
    if (this.#trees.has(url)) return this.#trees.get(url);
    const facts = this.tables.structure(url);
    const tree = facts && buildTree(facts);
    this.#trees.set(url, tree);
    return tree;
  }

  /** Where the children of a value of this element are described: here, at the element it repeats, or at its type. */
  childSource(node: ElementNode, typeCode: string | undefined): ElementNode | undefined {
    const { contentReference } = node.facts;
    if (contentReference !== undefined) return node.tree.byId.get(contentReference);
    const type = typeCode === undefined ? undefined : this.tree(typeCode)?.root;
    const described = node.children.size > 0 ? node : node.sliceOf;
    return described?.children.size ? this.#complete(described, type) : type;
  }

  /** A snapshot that only adds an extension to a choice (`answerOption.value[x].extension`) leaves the children of its types out. */
  #complete(node: ElementNode, type: ElementNode | undefined): ElementNode {
    if (!type) return node;
    const byType = this.#completed.get(node) ?? new Map<string, ElementNode>();
    this.#completed.set(node, byType);
    let complete = byType.get(type.path);
    if (!complete) {
      const lacksSome = [...type.children.keys()].some((name) => !node.children.has(name));
      complete = lacksSome ? { ...node, children: new Map([...type.children, ...node.children]) } : node;
      byType.set(type.path, complete);
    }
    return complete;
  }

  /** A child by name, seen through slices, content references and types. */
  child(node: ElementNode, name: string): ElementNode | undefined {
    const type: TypeFacts | undefined = node.facts.types?.[0];
    const profile = type?.profiles?.[0];
    const sources = [this.childSource(node, type?.code), profile === undefined ? undefined : this.tree(profile)?.root];
    for (const source of sources) {
      const found = source?.children.get(name) ?? source?.children.get(`${name}[x]`);
      if (found) return found;
    }
    return undefined;
  }
}

function buildTree(facts: StructureFacts): StructureTree | undefined {
  const byId = new Map<string, ElementNode>();
  const [first, ...others] = facts.elements;
  if (!first) return undefined;
  const tree: { facts: StructureFacts; byId: Map<string, ElementNode>; root?: ElementNode } = { facts, byId };
  const node = (element: ElementFacts, name: string, slice?: { sliceName: string; sliceOf: ElementNode }): ElementNode => {
    const made: ElementNode = {
      facts: element,
      name,
      path: element.id.replaceAll(/:[^.]+/g, ''),
      ...slice,
      children: new Map(),
      slices: [],
      tree: tree as StructureTree,
    };
    byId.set(element.id, made);
    return made;
  };
  tree.root = node(first, facts.type);
  for (const element of others) {
    const dot = element.id.lastIndexOf('.');
    const parentId = element.id.slice(0, dot);
    const [name = '', sliceName] = element.id.slice(dot + 1).split(/:(.*)/s);
    const sliceOf = sliceName === undefined ? undefined : byId.get(`${parentId}.${name}`);
    if (sliceName !== undefined && sliceOf) sliceOf.slices.push(node(element, name, { sliceName, sliceOf }));
    else byId.get(parentId)?.children.set(name, node(element, name));
  }
  return tree as StructureTree;
}

/** Invariants of an element and of its type, each key once. */
export function invariantsOf(...sources: readonly (ElementNode | undefined)[]): InvariantFacts[] {
  const byKey = new Map<string, InvariantFacts>();
  for (const source of sources) for (const invariant of source?.facts.invariants ?? []) if (!byKey.has(invariant.key)) byKey.set(invariant.key, invariant);
  return [...byKey.values()];
}
