import type { Logger } from 'pino';
import type { Validator } from '#fhir/validation/validator.ts';
import type { PayerDatabase } from './database.ts';
import type { PayerMetrics } from './metrics.ts';
import type { PolicyRevision } from './policy/read-policies.ts';
import type { RegisteredClient } from './token/client-assertion.ts';

/** What every part of the payer works with. */
export interface PayerSetting {
  readonly db: PayerDatabase;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly validator: Validator;
  readonly policies: readonly PolicyRevision[];
  readonly metrics: PayerMetrics;
  /** Base of this payer's FHIR API, without a slash at the end. */
  readonly fhirBase: string;
  readonly registeredClients: readonly RegisteredClient[];
  /** How long after its arrival the stand-in reviewer decides a pended item. */
  readonly reviewDelayMs: number;
}
