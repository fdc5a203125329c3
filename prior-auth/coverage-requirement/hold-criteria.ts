import type { Resource } from '@medplum/fhirtypes';
import { compile, evaluate } from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import { type Chart, findEvidence, type HeldCriterion, toEvidenceReference } from './evidence.ts';
import type { PolicyCriterion } from './policy.ts';
import type { CriterionFinding } from './requirement.ts';

type Evaluate = (input: object, variables: Record<string, unknown>) => readonly unknown[];

/** Compiled once for each expression; policies are few and fixed, so it never shrinks. */
const compiled = new Map<string, Evaluate>();

export interface RecordToHold {
  readonly chart: Chart;
  /** Order, patient and alike, for criteria that look at more than their evidence. */
  readonly others: readonly Resource[];
  /** YYYY-MM-DD */
  readonly today: string;
}

/** Holds a policy's criteria against a record. What the record does not say is `unknown`; an expression that cannot be evaluated on it is, too. */
export function holdCriteria(criteria: readonly PolicyCriterion[], record: RecordToHold): readonly CriterionFinding[] {
  const { held } = record.chart;
  return criteria.map((criterion) => {
    let found = held.get(criterion);
    if (!found) {
      found = { evidence: findEvidence(record.chart, criterion.evidence), findings: new Map() };
      held.set(criterion, found);
    }
    return found.findings.get(record.today) ?? hold(criterion, found, record);
  });
}

function hold({ id, label, record }: PolicyCriterion, { evidence: { resources, olderLeftOut }, findings }: HeldCriterion, { others, today }: RecordToHold): CriterionFinding {
  let entry: readonly object[] | undefined;
  const input = () => ({
    resourceType: 'Bundle',
    type: 'collection',
    get entry() {
      return (entry ??= [...others, ...resources].map((resource) => ({ resource })));
    },
  });
  const finding: CriterionFinding = {
    criterionId: id,
    label,
    status: resources.length === 0 ? 'unknown' : outcomeOf(record, input(), { evidence: resources, today: dateOf(today) }),
    evidence: resources.slice(0, 3).flatMap((resource) => toEvidenceReference(resource) ?? []),
    ...(olderLeftOut ? { olderLeftOut } : {}),
  };
  // An expression that did not ask for the entries would not on another order.
  if (entry === undefined) findings.set(today, finding);
  return finding;
}

/**
 * On data of a kind that the expression does not expect, such as a text where a number is compared, the engine throws (not always an Error): the record
 * does not say. An expression that is none is refused when the policy is read; here it would decide nothing, and no call fails by it.
 */
function outcomeOf(text: string, input: object, variables: Record<string, unknown>): CriterionFinding['status'] {
  let result: readonly unknown[];
  try {
    result = expression(text)(input, variables);
  } catch {
    return 'unknown';
  }
  if (result.length !== 1 || typeof result[0] !== 'boolean') return 'unknown';
  return result[0] ? 'met' : 'not-met';
}

/** True when the expression (FHIRPath over the resource, `%today`) is true; what cannot be evaluated on it is not. */
export function holds(path: string, resource: Resource, today: string): boolean {
  return outcomeOf(path, resource, { today: dateOf(today) }) === 'met';
}

/** First result of the expression over the resource; undefined without one, or when it cannot be evaluated. */
export function firstResult(path: string, resource: Resource, today: string): unknown {
  try {
    return expression(path)(resource, { today: dateOf(today) })[0];
  } catch {
    return undefined;
  }
}

/** @throws Error when the expression is no FHIRPath. */
export function expression(text: string): Evaluate {
  let found = compiled.get(text);
  if (!found) {
    found = compile(text, r4, { async: false }) as Evaluate;
    compiled.set(text, found);
  }
  return found;
}

let lastDate: { readonly day: string; readonly value: unknown } | undefined;

/** The day as the engine's own date, so that `%today - 30 days` works. */
export function dateOf(day: string): unknown {
  if (lastDate?.day !== day) lastDate = { day, value: evaluate({}, `@${day}`, {}, r4, { async: false, resolveInternalTypes: false })[0] };
  return lastDate.value;
}
