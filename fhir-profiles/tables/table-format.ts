/**
 * One line of a constraint table (`generated/<ig>.ndjson`). Facts only. `url` is always the first key, so that a line
 * can be found without parsing the others.
 */
export type TableLine = StructureFacts | ValueSetFacts | CodeSystemFacts;

export interface StructureFacts {
  readonly url: string;
  readonly table: 'structure';
  readonly version?: string;
  /** FHIR type the structure constrains or defines, such as `Claim`, `Extension`, `string`. */
  readonly type: string;
  readonly kind: 'primitive' | 'complex' | 'resource' | 'logical';
  readonly abstract?: true;
  /** Canonical of the structure it derives from. */
  readonly base?: string;
  /** Extensions only: where it may stand. */
  readonly context?: readonly { readonly type: string; readonly expression: string }[];
  readonly elements: readonly ElementFacts[];
}

/** One snapshot element. Absent: min 0, max 1, no slicing. */
export interface ElementFacts {
  /** Element id with slice names, such as `Claim.item.extension:requestType`. */
  readonly id: string;
  readonly min?: number;
  /** A number, or `*`. */
  readonly max?: number | '*';
  /** The base element repeats, so JSON has an array even where max is 1. */
  readonly array?: true;
  readonly types?: readonly TypeFacts[];
  readonly contentReference?: string;
  readonly fixed?: unknown;
  readonly pattern?: unknown;
  readonly binding?: { readonly strength: BindingStrength; readonly valueSet: string };
  readonly slicing?: { readonly rules: 'open' | 'closed' | 'openAtEnd'; readonly discriminators: readonly Discriminator[] };
  readonly invariants?: readonly InvariantFacts[];
  /** maxLength, minValue and maxValue of the element. */
  readonly maxLength?: number;
  readonly minValue?: number | string;
  readonly maxValue?: number | string;
}

export type BindingStrength = 'required' | 'extensible';

export interface TypeFacts {
  readonly code: string;
  readonly profiles?: readonly string[];
  readonly targets?: readonly string[];
}

export interface Discriminator {
  readonly type: 'value' | 'pattern' | 'type' | 'exists' | 'profile';
  readonly path: string;
}

export interface InvariantFacts {
  readonly key: string;
  readonly severity: 'error' | 'warning';
  readonly expression: string;
}

export interface ValueSetFacts {
  readonly url: string;
  readonly table: 'valueSet';
  /** By code system: the codes listed, or `all` for every code of that system. */
  readonly include: Readonly<Record<string, readonly string[] | 'all'>>;
  /** Other value sets that are part of it. */
  readonly includeValueSets?: readonly string[];
  readonly exclude?: Readonly<Record<string, readonly string[] | 'all'>>;
  /** Code systems of which an unknowable part belongs to it: a filter over a list that is in no package. */
  readonly unknownPart?: readonly string[];
}

export interface CodeSystemFacts {
  readonly url: string;
  readonly table: 'codeSystem';
  readonly codes: readonly string[];
  readonly caseInsensitive?: true;
}
