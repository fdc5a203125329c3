import type { Generated, Selectable } from 'kysely';
import type { SubmissionKeys } from '#prior-auth/pas-bundle/build-submission.ts';
import type { PasVersion, SubmissionPurpose } from '#prior-auth/pas-bundle/request-change.ts';
import type { PayerDecision } from '#prior-auth/payer-decision/decision.ts';
import type { PartMigrations } from '#store/migrate.ts';

/**
 * The outbox. `bundle` is text, not jsonb: a repeated sending must be the same bytes. `next_at` is when a queued row is tried, or a pended
 * one inquired about, again; `lease_until` keeps two workers from sending one row at a time. The identifiers are unique for ever.
 */
export const pasMigrations: PartMigrations = {
  '000001-outbox': `
    create schema if not exists pas;
    create table pas.submission (
      id uuid primary key, case_id uuid not null, payer_id text not null, submitted_by text not null,
      bundle_identifier text not null unique, claim_identifier text not null unique, keys jsonb not null, bundle text not null,
      status text not null check (status in ('queued', 'pended', 'decided', 'refused')),
      attempts integer not null default 0, last_error text, queued_at timestamptz not null, submitted_at timestamptz,
      next_at timestamptz, lease_until timestamptz, decision jsonb, response_references jsonb not null default '[]'
    );
    create unique index submission_live_case on pas.submission (case_id) where status in ('queued', 'pended');
    create index submission_due on pas.submission (next_at) where status in ('queued', 'pended');
    create index submission_pended on pas.submission (payer_id) where status = 'pended';
    create table pas.answer (
      id uuid primary key, submission_id uuid not null references pas.submission (id), operation text not null, http_status integer not null, body text not null, received_at timestamptz not null
    );
    create index answer_submission on pas.answer (submission_id, received_at);
    create table pas.subscription (
      payer_id text primary key, secret text not null, organization_identifier text not null, status text not null check (status in ('wanted', 'requested', 'active', 'error')),
      subscription_id text, last_event_number bigint not null default 0, last_error text, changed_at timestamptz not null
    );
    create table pas.notification (
      payer_id text not null, subscription_reference text not null, event_number bigint not null, focus text, received_at timestamptz not null, primary key (payer_id, subscription_reference, event_number)
    )`,
  // A request's later versions: one on its way at most (queued or held), and one that stands at the payer at most (pended or decided).
  '000002-updates': `
    alter table pas.submission add column purpose text not null default 'new' check (purpose in ('new', 'update', 'cancel'));
    alter table pas.submission add column pas_version text not null default '2.0.1';
    alter table pas.submission add column previous_id uuid references pas.submission (id);
    alter table pas.submission drop constraint submission_status_check;
    alter table pas.submission add constraint submission_status_check check (status in ('queued', 'held', 'pended', 'decided', 'cancelled', 'replaced', 'refused', 'withdrawn'));
    drop index pas.submission_live_case;
    create unique index submission_sending_case on pas.submission (case_id) where status in ('queued', 'held');
    create unique index submission_standing_case on pas.submission (case_id) where status in ('pended', 'decided')`,
};

/** `replaced`: the payer took a later version. `withdrawn`: taken back by staff before it left. */
type SubmissionStatus = 'queued' | 'held' | 'pended' | 'decided' | 'cancelled' | 'replaced' | 'refused' | 'withdrawn';

export type PasTables = {
  'pas.submission': {
    id: string;
    case_id: string;
    payer_id: string;
    submitted_by: string;
    bundle_identifier: string;
    claim_identifier: string;
    keys: string;
    bundle: string;
    status: SubmissionStatus;
    attempts: number;
    last_error: string | null;
    queued_at: string;
    submitted_at: string | null;
    next_at: string | null;
    lease_until: string | null;
    decision: string | null;
    response_references: string;
    purpose: Generated<SubmissionPurpose>;
    pas_version: Generated<PasVersion>;
    previous_id: string | null;
  };
  'pas.answer': { id: string; submission_id: string; operation: string; http_status: number; body: string; received_at: string };
  'pas.subscription': {
    payer_id: string;
    secret: string;
    organization_identifier: string;
    status: 'wanted' | 'requested' | 'active' | 'error';
    subscription_id: string | null;
    last_event_number: number;
    last_error: string | null;
    changed_at: string;
  };
  'pas.notification': { payer_id: string; subscription_reference: string; event_number: number; focus: string | null; received_at: string };
};

/** A row as the jobs use it: jsonb columns parsed, instants ISO. */
export interface SubmissionRow {
  readonly id: string;
  readonly caseId: string;
  readonly payerId: string;
  readonly submittedBy: string;
  readonly keys: SubmissionKeys;
  readonly bundle: string;
  readonly status: SubmissionStatus;
  readonly attempts: number;
  readonly submittedAt: string | undefined;
  readonly decision: PayerDecision | undefined;
  readonly purpose: SubmissionPurpose;
  readonly pasVersion: PasVersion;
  /** The submission that this one changes or cancels. */
  readonly previousId: string | undefined;
}

export function toSubmissionRow(row: Selectable<PasTables['pas.submission']>): SubmissionRow {
  return {
    id: row.id,
    caseId: row.case_id,
    payerId: row.payer_id,
    submittedBy: row.submitted_by,
    keys: row.keys as unknown as SubmissionKeys,
    bundle: row.bundle,
    status: row.status,
    attempts: row.attempts,
    submittedAt: row.submitted_at === null ? undefined : new Date(row.submitted_at).toISOString(),
    decision: (row.decision as unknown as PayerDecision | null) ?? undefined,
    purpose: row.purpose,
    pasVersion: row.pas_version,
    previousId: row.previous_id ?? undefined,
  };
}
