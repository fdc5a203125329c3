import { existsSync } from 'node:fs';
import type { Resource } from '@medplum/fhirtypes';
import { z } from 'zod/mini';
import { readChart } from '#prior-auth/coverage-requirement/evidence.ts';
import { expression, holdCriteria } from '#prior-auth/coverage-requirement/hold-criteria.ts';
import type { Policy, PolicyRevision } from '#prior-auth/coverage-requirement/policy.ts';
import type { CriterionFinding } from '#prior-auth/coverage-requirement/requirement.ts';
import { readJsonFile } from './json-file.ts';

/*
 * Cases that a policy is tried on: small synthetic charts and submissions, and what must come of them. Both sides are tried: the record at the
 * provider, the submission at the payer. Days are written "today-30".
 */

type Status = CriterionFinding['status'];
export type Outcome = Status;
export const SIDES = ['record', 'submission'] as const;
export type Side = (typeof SIDES)[number];

const OUTCOMES = ['met', 'not-met', 'unknown'] as const;
const outcome = z.enum(OUTCOMES);
const words = z.string().check(z.minLength(1));
const resources = z.array(z.looseObject({ resourceType: words }));

const policyCase = z.strictObject({
  name: words,
  /** Default: the last revision of the file. */
  revision: z.optional(words),
  /** Of all criteria together: one not met is `not-met`; else one unknown is `unknown`. */
  outcome,
  /** Of single criteria, by id. */
  criteria: z.optional(z.record(words, outcome)),
  record: z.optional(resources),
  submission: z.optional(resources),
  /** For both sides. */
  both: z.optional(resources),
  /** A QuestionnaireResponse of the submission: answer[x] by linkId. */
  answers: z.optional(z.record(words, z.looseObject({}))),
});

export const policyCasesSchema = z.strictObject({
  policy: words,
  cases: z.optional(z.array(policyCase)),
  /** Outcomes that cannot occur, and why. Without `side`: on neither side. */
  cannot: z.optional(z.array(z.strictObject({ outcome, side: z.optional(z.enum(SIDES)), why: words }))),
});

export type PolicyCases = z.infer<typeof policyCasesSchema>;
export type PolicyCase = NonNullable<PolicyCases['cases']>[number];

export interface CaseResult {
  readonly name: string;
  readonly revision: string;
  readonly side: Side;
  readonly expected: Outcome;
  readonly outcome: Outcome;
  readonly findings: Readonly<Record<string, Status>>;
  /** What was not as the case says; empty when it passed. */
  readonly faults: readonly string[];
}

/** A policy without a file has no cases: `missingOutcomes` says so. @throws PolicyFileError */
export function readPolicyCases(file: string): PolicyCases {
  return existsSync(file) ? readJsonFile(file, policyCasesSchema) : { policy: '' };
}

/** `today` is YYYY-MM-DD, the real day here: submissions are weighed by the engine's own clock. */
export function playCases(policy: Policy, { cases = [] }: PolicyCases, today: string): readonly CaseResult[] {
  return cases.flatMap((each) => {
    const revision = revisionOfCase(policy, each);
    if (!revision) return [ofNoRevision(each, policy)];
    return SIDES.flatMap((side) => {
      const given = resourcesOf(each, side);
      return given ? [judge(each, revision, side, statusesOf(revision, side, withDays(given, today), today))] : [];
    });
  });
}

/** The revision that a case is of: named, or the last. */
export function revisionOfCase({ revisions }: Policy, { revision: named }: PolicyCase): PolicyRevision | undefined {
  return named === undefined ? revisions.at(-1) : revisions.find(({ revision }) => revision === named);
}

/** What of met, not met and unknown the cases leave out, for each revision with criteria. Each line is a fault. */
export function missingOutcomes(policy: Policy, { cannot = [] }: PolicyCases, results: readonly CaseResult[]): readonly string[] {
  return policy.revisions.flatMap(({ revision, criteria }) =>
    SIDES.flatMap((side) =>
      OUTCOMES.flatMap((wanted) => {
        const shown = results.some((result) => result.revision === revision && result.side === side && result.expected === wanted);
        const excused = cannot.some((each) => each.outcome === wanted && (each.side ?? side) === side);
        if (shown && excused) return [`revision ${revision}, ${side}: "${wanted}" is said to be impossible, but a case shows it`];
        return shown || excused ? [] : [`revision ${revision}, ${side}: no case shows "${wanted}"${criteria.length === 0 ? ' (a revision without criteria says in "cannot" why)' : ''}`];
      }),
    ),
  );
}

function resourcesOf(each: PolicyCase, side: Side): readonly object[] | undefined {
  const given = each[side] ?? each.both;
  if (side === 'record' || !each.answers) return given;
  const response = { resourceType: 'QuestionnaireResponse', status: 'completed', item: Object.entries(each.answers).map(([linkId, answer]) => ({ linkId, answer: [answer] })) };
  return [...(given ?? []), response];
}

function statusesOf({ criteria }: PolicyRevision, side: Side, given: readonly Resource[], today: string): ReadonlyMap<string, Status> {
  const held = holdCriteria(criteria, { chart: readChart(given), others: given.filter(({ resourceType }) => resourceType === 'Patient'), today });
  if (side === 'record') return new Map(held.map(({ criterionId, status }) => [criterionId, status]));
  const bundle = { resourceType: 'Bundle', type: 'collection', entry: given.map((resource) => ({ resource })) };
  return new Map(criteria.map(({ id, submission }, i) => [id, submission === undefined ? (held[i]?.status ?? 'unknown') : weigh(submission, bundle)]));
}

/** As the payer reads it: one true or false decides, all else is unknown. */
function weigh(submission: string, bundle: object): Status {
  const found = expression(submission)(structuredClone(bundle), {});
  if (found.length !== 1 || typeof found[0] !== 'boolean') return 'unknown';
  return found[0] ? 'met' : 'not-met';
}

function ofNoRevision({ name, outcome: expected, revision = '' }: PolicyCase, policy: Policy): CaseResult {
  const fault = `is of revision ${revision}, which ${policy.id} has not (it has: ${policy.revisions.map((each) => each.revision).join(', ')}); it was not played`;
  return { name, revision, side: 'record', expected, outcome: 'unknown', findings: {}, faults: [fault] };
}

function judge(each: PolicyCase, revision: PolicyRevision, side: Side, statuses: ReadonlyMap<string, Status>): CaseResult {
  const all = [...statuses.values()];
  const found: Outcome = all.includes('not-met') ? 'not-met' : all.includes('unknown') ? 'unknown' : 'met';
  const single = Object.entries(each.criteria ?? {}).flatMap(([id, wanted]) => {
    const status = statuses.get(id);
    if (status === wanted) return [];
    return [`criterion ${id}: expected ${wanted}, but ${status === undefined ? `revision ${revision.revision} has no such criterion (it has: ${[...statuses.keys()].join(', ') || 'none'})` : `it is ${status}`}`];
  });
  const whole = found === each.outcome ? [] : [`expected ${each.outcome}, but it is ${found} (${whyFound(found, statuses)})`];
  return { name: each.name, revision: revision.revision, side, expected: each.outcome, outcome: found, findings: Object.fromEntries(statuses), faults: [...whole, ...single] };
}

/** The criteria that made the outcome what it is. */
function whyFound(found: Outcome, statuses: ReadonlyMap<string, Status>): string {
  if (statuses.size === 0) return 'the revision has no criteria';
  if (found === 'met') return 'every criterion is met';
  return [...statuses].flatMap(([id, status]) => (status === found ? [`${id}: ${status}`] : [])).join(', ');
}

/** "today-30" at the beginning of a text is the day 30 days before. */
export function withDays(given: readonly object[], today: string): readonly Resource[] {
  const dayBefore = (days: number): string => new Date(Date.parse(today) - days * 86_400_000).toISOString().slice(0, 10);
  return JSON.parse(JSON.stringify(given), (_key, value: unknown) => (typeof value === 'string' ? value.replace(/^today-(\d+)/, (_text, days: string) => dayBefore(Number(days))) : value)) as Resource[];
}
