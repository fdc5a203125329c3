/*
 * Where a value stands in the text of a JSON file. The text is valid JSON.
 */

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

interface Found {
  /** Parts of the path that were found. */
  readonly depth: number;
  readonly start: number;
  readonly end: number;
}

/** Line of the value at `path`, or of the nearest part of it that is there. */
export function lineOfPath(text: string, path: readonly PropertyKey[]): number {
  return lineAt(text, find(text, path).start);
}

/** Text offsets of the value at `path`; undefined when it is not there. */
export function rangeOfPath(text: string, path: readonly PropertyKey[]): { readonly start: number; readonly end: number } | undefined {
  const found = find(text, path);
  return found.depth === path.length ? found : undefined;
}

export function lineAt(text: string, position: number): number {
  return text.slice(0, position).split('\n').length;
}

export interface RepeatedKey {
  readonly path: readonly string[];
  /** Of the second and of the first time. */
  readonly line: number;
  readonly before: number;
}

/** Keys that one object gives more than once: JSON.parse would take the last and say nothing. */
export function repeatedKeys(text: string): readonly RepeatedKey[] {
  const found: RepeatedKey[] = [];
  const open: { readonly keys: Map<string, number> | undefined; here: string; index: number; atKey: boolean }[] = [];
  for (const match of text.matchAll(TOKEN)) {
    const [part] = match;
    const level = open.at(-1);
    if (part === '{') open.push({ keys: new Map(), here: '', index: 0, atKey: true });
    else if (part === '[') open.push({ keys: undefined, here: '0', index: 0, atKey: false });
    else if (part === '}' || part === ']') open.pop();
    else if (part === ',' && level) {
      level.index += 1;
      level.atKey = level.keys !== undefined;
      if (!level.keys) level.here = String(level.index);
    } else if (level?.keys && level.atKey) {
      level.here = JSON.parse(part) as string;
      level.atKey = false;
      const before = level.keys.get(level.here);
      if (before !== undefined) found.push({ path: open.map(({ here }) => here), line: lineAt(text, match.index), before: lineAt(text, before) });
      level.keys.set(level.here, match.index);
    }
  }
  return found;
}

function find(text: string, path: readonly PropertyKey[]): Found {
  const token = new RegExp(TOKEN);
  const open: { readonly kind: '{' | '['; readonly start: number; readonly depth: number; key: string; index: number; atKey: boolean }[] = [];
  let best: Found = { depth: -1, start: 0, end: text.length };
  const matchedDepth = (): number => {
    const here = open.map((level) => (level.kind === '{' ? level.key : String(level.index)));
    return here.length <= path.length && here.every((key, i) => key === String(path[i])) ? here.length : -1;
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
      const closed = open.pop();
      if (closed && closed.depth >= 0 && closed.depth === best.depth && closed.start === best.start) best = { ...best, end: match.index + 1 };
    } else if (level?.atKey && part !== ':') {
      level.key = JSON.parse(part) as string;
      level.atKey = false;
    } else if (part !== ':') {
      const depth = matchedDepth();
      if (depth > best.depth) best = { depth, start: match.index, end: match.index + part.length };
      if (part === '{' || part === '[') open.push({ kind: part, start: match.index, depth, key: '', index: 0, atKey: part === '{' });
    }
  }
  return best;
}
