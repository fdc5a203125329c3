import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const decision = z.enum(['approved', 'denied', 'modified', 'partly-approved']);

/** What happens after the first decision, or in place of it. */
const later = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('change-quantity'), to: z.number() }),
  z.strictObject({ do: z.literal('await-decision'), decision }),
  z.strictObject({ do: z.literal('cancel') }),
  z.strictObject({ do: z.literal('request-again'), decision }),
  z.strictObject({ do: z.literal('renew'), decision }),
  /** The payer's reviewer wants a document of this kind before deciding. */
  z.strictObject({ do: z.literal('payer-asks'), loinc: z.string(), text: z.string() }),
  z.strictObject({ do: z.literal('answer-ask'), note: z.string() }),
  z.strictObject({ do: z.literal('reviewer-decides'), decision: z.enum(['approve', 'deny']) }),
  /** By telephone, with the payer's number. */
  z.strictObject({ do: z.literal('decision-by-hand'), reference: z.string() }),
]);
export type LaterStep = z.infer<typeof later>;

/** One case as a clinician and the staff would play it. */
const story = z.strictObject({
  name: z.string(),
  title: z.string(),
  /** Patient.id at the EHR. */
  patient: z.string(),
  /** A folder or file to load into the EHR first; the story is left out when it is not there. */
  load: z.string().optional(),
  order: z.strictObject({
    /** Billing code in the EHR's catalog. */
    code: z.string(),
    quantity: z.number().optional(),
    /** A draft order to sign when it is still there, instead of writing one. */
    existing: z.string().optional(),
  }),
  /** linkId -> what the person enters where the form has a gap; also replaces what the record gave. `{{today-10d}}` is a date. */
  answers: z.record(z.string(), z.record(z.string(), z.unknown())),
  expect: z.strictObject({
    requirement: z.enum(['auth-needed', 'no-auth']),
    /** The payer's first answer, when another follows. */
    firstAnswer: z.literal('pended').optional(),
    /** The payer authorizes it at the end of its adaptive form; nothing is submitted. */
    satisfiedByForm: z.literal(true).optional(),
    /** Null: nothing is submitted, or the further steps lead to it. */
    decision: z.enum(['approved', 'denied', 'modified']).nullable(),
  }),
  /** Nothing is sent electronically; the steps go on from the completed form. */
  notSent: z.literal(true).optional(),
  later: z.array(later).optional(),
});

export type Story = z.infer<typeof story>;

const folder = join(import.meta.dirname, 'stories');

export function loadStories(today: string): Story[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => story.parse(JSON.parse(withDates(readFileSync(join(folder, name), 'utf8'), today))));
}

function withDates(text: string, today: string): string {
  return text.replaceAll(/\{\{today-(\d+)d\}\}/g, (_match, days: string) => new Date(Date.parse(today) - Number(days) * 86_400_000).toISOString().slice(0, 10));
}
