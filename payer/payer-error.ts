import type { OperationOutcome, OperationOutcomeIssue } from '@medplum/fhirtypes';

export interface Problem {
  /** FHIR issue-type code. */
  readonly code: OperationOutcomeIssue['code'];
  /** The validator's own code, when it found the problem. */
  readonly rule?: string;
  /** Plain words; ids, codes and paths only, never a value out of a patient's record. */
  readonly text: string;
  /** FHIRPath of the element, rooted at the resource that was sent. */
  readonly expression?: string;
}

/** A request that cannot be served. `status` is the HTTP status; `problems` become the issues of the OperationOutcome. */
export class PayerError extends Error {
  readonly status: number;
  readonly problems: readonly Problem[];

  constructor(status: number, problem: Problem | readonly Problem[], options?: { readonly cause?: unknown }) {
    const problems: readonly Problem[] = 'code' in problem ? [problem] : problem;
    super(problems[0]?.text ?? 'The request cannot be served.', options);
    this.name = 'PayerError';
    this.status = status;
    this.problems = problems;
  }
}

export function toOperationOutcome(problems: readonly Problem[]): OperationOutcome {
  return {
    resourceType: 'OperationOutcome',
    issue: problems.map(({ code, rule, text, expression }) => ({
      severity: 'error',
      code,
      details: { ...(rule === undefined ? {} : { coding: [{ system: 'https://openpriorauth.org/CodeSystem/validation-issue', code: rule }] }), text },
      ...(expression === undefined ? {} : { expression: [expression] }),
    })),
  };
}
