import type { PolicyRevision } from '#prior-auth/coverage-requirement/policy.ts';
import { rangeOfPath } from './json-position.ts';

const WIDTH = 160;

/** The policy file's text with other services in one revision; all else stays as it is written. */
export function writeServices(text: string, revisionIndex: number, services: PolicyRevision['services']): string {
  const range = rangeOfPath(text, ['revisions', revisionIndex, 'services']);
  if (!range) throw new Error(`The file has no services in revisions.${revisionIndex}.`);
  const lineStart = text.lastIndexOf('\n', range.start) + 1;
  const indent = /^ */.exec(text.slice(lineStart))?.[0].length ?? 0;
  return text.slice(0, range.start) + written(services, indent, range.start - lineStart) + text.slice(range.end);
}

/** On one line where it fits, else an element a line. */
function written(value: unknown, indent: number, column: number): string {
  const line = onOneLine(value);
  if (column + line.length <= WIDTH || typeof value !== 'object' || value === null) return line;
  const inner = ' '.repeat(indent + 2);
  if (Array.isArray(value)) return `[\n${value.map((each) => inner + written(each, indent + 2, indent + 2)).join(',\n')}\n${' '.repeat(indent)}]`;
  return `{\n${Object.entries(value).map(([key, each]) => `${inner}"${key}": ${written(each, indent + 2, indent + 6 + key.length)}`).join(',\n')}\n${' '.repeat(indent)}}`;
}

function onOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(', ')}]`;
  if (typeof value === 'object' && value !== null) return `{ ${Object.entries(value).map(([key, each]) => `"${key}": ${onOneLine(each)}`).join(', ')} }`;
  return JSON.stringify(value);
}
