import { type ActiveCode, activeCodes } from '../questionnaires/value-set-codes.ts';
import type { ValueSet } from '@medplum/fhirtypes';

export interface ExpandRequest {
  /** Canonical, url or url|version. */
  readonly url: string;
  /** What the user has typed so far. */
  readonly filter?: string;
  readonly count?: number;
  readonly offset: number;
}

/** The active codes whose words begin with the words typed, in the order of the value set; `count` of them from `offset` on. */
export function expandValueSet(valueSet: ValueSet, { filter, count, offset }: ExpandRequest, now: { readonly nowMs: number; readonly newId: () => string }): ValueSet {
  const wanted = wordsOf(filter ?? '');
  const found = wanted.length === 0 ? activeCodes(valueSet) : activeCodes(valueSet).filter((code) => fits(code, wanted));
  const { compose: _compose, text: _text, ...facts } = valueSet;
  return {
    ...facts,
    expansion: {
      identifier: `urn:uuid:${now.newId()}`,
      timestamp: new Date(now.nowMs).toISOString(),
      total: found.length,
      offset,
      parameter: [
        { name: 'activeOnly', valueBoolean: true },
        ...(filter === undefined ? [] : [{ name: 'filter', valueString: filter }]),
        ...(count === undefined ? [] : [{ name: 'count', valueInteger: count }]),
      ],
      contains: found.slice(offset, count === undefined ? undefined : offset + count).map((code) => ({ ...code })),
    },
  };
}

function fits({ code, display }: ActiveCode, wanted: readonly string[]): boolean {
  const words = [...wordsOf(code), ...wordsOf(display ?? '')];
  return wanted.every((start) => words.some((word) => word.startsWith(start)));
}

/** Words without case and diacritics: "Gerät" is "gerat". */
function wordsOf(text: string): string[] {
  return text.normalize('NFD').replace(/\p{Mark}/gu, '').toLowerCase().split(/[^\p{Letter}\p{Number}]+/u).filter(Boolean);
}
