import type { Coverage, Patient, Resource } from '@medplum/fhirtypes';
import type { Determination } from '#prior-auth/coverage-requirement/determine.ts';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import type { RequestedService } from '#prior-auth/order/requested-service.ts';

/** One order, appointment or encounter of a call and what the payer's policies say of it: all that cards and actions are made from. */
export interface DeterminedFocus {
  /** As it came; what answers put on it is added to a copy. */
  readonly focus: Resource;
  /** Undefined where it asks for nothing that has a code. */
  readonly service: RequestedService | undefined;
  readonly determination: Determination;
  /** The requirement is the word of the payer's own service; the policy and its findings are still ours. */
  readonly byPayer?: true;
  readonly patient: Patient | undefined;
  /** The coverage that decided; undefined when only its reference is known. */
  readonly coverage: Coverage | undefined;
  readonly payer: Payer | undefined;
  /** As printed on the member's card. */
  readonly payerName: string;
  /** Payers of further active coverages that this answer does not speak for. */
  readonly otherPayers: readonly string[];
  /** Calendar day at the payer. */
  readonly today: string;
}
