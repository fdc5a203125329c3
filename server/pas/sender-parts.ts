import type { Bundle } from '@medplum/fhirtypes';
import type { Logger } from 'pino';
import type { PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import type { DiagnosisMap } from '#prior-auth/pas-bundle/diagnosis-map.ts';
import type { PasVersion } from '#prior-auth/pas-bundle/request-change.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import type { Jobs } from '#store/jobs.ts';
import type { CasePort } from '../payer/case-port.ts';
import type { PayerClient } from '../payer/payer-client.ts';
import type { BundleFault } from './bundle-faults.ts';

export const QUEUES = { inquire: 'pas-inquire', subscribe: 'pas-subscription', events: 'pas-event' } as const;

/** Milliseconds. */
export interface SubscriptionTimes {
  /** Between two askings where a Subscription stands (`$status`). */
  readonly statusIntervalMs: number;
  /** After it the secret that the payer sends with is replaced. */
  readonly secretLifeMs: number;
  /** How long a missing event number may merely have been overtaken. */
  readonly gapGraceMs: number;
}

/** What the sender's jobs and routes share. */
export interface SenderParts {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly baseUrl: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly audit: AuditTrail;
  readonly payers: PayerDirectory;
  readonly cases: CasePort;
  readonly client: PayerClient;
  readonly inquiryIntervalMs: number;
  /** Delay after the first failed sending; doubles from there. */
  readonly retryBaseMs: number;
  readonly subscriptions: SubscriptionTimes;
  /** After it another worker may take a row in hand. */
  readonly leaseMs: number;
  /** Errors of the validator; empty when the bundle may leave. */
  readonly faultsOf: (bundle: Bundle, version: PasVersion) => readonly BundleFault[];
  /** For reasons that the record codes in SNOMED CT alone. */
  readonly diagnosisMap: DiagnosisMap;
}
