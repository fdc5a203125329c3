import { constants, isUtf8 } from 'node:buffer';
import { readFileSync, statSync } from 'node:fs';

/** What stands in a file, or in one line of an NDJSON file. */
export type ReadResource = { readonly file: string; readonly line?: number } & (
  | { readonly kind: 'read'; readonly value: unknown }
  | { readonly kind: 'unreadable'; readonly why: string }
);

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'is a folder: name the files in it, such as FOLDER/*.json',
  EACCES: 'may not be read (permission denied)',
};

/** The resource of a JSON file, or each resource of an NDJSON file. `-` is standard input. What is wrong never quotes the file. */
export function readResources(file: string): ReadResource[] {
  const text = readText(file);
  if (text.kind === 'unreadable') return [{ file, ...text }];
  const whole = parse(text.text);
  if (whole.kind === 'read') return [{ file, ...whole }];
  const lines = text.text.split('\n').flatMap((content, index) => (content.trim() === '' ? [] : [{ content, line: index + 1 }]));
  const [first] = lines;
  if (lines.length < 2 || first === undefined || parse(first.content).kind === 'unreadable') return [{ file, ...whole }];
  return lines.map(({ content, line }) => ({ file, line, ...parse(content) }));
}

type Unreadable = { readonly kind: 'unreadable'; readonly why: string };
const unreadable = (why: string): Unreadable => ({ kind: 'unreadable', why });

function readText(file: string): { readonly kind: 'text'; readonly text: string } | Unreadable {
  let bytes: Buffer;
  try {
    if (file !== '-' && statSync(file).size > constants.MAX_STRING_LENGTH) return tooLarge();
    bytes = readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return unreadable(REASONS[code] ?? `cannot be read (${code || String(error)})`);
  }
  if (bytes.length > constants.MAX_STRING_LENGTH) return tooLarge();
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) return unreadable('is in UTF-16; save it as UTF-8');
  if (!isUtf8(bytes)) return unreadable('is not in UTF-8, which FHIR requires');
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  return text.trim() === '' ? unreadable('is empty') : { kind: 'text', text };
}

function tooLarge(): Unreadable {
  return unreadable(`is larger than ${Math.floor(constants.MAX_STRING_LENGTH / 1_000_000)} MB; split it`);
}

function parse(text: string): { readonly kind: 'read'; readonly value: unknown } | Unreadable {
  try {
    return { kind: 'read', value: JSON.parse(text) };
  } catch (error) {
    const stated = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    const position = stated === undefined ? firstBreak(text) : Number(stated);
    if (position >= text.trimEnd().length) return unreadable('is not JSON: it ends too early');
    const before = text.slice(0, position).split('\n');
    return unreadable(`is not JSON: line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`);
  }
}

const TOKEN = /\s*("(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[{}[\],:])/uy;

/** Where the engine names no position: at what is no JSON word, or at a comma or bracket right behind a comma or colon. */
function firstBreak(text: string): number {
  TOKEN.lastIndex = 0;
  for (let end = 0, previous = ''; ; end = TOKEN.lastIndex) {
    const token = TOKEN.exec(text)?.[1];
    if (token === undefined) return end + (text.slice(end).length - text.slice(end).trimStart().length);
    if (/^[\]},]$/.test(token) && /^[,:]$/.test(previous)) return TOKEN.lastIndex - token.length;
    previous = token;
  }
}
