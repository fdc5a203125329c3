import type { PanelReplies } from '#prior-auth/panel-api.ts';
import type { SubmissionInput, SubmissionProblem } from '#prior-auth/pas-bundle/submission-input.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { AnyDatabase, Store } from '#store/database.ts';
import type { Jobs } from '#store/jobs.ts';
import type { SigningKey } from '#store/signing-keys.ts';
import type { Router } from 'express';
import type { Transaction } from 'kysely';
import type { Logger } from 'pino';
import type { CasePort } from '../payer/case-port.ts';
import type { PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';

export interface PasSenderOptions {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly baseUrl: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly audit: AuditTrail;
  readonly payers: PayerDirectory;
  /** `signingKey(store, 'server', 'ES384')`. */
  readonly keys: SigningKey;
  readonly cases: CasePort;
  /** Milliseconds between two inquiries about a pended case. Default 30,000. */
  readonly inquiryIntervalMs?: number;
}

export type QueueResult =
  /** The caller moves the case to `queued` in the same transaction, with this instant. */
  | { readonly kind: 'queued'; readonly submissionId: string; readonly queuedAt: string }
  /** This case has a live submission; nothing was written. */
  | { readonly kind: 'already-queued'; readonly submissionId: string }
  | { readonly kind: 'problems'; readonly problems: readonly SubmissionProblem[] };

export interface PasSender {
  readonly router: Router;
  /** Builds, validates and stores the bundle and enqueues its sending, all within `trx`. `who` is the relative reference of the person who submits. */
  queueSubmission(trx: Transaction<AnyDatabase>, input: SubmissionInput, who: string): Promise<QueueResult>;
  /** What would be sent, and what stops it. Writes nothing. */
  preview(input: SubmissionInput): PanelReplies['previewSubmission'];
  start(): Promise<void>;
  stop(): Promise<void>;
}
