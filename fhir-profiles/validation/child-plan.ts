import type { ElementNode } from './element-tree.ts';

/** Which JSON keys an object may have under one description, worked out once per description. */
export interface ChildPlan {
  readonly byKey: ReadonlyMap<string, PlannedKey>;
  readonly choices: readonly { readonly stem: string; readonly child: ElementNode }[];
  /** Children that must be there. */
  readonly required: readonly ElementNode[];
}

interface PlannedKey {
  readonly child: ElementNode;
  /** Type code of the value; undefined for content references. */
  readonly type: string | undefined;
}

const plans = new WeakMap<ElementNode, ChildPlan>();

export function childPlan(source: ElementNode): ChildPlan {
  const cached = plans.get(source);
  if (cached) return cached;
  const byKey = new Map<string, PlannedKey>();
  const choices: { stem: string; child: ElementNode }[] = [];
  const required: ElementNode[] = [];
  for (const [name, child] of source.children) {
    if (child.facts.min) required.push(child);
    const types = child.facts.types ?? [];
    if (name.endsWith('[x]')) {
      const stem = name.slice(0, -3);
      choices.push({ stem, child });
      for (const { code } of types) byKey.set(stem + capitalized(code), { child, type: code });
    } else {
      byKey.set(name, { child, type: types[0]?.code });
    }
  }
  const plan = { byKey, choices, required };
  plans.set(source, plan);
  return plan;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function isPrimitiveType(code: string): boolean {
  return /^[a-z]/.test(code) || code.startsWith('System.');
}
