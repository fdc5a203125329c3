import type { ElementNode } from './element-tree.ts';
import type { IssueCode } from './report.ts';

/** One value of an element, with the `_name` part of a primitive beside it. */
export interface Occurrence {
  readonly value: unknown;
  readonly companion: unknown;
  readonly path: string;
  readonly type: string | undefined;
}

/** The values under one key. Undefined, after telling why, when JSON has a list where none belongs or the other way round. */
export function occurrencesOf(
  node: ElementNode,
  { value, companion, path, type }: Occurrence,
  tell: (code: IssueCode, message: string) => void,
): Occurrence[] | undefined {
  if (!node.facts.array) {
    if (Array.isArray(value)) {
      tell('array-not-allowed', 'is an array, but the element does not repeat; give the value itself');
      return undefined;
    }
    if (companion === null) tell('empty', 'has a companion with "_" that is null; leave it out');
    return [{ value, companion, path, type }];
  }
  if (value !== undefined && !Array.isArray(value)) {
    tell('array-expected', 'must be an array, because the element may repeat; put the value in [ ]');
    return undefined;
  }
  if (companion !== undefined && !Array.isArray(companion)) {
    tell('array-expected', 'has a companion with "_" that is no array, while the element may repeat');
  }
  const values: unknown[] = value ?? [];
  const companions: unknown[] = Array.isArray(companion) ? companion : [];
  const length = Math.max(values.length, companions.length);
  if (length === 0) tell('empty', 'is an empty array; leave the element out');
  return Array.from({ length }, (_, index) => ({ value: values[index], companion: companions[index], path: `${path}[${index}]`, type }));
}
