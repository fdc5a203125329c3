import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import type { z } from 'zod/mini';
import { lineAt, lineOfPath, repeatedKeys } from './json-position.ts';

/** A policy or payer file that cannot be used. The message names file, line and what is wrong, one line for each fault. */
export class PolicyFileError extends Error {
  readonly code = 'POLICY_FILE_INVALID';

  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'PolicyFileError';
  }
}

/** A rule that a value breaks, with the path of the element at fault. */
export interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Reads a JSON file and holds it against the schema, then against the rules that a schema cannot say. @throws PolicyFileError */
export function readJsonFile<T>(file: string, schema: z.ZodMiniType<T>, faultsOf: (value: T) => readonly Fault[] = () => []): T {
  const text = readText(file);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const line = lineAt(text, positionOf(cause, text));
    // The engine quotes the text around the place, with its line breaks.
    throw new PolicyFileError(`${file}:${line}: not JSON: ${(cause as Error).message.replaceAll(/\s+/g, ' ')}`, { cause });
  }
  const repeated = repeatedKeys(text);
  if (repeated.length > 0) throw new PolicyFileError(repeated.map(({ path, line, before }) => `${file}:${line}: ${path.join('.')}: is given twice, first in line ${before}: remove one`).join('\n'));
  const parsed = schema.safeParse(json);
  const faults = parsed.success ? faultsOf(parsed.data) : parsed.error.issues.map((issue) => toFault(issue, takesNull(schema, json, issue.path)));
  if (parsed.success && faults.length === 0) return parsed.data;
  throw new PolicyFileError(faults.map(({ path, message }) => `${file}:${lineOfPath(text, path)}: ${path.join('.') || '(root)'}: ${message}`).join('\n'));
}

/** Whether null would be no fault where the issue is. */
function takesNull(schema: z.ZodMiniType, json: unknown, path: readonly PropertyKey[]): boolean {
  const parsed = schema.safeParse(withNull(json, path));
  return path.length > 0 && !parsed.error?.issues.some((issue) => path.every((part, i) => issue.path[i] === part));
}

function withNull(value: unknown, [first, ...rest]: readonly PropertyKey[]): unknown {
  if (first === undefined) return null;
  if (Array.isArray(value)) return value.map((each: unknown, i) => (i === first ? withNull(each, rest) : each));
  return typeof value === 'object' && value !== null ? { ...value, [first]: withNull((value as Readonly<Record<PropertyKey, unknown>>)[first], rest) } : value;
}

/** The schema's own words where it has some; zod/mini says no more than "Invalid input" of what is missing, mistyped or not in a list. */
function toFault(issue: z.core.$ZodIssue, orNull: boolean): Fault {
  const { path, message } = issue;
  if (issue.code === 'unrecognized_keys') return { path: [...path, issue.keys[0] ?? ''], message: `there is no element ${issue.keys.join(', ')} here` };
  if (message !== 'Invalid input') return { path, message };
  if (issue.code === 'invalid_value') return { path, message: `must be ${issue.values.map(String).join(', ')}${orNull ? ', or null' : ''}` };
  if (issue.code === 'invalid_type') return { path, message: orNull ? `is missing, or is neither ${issue.expected} nor null` : `is missing, or is no ${issue.expected}` };
  if (issue.code === 'too_small') return { path, message: `must ${issue.origin === 'number' ? 'be' : 'have'} ${issue.minimum} or more${unitOf(issue.origin)}${orNull ? ', or be null' : ''}` };
  if (issue.code === 'too_big') return { path, message: `must ${issue.origin === 'number' ? 'be' : 'have'} at most ${issue.maximum}${unitOf(issue.origin)}` };
  if (issue.code === 'invalid_format') return { path, message: issue.format === 'url' ? 'must be an address (https://…)' : `is not written as a ${issue.format}` };
  if (issue.code === 'invalid_union') return { path, message: 'options' in issue && Array.isArray(issue.options) ? `must be ${issue.options.map(String).join(', ')}` : 'is of no kind that is known here' };
  if (issue.code === 'invalid_key') return { path, message: `is no key that may stand here${issue.issues[0] && issue.issues[0].message !== 'Invalid input' ? `: ${issue.issues[0].message}` : ''}` };
  return { path, message };
}

const unitOf = (origin: string): string => (origin === 'string' ? ' characters' : '');

/** Where JSON.parse stumbled: V8 names either the position or ten characters on each side of it. */
function positionOf(error: unknown, text: string): number {
  const position = /position (\d+)/.exec(String(error))?.[1];
  if (position !== undefined) return Number(position);
  const around = /(\.\.\.)?"([\s\S]*?)"(?:\.\.\.)? is not valid JSON/.exec(String(error));
  const start = text.indexOf(around?.[2] ?? '\0');
  return start < 0 ? text.length : start + (around?.[1] ? 10 : 0);
}

/** The text of a file in UTF-8, without byte order mark. @throws PolicyFileError */
export function readText(file: string): string {
  const bytes = readBytes(file);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new PolicyFileError(`${file}:${lineOfBadByte(bytes)}: is not UTF-8: save the file in that encoding`, { cause });
  }
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const isFolder = cause instanceof Error && 'code' in cause && cause.code === 'EISDIR';
    throw new PolicyFileError(isFolder ? `${file}: is a folder: name a file in it` : `${file}: cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** No byte of a character of several bytes is a line feed. */
function lineOfBadByte(bytes: Buffer): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line += 1) {
    const end = bytes.indexOf(0x0a, start);
    const next = end < 0 ? bytes.length : end + 1;
    if (!isUtf8(bytes.subarray(start, next))) return line;
    start = next;
  }
  return line;
}
