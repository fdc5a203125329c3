import type { CrdVersion } from '../hook-call.ts';

/** One rule that an answer breaks. */
export interface AnswerFault {
  readonly rule: string;
  readonly says: string;
  /** false: the guide of that version would let it pass; this service does not. */
  readonly guide: boolean;
}

/** A rule on one thing of an answer. Answers are data from policies and from payers, so a rule takes nothing for granted. */
export interface Rule<T> {
  readonly id: string;
  readonly says: string;
  /** Versions whose guide asks for it; in the others it is ours. Absent: all. */
  readonly guide?: readonly CrdVersion[];
  /** Versions in which it holds at all. Absent: all. */
  readonly only?: readonly CrdVersion[];
  readonly broken: (thing: T) => boolean;
}

export function faultsOf<T>(rules: readonly Rule<T>[], thing: T, version: CrdVersion): readonly AnswerFault[] {
  return rules
    .filter((rule) => (rule.only?.includes(version) ?? true) && rule.broken(thing))
    .map(({ id, says, guide }) => ({ rule: id, says, guide: guide?.includes(version) ?? true }));
}

export type Loose = Readonly<Record<string, unknown>>;

export function isLoose(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Its members that are objects; none when it is no list. */
export function looseList(value: unknown): readonly Loose[] {
  return Array.isArray(value) ? value.filter(isLoose) : [];
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}
