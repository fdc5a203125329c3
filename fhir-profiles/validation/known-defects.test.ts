import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import type { IgId } from '../tables/ig-lock.ts';
import type { TableLine } from '../tables/table-format.ts';
import { Forest, type ElementNode, type StructureTree } from './element-tree.ts';
import { atElement, atRoot, contextAllows, insideExtension, type ExtensionPlace } from './extension-context.ts';
import { isKnownDefect, KNOWN_DEFECTS } from './known-defects.ts';
import { Tables } from './load-tables.ts';

const GUIDES: readonly IgId[] = ['pas-2.0.1', 'pas-2.2.1', 'crd-2.0.1', 'dtr-2.0.1'];

function treesOf(ig: IgId): StructureTree[] {
  const forest = new Forest(new Tables(ig));
  const lines = readFileSync(new URL(`../generated/${ig}.ndjson`, import.meta.url), 'utf8').trim().split('\n');
  return lines.flatMap((line) => {
    const facts = JSON.parse(line) as TableLine;
    return facts.table === 'structure' && facts.kind !== 'logical' ? (forest.tree(facts.url) ?? []) : [];
  });
}

/** Places where a profile asks for an extension whose own context forbids it. */
function contradictions(ig: IgId): { url: string; place: ExtensionPlace }[] {
  const forest = new Forest(new Tables(ig));
  return treesOf(ig).flatMap((tree) =>
    [...tree.byId.values()].flatMap((slice) => {
      const profile = slice.sliceOf && slice.facts.max !== 0 && slice.name.endsWith('xtension') ? slice.facts.types?.[0]?.profiles?.[0] : undefined;
      const extension = profile === undefined ? undefined : forest.tree(profile)?.facts;
      if (!extension?.context) return [];
      return placesOf(slice, tree)
        .filter((place) => !contextAllows(extension.context ?? [], place))
        .map((place) => ({ url: extension.url, place }));
    }),
  );
}

function placesOf(slice: ElementNode, { facts, byId }: StructureTree): ExtensionPlace[] {
  const parentId = slice.facts.id.slice(0, slice.facts.id.lastIndexOf('.'));
  const parent = byId.get(parentId);
  if (facts.type === 'Extension') {
    const own = (facts.context ?? []).filter(({ expression }) => expression.startsWith('ClaimResponse'));
    return parentId === 'Extension' ? own.map(({ expression }) => insideExtension({ ...atRoot(expression), names: [expression] }, facts.url)) : [];
  }
  if (!parent) return [];
  if (parentId.includes('.')) return [atElement(parent, parent.facts.types?.[0]?.code)];
  return [facts.kind === 'resource' ? atRoot(facts.type) : { names: [facts.type], isResourceRoot: false, insideExtension: undefined }];
}

it('names every contradiction in the guides, and nothing that is none', () => {
  const found = GUIDES.flatMap(contradictions);
  expect(found.filter(({ url, place }) => !isKnownDefect('extension-context', url, place.names))).toEqual([]);
  const idle = KNOWN_DEFECTS.flatMap(({ subject, at }) => at.map((path) => ({ subject, path }))).filter(
    ({ subject, path }) => !found.some(({ url, place }) => url === subject && place.names.includes(path)),
  );
  expect(idle).toEqual([]);
});
