import type { OperationOutcome } from '@medplum/fhirtypes';
import { type OutcomeIssue, operationOutcome } from '#fhir/base/operation-outcome.ts';

/** A call that is answered with an HTTP error. The text is for technical staff and never holds data of the call. */
export class Refusal extends Error {
  readonly status: number;
  readonly outcome: OperationOutcome;

  constructor(status: number, code: OutcomeIssue['code'], diagnostics: string) {
    super(diagnostics);
    this.name = 'Refusal';
    this.status = status;
    this.outcome = operationOutcome([{ code, diagnostics }]);
  }
}
