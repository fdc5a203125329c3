import { readFileSync } from 'node:fs';
import type { QuestionnaireItem } from '@medplum/fhirtypes';
import { z } from 'zod';

/** A step asks its items, then the first condition that holds says where to go. Expressions are FHIRPath; %`linkId` are the answers to a question. */
const Next = z.union([z.strictObject({ when: z.string().optional(), to: z.string() }), z.strictObject({ when: z.string().optional(), determine: z.string() })]);

const Step = z.strictObject({
  id: z.string(),
  /** linkId of a group of an earlier step that the items are added to; absent: the form itself. */
  into: z.string().optional(),
  items: z.array(z.custom<QuestionnaireItem>((item) => typeof item === 'object' && item !== null && 'linkId' in item && 'type' in item)).min(1),
  /** linkId of a read-only item to the expression that the payer fills it by. */
  values: z.record(z.string(), z.string()).default({}),
  next: z.array(Next).min(1),
});

/** What is said of the coverage at the end; without any of it the form ends without a word on coverage. */
const Determination = z.strictObject({
  covered: z.enum(['covered', 'not-covered', 'conditional']),
  paNeeded: z.enum(['no-auth', 'auth-needed', 'satisfied', 'performpa', 'conditional']),
  reason: z.string().optional(),
  /** How long the determination holds. */
  validDays: z.int().positive().optional(),
});

const AdaptiveForm = z.strictObject({
  /** url|version of the form that is found by search. */
  questionnaire: z.string(),
  start: z.string(),
  steps: z.array(Step).min(1),
  determinations: z.record(z.string(), Determination.nullable()),
});

export type AdaptiveForm = z.infer<typeof AdaptiveForm>;
export type AdaptiveStep = AdaptiveForm['steps'][number];
export type Determination = z.infer<typeof Determination>;

/** @throws Error naming the file and what is wrong with it: a form that can lead nowhere, or in circles, stops the start. */
export function readAdaptiveForm(file: string): AdaptiveForm {
  const parsed = AdaptiveForm.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!parsed.success) throw new Error(`The adaptive form ${file} cannot be used: ${z.prettifyError(parsed.error)}`);
  const fault = faultOf(parsed.data);
  if (fault) throw new Error(`The adaptive form ${file} cannot be used: ${fault}`);
  return parsed.data;
}

function faultOf({ start, steps, determinations }: AdaptiveForm): string | undefined {
  const byId = new Map(steps.map((step) => [step.id, step]));
  if (byId.size < steps.length) return 'two steps have one id';
  if (!byId.has(start)) return `there is no step ${start}`;
  for (const { id, next } of steps) {
    if (next.at(-1)?.when !== undefined) return `the last way out of ${id} has a condition`;
    for (const way of next) {
      if ('to' in way && !byId.has(way.to)) return `${id} leads to ${way.to}, which is no step`;
      if ('determine' in way && !(way.determine in determinations)) return `${id} ends in ${way.determine}, which is no determination`;
    }
  }
  const circle = (id: string, before: readonly string[]): boolean => before.includes(id) || (byId.get(id)?.next ?? []).some((way) => 'to' in way && circle(way.to, [...before, id]));
  return circle(start, []) ? 'its steps go in a circle' : undefined;
}
