import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

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
    decision: z.enum(['approved', 'denied', 'modified']).nullable(),
  }),
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
