import { z } from 'zod/mini';
import type { Entry, ItemDecision, PayerDecision } from './decision.ts';
import { overallOf } from './read-decision.ts';

const text = z.string().check(z.trim(), z.minLength(1), z.maxLength(2000));
const day = z.string().check(z.regex(/^\d{4}-\d{2}-\d{2}$/));
const quantity = z.object({ value: z.number().check(z.positive()), unit: z.optional(z.string().check(z.maxLength(50))) });
const granted = { authorizationNumber: z.optional(text), validity: z.optional(z.object({ start: z.optional(day), end: z.optional(day) })), quantity: z.optional(quantity) };

/** What a person heard or read of a payer's decision: one entry for each item, and how it was learned. */
export const enteredDecision = z.object({
  items: z
    .array(
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('approved'), sequence: z.int().check(z.positive()), ...granted }),
        z.object({ kind: z.literal('modified'), sequence: z.int().check(z.positive()), ...granted, explanation: text }),
        z.object({ kind: z.literal('denied'), sequence: z.int().check(z.positive()), reasonCodes: z.optional(z.array(z.string().check(z.minLength(1), z.maxLength(20)))), explanation: text }),
      ]),
    )
    .check(z.minLength(1), z.maxLength(200)),
  /** ISO instant at which the payer decided, as far as it is known. */
  decidedAt: z.optional(z.iso.datetime()),
  learnedBy: z.enum(['telephone', 'fax', 'portal', 'letter', 'other']),
  note: z.optional(text),
});
export type EnteredDecision = z.infer<typeof enteredDecision>;

/** As a payer's decision, marked as entered by that person. Every sequence of `asked` must be in it once; undefined when one is missing, foreign or there twice. */
export function toPayerDecision(entered: EnteredDecision, asked: readonly number[], by: Entry['by'], nowIso: string): PayerDecision | undefined {
  const given = entered.items.map(({ sequence }) => sequence);
  if (given.length !== asked.length || asked.some((sequence) => !given.includes(sequence))) return undefined;
  const items = entered.items.map((item) => ({ sequence: item.sequence, decision: toItemDecision(item) })).sort((a, b) => a.sequence - b.sequence);
  return {
    decidedAt: entered.decidedAt === undefined ? nowIso : new Date(entered.decidedAt).toISOString(),
    items,
    overall: overallOf(items.map(({ decision }) => decision), false, true),
    errors: [],
    entered: { by, at: nowIso, learnedBy: entered.learnedBy, ...(entered.note ? { note: entered.note } : {}) },
  };
}

function toItemDecision(item: EnteredDecision['items'][number]): ItemDecision {
  if (item.kind === 'denied') return { kind: 'denied', reasonCodes: item.reasonCodes ?? [], explanation: [item.explanation] };
  const { start, end } = item.validity ?? {};
  const grant = {
    ...(item.authorizationNumber ? { authorizationNumber: item.authorizationNumber } : {}),
    ...(start || end ? { validity: { ...(start ? { start } : {}), ...(end ? { end } : {}) } } : {}),
    ...(item.quantity ? { authorized: { quantity: { value: item.quantity.value, ...(item.quantity.unit ? { unit: item.quantity.unit } : {}) } } } : {}),
  };
  return item.kind === 'approved' ? { kind: 'approved', ...grant } : { kind: 'modified', ...grant, explanation: [item.explanation] };
}
