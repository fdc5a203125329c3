import { z } from 'zod/mini';
import { responseFaults, responsesSchema } from './policy-response.ts';
import { COVERED, DOC_NEEDED, DOC_PURPOSE, INFO_NEEDED, PA_NEEDED } from './requirement.ts';
import { isUsState } from './us-states.ts';

/*
 * The policy format. docs/policies.md tells how to write one. A policy is one payer rule over time: each revision is a complete text,
 * never changed once effective; a change of the rule is a new revision.
 */

/** Types a criterion's evidence can be of. */
export const EVIDENCE_TYPES = ['Condition', 'Observation', 'Procedure', 'DiagnosticReport', 'DocumentReference', 'MedicationRequest'] as const;
export type EvidenceType = (typeof EVIDENCE_TYPES)[number];

/** Without `satisfied`: that says the number of an authorization, and a rule for everybody has none. */
const AUTHORIZATION: readonly (typeof PA_NEEDED)[number][] = PA_NEEDED.filter((code) => code !== 'satisfied');

const day = z.iso.date('must be a date YYYY-MM-DD that is in the calendar');
const words = z.string().check(z.minLength(1));
const id = z.string().check(z.regex(/^[a-z0-9][a-z0-9-]*$/, 'must be lower-case letters, digits and hyphens'));

const service = z.strictObject({
  system: words,
  codes: z.array(words).check(z.minLength(1)),
  /** First and last day on which the revision names these codes; absent = as long as the revision. */
  from: z.optional(day),
  to: z.optional(day),
  /** Two-letter states of the patient's home; absent = everywhere. */
  states: z.optional(z.array(z.string().check(z.refine(isUsState, 'must be a state or territory of the United States, in two capital letters'))).check(z.minLength(1))),
});

/** Resources of the chart by type and code. A code that ends in * stands for all that begin so; dots are ignored, so ICD-10 may be written either way. */
const evidence = z
  .strictObject({
    type: z.enum(EVIDENCE_TYPES),
    codes: z.array(words),
    /** Or the resource's text or display holds one of these words (lower case), for records that carry no such code. */
    words: z.optional(z.array(z.string().check(z.regex(/^[^A-Z]{3,}$/, 'must be lower-case words of 3 letters or more')))),
  })
  .check(z.refine((given) => given.codes.length + (given.words ?? []).length > 0, { path: ['codes'], error: 'names no code and no word, so nothing is ever found: name one or more' }));

const criterion = z.strictObject({
  id,
  /** Plain words a clinician reads. */
  label: words,
  /** What of the chart the finding rests on. Entered-in-error, refuted, cancelled and not-done entries never count. */
  evidence: z.array(evidence).check(z.minLength(1)),
  /**
   * FHIRPath over a Bundle of order, patient and evidence; `%evidence` is the evidence, newest first, `%today` the day of the order (a date).
   * true met, false not met, empty unknown. Not evaluated without evidence: then it is unknown.
   */
  record: words,
  /**
   * FHIRPath over the submitted PAS Bundle, the same three outcomes; no variables. Absent: the payer holds `record` against what of the submission
   * fits `evidence`, a diagnosis of the Claim counting as a Condition.
   */
  submission: z.optional(words),
});

const decision = z.strictObject({
  route: z.enum(['automatic', 'reviewer', 'limit']),
  /** What the payer says when it refuses. */
  denial: words,
  limit: z.optional(z.strictObject({ max: z.number(), unit: words })),
});

const source = z.strictObject({ title: words, url: z.url() });

const revision = z
  .strictObject({
    revision: words,
    effectiveFrom: day,
    effectiveTo: z.optional(day),
    source,
    alsoBasedOn: z.optional(z.array(source)),
    services: z.array(service).check(z.minLength(1)),
    covered: z.enum(COVERED),
    authorization: z.enum(AUTHORIZATION),
    documentation: z.nullable(z.enum(DOC_NEEDED)),
    /** Why the documents are wanted; default `withpa` where an authorization is needed, else `retain-doc`. */
    documentationPurpose: z.optional(z.enum(DOC_PURPOSE)),
    /** What else decides, where something above is `conditional`. */
    infoNeeded: z.optional(z.array(z.enum(INFO_NEEDED))),
    /** Why, in the payer's words; a default is made from the title. */
    reason: z.optional(words),
    /** Version-specific canonicals. */
    questionnaires: z.array(z.string().check(z.regex(/^https?:\/\/[^|\s]+\|[^|\s]+$/, 'must be a canonical with its version, url|version'))),
    criteria: z.array(criterion),
    /** How the payer of the sandbox decides; null where nothing is to be decided. */
    decision: z.nullable(decision),
    /** Markdown for the clinician, shown when the service is ordered; null for none. */
    instructions: z.nullable(words),
    /** What is answered besides coverage-information: cards, suggestions, tasks. */
    responses: z.optional(responsesSchema),
  })
  .check((context) => {
    for (const { path, message } of responseFaults(context.value)) context.issues.push({ code: 'custom', path, message, input: context.value });
  });

export const policySchema = z.strictObject({
  id,
  title: words,
  /** What the denial-risk model groups by, e.g. "cardiac-imaging". */
  family: id,
  /** Payer ids of payers.json; "*" is every payer. */
  payers: z.array(words).check(z.minLength(1)),
  revisions: z.array(revision).check(z.minLength(1)),
});

export const policyDefaultSchema = z.strictObject({
  covered: z.enum(COVERED),
  authorization: z.enum(AUTHORIZATION),
  /** Responses to every order, whichever policy names it: about the coverage, for example. Their `when.criteria` is `always`. */
  everyOrder: z.optional(responsesSchema.check(z.refine((list) => list.every((each) => each.when.criteria === 'always'), 'when.criteria must be always'))),
});

export type Policy = z.infer<typeof policySchema>;
export type PolicyEvidence = z.infer<typeof evidence>;
export type PolicyRevision = Policy['revisions'][number];
export type PolicyCriterion = PolicyRevision['criteria'][number];
/** What holds for a service that no policy names. */
export type PolicyDefault = z.infer<typeof policyDefaultSchema>;
