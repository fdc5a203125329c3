/**
 * `after`, but with every part that says the same as in `before` replaced by the very object of `before`: what is drawn
 * from an unchanged part need not be drawn again. Array entries with a `path` are matched by it, others by position.
 */
export function shareUnchanged<T>(before: T, after: T): T;
export function shareUnchanged(before: unknown, after: unknown): unknown {
  if (Object.is(before, after)) return before;
  if (Array.isArray(before) && Array.isArray(after)) return shareArray(before, after);
  if (!isRecord(before) || !isRecord(after)) return after;
  const keys = Object.keys(after);
  let same = keys.length === Object.keys(before).length;
  const shared: Record<string, unknown> = {};
  for (const key of keys) {
    const value = shareUnchanged(before[key], after[key]);
    if (!Object.is(value, before[key]) || !Object.hasOwn(before, key)) same = false;
    shared[key] = value;
  }
  return same ? before : shared;
}

function shareArray(before: readonly unknown[], after: readonly unknown[]): unknown {
  const byPath = new Map(before.map((entry) => [pathOf(entry), entry]));
  const shared = after.map((entry, index) => shareUnchanged(pathOf(entry) === undefined ? before[index] : byPath.get(pathOf(entry)), entry));
  return shared.length === before.length && shared.every((entry, index) => Object.is(entry, before[index])) ? before : shared;
}

function pathOf(entry: unknown): string | undefined {
  return isRecord(entry) && typeof entry['path'] === 'string' ? entry['path'] : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
