export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `pattern` is contained in `value` (ElementDefinition.pattern[x]): objects by key, arrays by some member. */
export function matchesPattern(pattern: unknown, value: unknown): boolean {
  if (Array.isArray(pattern)) return Array.isArray(value) && pattern.every((part) => value.some((member) => matchesPattern(part, member)));
  if (isObject(pattern)) return isObject(value) && Object.entries(pattern).every(([key, part]) => matchesPattern(part, value[key]));
  return pattern === value;
}

/** Deep equality in which the order of keys does not matter (ElementDefinition.fixed[x]). */
export function equalValues(left: unknown, right: unknown): boolean {
  if (Array.isArray(left)) return Array.isArray(right) && left.length === right.length && left.every((value, index) => equalValues(value, right[index]));
  if (!isObject(left)) return left === right;
  if (!isObject(right)) return false;
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => equalValues(left[key], right[key]));
}
