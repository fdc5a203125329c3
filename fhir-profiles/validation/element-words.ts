import { splitCanonical } from '../base/canonical.ts';
import type { ElementNode } from './element-tree.ts';

/** How messages and paths name an element. */
export function stepName({ name }: ElementNode): string {
  return name.endsWith('[x]') ? name.slice(0, -3) : name;
}

export function cardinality({ facts: { min = 0, max = 1 } }: ElementNode): string {
  return `${min}..${max}`;
}

export function expectedTypes({ facts }: ElementNode): string {
  const codes = facts.types?.map(({ code }) => code.replace('System.String', 'string'));
  return codes?.length ? ` (${codes.join(' or ')})` : '';
}

export function sliceWords(slice: ElementNode): string {
  const profile = slice.facts.types?.[0]?.profiles?.[0];
  return `${cardinality(slice)} of slice ${slice.sliceName ?? ''}${profile === undefined ? '' : ` (${splitCanonical(profile).url})`}`;
}
