import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ServiceCode } from './item-review.ts';

/** The fields of a policy file that a payer decides by; the rest is for others. */
const Policy = z.object({
  id: z.string(),
  payers: z.array(z.string()),
  revisions: z.array(
    z.object({
      revision: z.string(),
      effectiveFrom: z.iso.date(),
      effectiveTo: z.iso.date().optional(),
      services: z.array(
        z.object({ system: z.string(), codes: z.array(z.string()), from: z.iso.date().optional(), to: z.iso.date().optional(), states: z.array(z.string()).optional() }),
      ),
      covered: z.enum(['covered', 'not-covered', 'conditional']),
      authorization: z.enum(['no-auth', 'auth-needed', 'satisfied', 'performpa', 'conditional']),
      criteria: z.array(
        z.object({
          id: z.string(),
          label: z.string(),
          evidence: z.array(z.object({ type: z.string(), codes: z.array(z.string()), words: z.array(z.string()).optional() })).default([]),
          record: z.string().default('{}'),
          /** Absent: `record` is held against what of the submission fits `evidence`. */
          submission: z.string().optional(),
        }),
      ),
      decision: z
        .object({
          route: z.enum(['automatic', 'reviewer', 'limit']),
          denial: z.string(),
          limit: z.object({ max: z.number().positive(), unit: z.string() }).optional(),
        })
        .nullable(),
    }),
  ),
});

export type PolicyCriterion = z.infer<typeof Policy>['revisions'][number]['criteria'][number];
export type PolicyRevision = z.infer<typeof Policy>['revisions'][number] & { readonly policyId: string; readonly payers: readonly string[] };

/** Every revision of every policy file of the folder. A file that cannot be read stops the start: a payer that lost a policy would approve what it should weigh. */
export function readPolicies(folder: string): readonly PolicyRevision[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .flatMap((file) => {
      const parsed = Policy.safeParse(parse(file, readFileSync(join(folder, file), 'utf8')));
      if (!parsed.success) throw new Error(`The policy file ${file} cannot be used: ${z.prettifyError(parsed.error)}`);
      return parsed.data.revisions.map((revision) => ({ ...revision, policyId: parsed.data.id, payers: parsed.data.payers }));
    });
}

/** Some editors put a byte order mark before the text. */
function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new Error(`The policy file ${file} is not JSON.`, { cause });
  }
}

export interface PolicyQuestion {
  readonly service: ServiceCode;
  /** An insurer that is none of our payers is held to every policy. */
  readonly payerId: string | undefined;
  /** YYYY-MM-DD. */
  readonly day: string;
  /** Two letters; a patient whose state is not given is held to the rules of every state. */
  readonly patientState: string | undefined;
}

/** The revision in force for a service: of a policy that names the payer before one for all, and the latest of those. */
export function findPolicy(policies: readonly PolicyRevision[], { service, payerId, day, patientState }: PolicyQuestion): PolicyRevision | undefined {
  const inForce = ({ from, to }: { from?: string | undefined; to?: string | undefined }) => (from === undefined || from <= day) && (to === undefined || day <= to);
  const names = ({ payers }: PolicyRevision) => payerId !== undefined && payers.includes(payerId);
  return policies
    .filter(
      (policy) =>
        inForce({ from: policy.effectiveFrom, to: policy.effectiveTo }) &&
        (payerId === undefined || policy.payers.includes('*') || policy.payers.includes(payerId)) &&
        policy.services.some(
          (named) =>
            named.system === service.system &&
            named.codes.includes(service.code) &&
            inForce(named) &&
            (patientState === undefined || named.states === undefined || named.states.includes(patientState)),
        ),
    )
    .sort((a, b) => Number(names(b)) - Number(names(a)) || b.effectiveFrom.localeCompare(a.effectiveFrom))[0];
}
