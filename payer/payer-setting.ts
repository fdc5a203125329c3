import type { Logger } from 'pino';
import type { PayerDatabase } from './database.ts';
import type { PayerMetrics } from './metrics.ts';
import type { PasEndpoints } from './pas-version.ts';
import type { DecisionRules } from './policy/item-review.ts';
import type { PolicyRevision } from './policy/read-policies.ts';
import type { RegisteredClient } from './token/client-assertion.ts';

/** What every part of the payer works with. */
export interface PayerSetting {
  readonly db: PayerDatabase;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** The PAS addresses, one for each version. */
  readonly endpoints: PasEndpoints;
  readonly decisions: DecisionRules;
  /** IANA zone in which the days of the legal clocks are counted. */
  readonly timeZone: string;
  readonly policies: readonly PolicyRevision[];
  readonly metrics: PayerMetrics;
  readonly registeredClients: readonly RegisteredClient[];
  /** How long after its arrival the stand-in reviewer decides a pended item. */
  readonly reviewDelayMs: number;
}
