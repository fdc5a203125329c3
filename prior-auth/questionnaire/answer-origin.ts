import type { InformationOriginCode } from '#fhir/generated/code-sets.ts';

/** DTR information-origin, 2.0.1 codes. Which code a change leads to is decided here only. */
export type AnswerOrigin = InformationOriginCode;

/** A person changed the answer: what came from the record becomes an override, all else is manual (DTR 2.0.1, information-origin). */
export function originAfterEdit(before: AnswerOrigin | undefined): AnswerOrigin {
  return before === 'auto' || before === 'override' ? 'override' : 'manual';
}
