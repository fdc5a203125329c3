import type { z } from 'zod/mini';

/** What a row holds as JSON. Another version of the program may have written what this one cannot read. */
export type Stored<T> =
  | { readonly kind: 'read'; readonly value: T }
  /** `why` names elements and rules, never what the row says. */
  | { readonly kind: 'unreadable'; readonly why: string };

export interface UnreadableRow {
  readonly id: string;
  readonly why: string;
}

/** One row that cannot be read must not keep the others from being read: it is told apart here. */
export function readStored<T>(schema: z.ZodMiniType<T>, json: unknown): Stored<T> {
  const read = schema.safeParse(json);
  return read.success ? { kind: 'read', value: read.data } : { kind: 'unreadable', why: read.error.issues.map(inWords).join('; ') };
}

function inWords(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join('.') || '(root)';
  if (issue.code === 'unrecognized_keys') return `${path}: there is no element ${issue.keys.join(', ')} here`;
  return `${path}: ${issue.code === 'custom' ? issue.message : issue.code}`;
}
