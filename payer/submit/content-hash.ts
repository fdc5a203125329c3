import { createHash } from 'node:crypto';

/** Equal for the same JSON content whatever the order of its members and its white space. */
export function contentHash(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content, sortMembers)).digest('base64url');
}

function sortMembers(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
