import { canonicalCodeSystem } from '#fhir/base/code-systems.ts';

/** What to do with a reference: another literal reference, a logical one, or nothing (the element goes). */
export type ReferenceRule = (reference: string) => { readonly reference: string } | { readonly identifier: { readonly system: string; readonly value: string } } | undefined;

/**
 * A deep copy fit to be sent: every reference goes through `rule`; what became empty, and what the record carries empty
 * ("" or null, which FHIR forbids), is left out; code systems are spelled as FHIR spells them and codes trimmed.
 */
export function cleanCopy<T extends object>(value: T, rule: ReferenceRule): T {
  return (copyObject(value as Readonly<Record<string, unknown>>, rule) ?? {}) as T;
}

function copyValue(value: unknown, rule: ReferenceRule): unknown {
  if (Array.isArray(value)) return copyArray(value, rule);
  if (typeof value === 'object' && value !== null) return copyObject(value as Readonly<Record<string, unknown>>, rule);
  if (value === null || value === '') return undefined;
  return value;
}

/** An array of primitives may carry null beside a parallel `_element`: positions are kept there. */
function copyArray(values: readonly unknown[], rule: ReferenceRule): unknown[] | undefined {
  const hasObjects = values.some((value) => typeof value === 'object' && value !== null);
  const copies = values.map((value) => copyValue(value, rule)).filter((value) => !hasObjects || value !== undefined);
  if (copies.every((value) => value === undefined)) return undefined;
  return copies.map((value) => value ?? null);
}

function copyObject(object: Readonly<Record<string, unknown>>, rule: ReferenceRule): Record<string, unknown> | undefined {
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(object)) {
    if (key === 'reference' && typeof value === 'string') {
      Object.assign(copy, value.startsWith('#') ? { reference: value } : rule(value.trim()));
      continue;
    }
    const copied = copyValue(value, rule);
    if (copied !== undefined) copy[key] = copied;
  }
  if (typeof copy['system'] === 'string' && typeof copy['code'] === 'string') {
    copy['system'] = canonicalCodeSystem(copy['system']);
    copy['code'] = copy['code'].trim();
  }
  const keys = Object.keys(copy);
  // An extension needs a value or extensions of its own (ext-1); a reference left with nothing but its type says nothing.
  const isHollow = keys.length === 0 || (keys.length === 1 && (keys[0] === 'url' || (keys[0] === 'type' && 'reference' in object)));
  return isHollow ? undefined : copy;
}
