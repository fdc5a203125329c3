import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { readIgLock, type IgId } from '../tables/ig-lock.ts';
import type { CodeSystemFacts, StructureFacts, TableLine, ValueSetFacts } from '../tables/table-format.ts';

const URL_OF_LINE = /^\{"url":"([^"]+)","table":"([a-zA-Z]+)"/;

/** One generated table: lines are parsed when first asked for, so opening costs only the reading. */
class TableFile {
  readonly #lines = new Map<string, string>();
  readonly #parsed = new Map<string, TableLine>();

  constructor(id: string) {
    const text = readFileSync(fileURLToPath(new URL(`../generated/${id}.ndjson`, import.meta.url)), 'utf8');
    for (const line of text.split('\n')) {
      const match = URL_OF_LINE.exec(line);
      if (match) this.#lines.set(`${match[2]} ${match[1]}`, line);
    }
  }

  get(table: TableLine['table'], url: string): TableLine | undefined {
    const key = `${table} ${url}`;
    const parsed = this.#parsed.get(key);
    if (parsed) return parsed;
    const line = this.#lines.get(key);
    if (line === undefined) return undefined;
    const facts = JSON.parse(line) as TableLine;
    this.#parsed.set(key, facts);
    return facts;
  }
}

const opened = new Map<string, TableFile>();

function openTable(id: string): TableFile {
  const table = opened.get(id) ?? new TableFile(id);
  opened.set(id, table);
  return table;
}

/** What one guide can see: its own table, those it depends on, then R4 core. The nearest wins. */
export class Tables {
  readonly #own: TableFile;
  readonly #files: readonly TableFile[];

  constructor(ig: IgId) {
    this.#own = openTable(ig);
    this.#files = [this.#own, ...readIgLock()[ig].dependsOn.map(openTable), openTable('r4-core')];
  }

  /** True when the guide itself defines the structure. A version in the canonical must then be the guide's. */
  defines(url: string, version?: string): boolean {
    const facts = this.#own.get('structure', url);
    return facts?.table === 'structure' && (version === undefined || facts.version === version);
  }

  structure(url: string): StructureFacts | undefined {
    return this.#find('structure', url) as StructureFacts | undefined;
  }

  valueSet(url: string): ValueSetFacts | undefined {
    return this.#find('valueSet', url) as ValueSetFacts | undefined;
  }

  codeSystem(url: string): CodeSystemFacts | undefined {
    return this.#find('codeSystem', url) as CodeSystemFacts | undefined;
  }

  #find(table: TableLine['table'], url: string): TableLine | undefined {
    for (const file of this.#files) {
      const found = file.get(table, url);
      if (found) return found;
    }
    return undefined;
  }
}
