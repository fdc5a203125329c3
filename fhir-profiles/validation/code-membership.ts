import { splitCanonical } from '../base/canonical.ts';
import type { CodeSystemFacts } from '../tables/table-format.ts';
import type { Tables } from './load-tables.ts';

/** `unknown`: the list, or the part of it that matters, is in none of the packages. */
export type Membership = 'in' | 'out' | 'unknown';

interface KnownSet {
  readonly codes: ReadonlyMap<string, Set<string>>;
  readonly unknownSystems: ReadonlySet<string>;
  /** A part of it is not in any package, so no code can be ruled out. */
  readonly open: boolean;
}

export class CodeMembership {
  readonly #tables: Tables;
  readonly #sets = new Map<string, KnownSet>();
  readonly #systems = new Map<string, ReadonlySet<string> | undefined>();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Without a system (elements of type `code`), a code of any system of the set counts. */
  of(valueSet: string, system: string | undefined, code: string): Membership {
    const known = this.#known(splitCanonical(valueSet).url, new Set());
    if (system === undefined) {
      for (const codes of known.codes.values()) if (codes.has(code)) return 'in';
      return known.open || known.unknownSystems.size > 0 ? 'unknown' : 'out';
    }
    if (known.codes.get(system)?.has(code)) return 'in';
    if (known.unknownSystems.has(system)) return this.inSystem(system, code) === 'out' ? 'out' : 'unknown';
    return known.open ? 'unknown' : 'out';
  }

  inSystem(system: string, code: string): Membership {
    const codes = this.#systemCodes(system);
    if (codes === undefined) return 'unknown';
    if (codes.has(code)) return 'in';
    const sameButCase = this.#tables.codeSystem(system)?.caseInsensitive && [...codes].some((known) => known.toLowerCase() === code.toLowerCase());
    return sameButCase ? 'in' : 'out';
  }

  /** The systems a value set draws on, for messages. */
  systems(valueSet: string): string[] {
    const known = this.#known(splitCanonical(valueSet).url, new Set());
    return [...new Set([...known.codes.keys(), ...known.unknownSystems])];
  }

  /** Up to `most` codes, for messages. */
  codes(valueSet: string, most: number): string[] {
    const all = [...this.#known(splitCanonical(valueSet).url, new Set()).codes.values()].flatMap((codes) => [...codes]);
    return all.length > most ? [...all.slice(0, most), '…'] : all;
  }

  #systemCodes(system: string): ReadonlySet<string> | undefined {
    if (this.#systems.has(system)) return this.#systems.get(system);
    const facts: CodeSystemFacts | undefined = this.#tables.codeSystem(system);
    const codes = facts && new Set(facts.codes);
    this.#systems.set(system, codes);
    return codes;
  }

  #known(url: string, above: ReadonlySet<string>): KnownSet {
    const cached = this.#sets.get(url);
    if (cached) return cached;
    const facts = this.#tables.valueSet(url);
    if (!facts || above.has(url)) return { codes: new Map(), unknownSystems: new Set(), open: true };
    const codes = new Map<string, Set<string>>();
    const unknownSystems = new Set(facts.unknownPart);
    let open = false;
    const add = (system: string, list: Iterable<string>): void => {
      const set = codes.get(system) ?? new Set();
      for (const code of list) set.add(code);
      codes.set(system, set);
    };
    for (const [system, list] of Object.entries(facts.include)) {
      const all = list === 'all' ? this.#systemCodes(system) : list;
      if (all) add(system, all);
      else unknownSystems.add(system);
    }
    for (const part of facts.includeValueSets ?? []) {
      const inner = this.#known(splitCanonical(part).url, new Set([...above, url]));
      for (const [system, list] of inner.codes) add(system, list);
      for (const system of inner.unknownSystems) unknownSystems.add(system);
      open ||= inner.open;
    }
    for (const [system, list] of Object.entries(facts.exclude ?? {})) {
      if (list === 'all') codes.delete(system);
      else for (const code of list) codes.get(system)?.delete(code);
    }
    const known = { codes, unknownSystems, open };
    this.#sets.set(url, known);
    return known;
  }
}
