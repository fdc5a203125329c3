import { readFileSync } from 'node:fs';
import type { z } from 'zod/mini';

/** A policy or payer file that cannot be used. The message names file, line and what is wrong, one line for each fault. */
export class PolicyFileError extends Error {
  readonly code = 'POLICY_FILE_INVALID';

  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'PolicyFileError';
  }
}

/** Reads a JSON file and holds it against the schema. @throws PolicyFileError */
export function readJsonFile<T>(file: string, schema: z.ZodMiniType<T>): T {
  const text = readText(file);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const line = lineAt(text, positionOf(cause, text));
    throw new PolicyFileError(`${file}:${line}: not JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new PolicyFileError(parsed.error.issues.map(({ path, message }) => `${file}:${lineOfPath(text, path)}: ${path.join('.') || '(root)'}: ${message}`).join('\n'));
}

/** Where JSON.parse stumbled: V8 names either the position or ten characters on each side of it. */
function positionOf(error: unknown, text: string): number {
  const position = /position (\d+)/.exec(String(error))?.[1];
  if (position !== undefined) return Number(position);
  const around = /(\.\.\.)?"([\s\S]*?)"(?:\.\.\.)? is not valid JSON/.exec(String(error));
  const start = text.indexOf(around?.[2] ?? '\0');
  return start < 0 ? text.length : start + (around?.[1] ? 10 : 0);
}

/** Line of the value at `path`, or of the nearest part of it that is there. `text` is valid JSON. */
function lineOfPath(text: string, path: readonly PropertyKey[]): number {
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
  const open: { readonly kind: '{' | '['; key: string; index: number; atKey: boolean }[] = [];
  let best = { depth: 0, position: 0 };
  const matchedDepth = (): number => {
    const here = open.map((level) => (level.kind === '{' ? level.key : String(level.index)));
    return here.length <= path.length && here.every((key, i) => key === String(path[i])) ? here.length : 0;
  };
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const level = open.at(-1);
    const [part] = match;
    if (part === ',') {
      if (level) {
        level.index += 1;
        level.atKey = level.kind === '{';
      }
    } else if (part === '}' || part === ']') {
      open.pop();
    } else if (level?.atKey && part !== ':') {
      level.key = JSON.parse(part) as string;
      level.atKey = false;
    } else if (part !== ':') {
      const depth = matchedDepth();
      if (depth > best.depth) best = { depth, position: match.index };
      if (part === '{' || part === '[') open.push({ kind: part, key: '', index: 0, atKey: part === '{' });
    }
  }
  return lineAt(text, best.position);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new PolicyFileError(`${file}: cannot be read: ${(cause as Error).message}`, { cause });
  }
}

const lineAt = (text: string, position: number): number => lineCount(text.slice(0, position));
const lineCount = (text: string): number => text.split('\n').length;
