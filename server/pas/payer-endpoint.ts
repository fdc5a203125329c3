import type { Organization } from '@medplum/fhirtypes';

/** A payer as the sender needs it. One PAS version per endpoint (PAS: the version is a property of the endpoint, never sniffed). */
export interface PayerEndpoint {
  readonly id: string;
  readonly name: string;
  /** Without a trailing slash. */
  readonly fhirBase: string;
  readonly organization: Organization;
}
