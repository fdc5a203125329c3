import type { OperationOutcome, OperationOutcomeIssue } from '@medplum/fhirtypes';

/** A refusal of the FHIR API: HTTP status, FHIR issue code and a sentence that carries no patient data. */
export class FhirRefusal extends Error {
  readonly status: number;
  readonly issueCode: OperationOutcomeIssue['code'];
  /** FHIRPath of the element at fault, when there is one. */
  readonly expression: string | undefined;

  constructor(status: number, issueCode: OperationOutcomeIssue['code'], message: string, expression?: string) {
    super(message);
    this.name = 'FhirRefusal';
    this.status = status;
    this.issueCode = issueCode;
    this.expression = expression;
  }
}

export function operationOutcome(code: OperationOutcomeIssue['code'], diagnostics: string, expression?: string): OperationOutcome {
  return { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code, diagnostics, ...(expression ? { expression: [expression] } : {}) }] };
}
