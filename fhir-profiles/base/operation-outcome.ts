import type { OperationOutcome, OperationOutcomeIssue } from '@medplum/fhirtypes';

export interface OutcomeIssue {
  /** Default `error`. */
  readonly severity?: OperationOutcomeIssue['severity'];
  readonly code: OperationOutcomeIssue['code'];
  /** What is wrong and what to do, for technical staff. No patient data. */
  readonly diagnostics: string;
  /** FHIRPath of the place. */
  readonly expression?: string;
}

export function operationOutcome(issues: readonly [OutcomeIssue, ...OutcomeIssue[]]): OperationOutcome {
  return {
    resourceType: 'OperationOutcome',
    issue: issues.map(({ severity = 'error', code, diagnostics, expression }) => ({
      severity,
      code,
      diagnostics,
      ...(expression === undefined ? {} : { expression: [expression] }),
    })),
  };
}
