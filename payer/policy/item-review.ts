import type { PolicyRevision } from './read-policies.ts';

export interface ServiceCode {
  readonly system: string;
  readonly code: string;
}

export interface CriterionResult {
  readonly id: string;
  readonly label: string;
  readonly result: 'met' | 'not-met' | 'unknown';
  /** What a met criterion rests on: the record that was sent, or only the answers of a form. */
  readonly basis?: 'records' | 'answers';
}

/** All that an item is decided by, kept as it was when the request came. */
export interface ItemReview {
  /** Undefined when the item names no service in a code system that this payer reads. */
  readonly service?: ServiceCode;
  readonly asked?: { readonly value: number; readonly unit?: string };
  readonly policy?: Pick<PolicyRevision, 'policyId' | 'revision' | 'covered' | 'authorization' | 'decision'>;
  readonly criteria: readonly CriterionResult[];
}

/** What this payer may decide without a person. docs/decisions/who-decides-at-the-payer.md */
export interface DecisionRules {
  /** Least confidence (0 to 1) of an approval that no person makes. */
  readonly automaticConfidence: number;
  /** The sandbox: explicit rules of its policies refuse, and a stand-in acts as its reviewer. Off: whatever is not approved waits for a person. */
  readonly sandboxDecisions: boolean;
}

/** Who decided. Only `person` is a human being. */
export type DecidedBy = 'policy' | 'sandbox-rule' | 'sandbox-reviewer' | 'person' | 'provider';

export type Verdict =
  | { readonly kind: 'approve'; readonly note?: string; readonly authorized?: AuthorizedQuantity }
  | { readonly kind: 'modify'; readonly note: string; readonly authorized: AuthorizedQuantity; readonly reasonCodes?: readonly string[] }
  | { readonly kind: 'deny'; readonly note: string; readonly reasonCodes?: readonly string[] }
  /** `timed`: the stand-in reviewer may decide it by the criteria; else only a person can. */
  | { readonly kind: 'pend'; readonly note: string; readonly timed: boolean };

export interface AuthorizedQuantity {
  readonly value: number;
  readonly unit: string;
}

const PENDED = 'A reviewer will decide this request.';
const BY_RULE = 'Decided by a rule of this sandbox, not by a person.';
const BY_STAND_IN = 'Decided by the sandbox reviewer, who stands in for a person.';

/** A criterion that only a form's answers show counts half. */
const ANSWERS_COUNT = 0.5;

/** Share of the criteria that the record proves, 0 to 1; 1 where there is nothing to prove. */
export function confidenceOf({ criteria }: ItemReview): number {
  if (criteria.length === 0) return 1;
  const proved = criteria.map(({ result, basis }) => (result !== 'met' ? 0 : basis === 'answers' ? ANSWERS_COUNT : 1));
  return proved.reduce<number>((sum, one) => sum + one, 0) / criteria.length;
}

/** What the payer says when the request arrives. Refuses, in part or in whole, only by a rule of the sandbox; no model is ever asked. */
export function decideOnArrival(review: ItemReview, rules: DecisionRules): Verdict {
  const { service, policy } = review;
  const withheld = (verdict: Verdict): Verdict => (rules.sandboxDecisions ? labelled(verdict, BY_RULE) : { kind: 'pend', note: PENDED, timed: false });
  if (!service) return { kind: 'pend', note: 'The service could not be recognised. A reviewer will decide this request.', timed: false };
  if (!policy) return { kind: 'approve', note: 'No authorization is required for this service.' };
  if (policy.covered === 'not-covered') return withheld({ kind: 'deny', note: 'This service is not covered.' });
  if (policy.authorization === 'no-auth') return { kind: 'approve', note: 'No authorization is required for this service.' };
  if (!policy.decision) return { kind: 'pend', note: PENDED, timed: false };
  if (policy.decision.route === 'reviewer') return { kind: 'pend', note: PENDED, timed: true };
  if (review.criteria.some(({ result }) => result === 'not-met')) return withheld(denial(review, policy.decision.denial));
  const unknown = review.criteria.filter(({ result }) => result === 'unknown');
  if (unknown.length > 0) return { kind: 'pend', note: `${PENDED} Not shown by what was sent: ${unknown.map(({ label }) => label).join('; ')}.`, timed: true };
  if (confidenceOf(review) < rules.automaticConfidence) return { kind: 'pend', note: `${PENDED} The criteria are met by answers more than by the record.`, timed: true };
  const verdict = withinLimit(review);
  return verdict.kind === 'modify' ? withheld(verdict) : verdict;
}

/** What the sandbox's stand-in reviewer says when the review is due: a request whose criteria are not all met is refused. */
export function decideAfterReview(review: ItemReview): Verdict {
  const met = review.criteria.every(({ result }) => result === 'met');
  return labelled(met ? withinLimit(review) : denial(review, review.policy?.decision?.denial ?? 'The request does not meet the coverage criteria.'), BY_STAND_IN);
}

function labelled(verdict: Verdict, label: string): Verdict {
  return verdict.kind === 'deny' || verdict.kind === 'modify' ? { ...verdict, note: `${verdict.note} ${label}` } : verdict;
}

function withinLimit({ policy, asked }: ItemReview): Verdict {
  const limit = policy?.decision?.route === 'limit' ? policy.decision.limit : undefined;
  if (!limit) return { kind: 'approve' };
  const authorized = { value: limit.max, unit: limit.unit };
  if (asked === undefined || !isSameUnit(asked.unit, limit.unit)) return { kind: 'approve', authorized, note: `Approved for up to ${limit.max} ${limit.unit}.` };
  if (asked.value <= limit.max) return { kind: 'approve' };
  return { kind: 'modify', authorized, note: `Approved for ${limit.max} ${limit.unit} of the ${asked.value} asked for.` };
}

/** Units are free text in PAS 2.0.1. What is counted in another unit cannot be compared; what has none is taken to be in the limit's. */
function isSameUnit(asked: string | undefined, limit: string): boolean {
  const singular = (unit: string) => unit.trim().toLowerCase().replace(/s$/, '').replace(/^mo$/, 'month');
  return asked === undefined || singular(asked) === singular(limit);
}

function denial(review: ItemReview, reason: string): Verdict {
  const missing = review.criteria.filter(({ result }) => result === 'not-met');
  const unknown = review.criteria.filter(({ result }) => result === 'unknown');
  const sentences = [
    reason,
    ...(missing.length > 0 ? [`Not met: ${missing.map(({ label }) => label).join('; ')}.`] : []),
    ...(unknown.length > 0 ? [`Not shown by what was sent: ${unknown.map(({ label }) => label).join('; ')}.`] : []),
  ];
  return { kind: 'deny', note: sentences.join(' ') };
}
