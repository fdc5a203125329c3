import type { Generated, Selectable } from 'kysely';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
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
  // One subscription for each payer and submitting organization. What a payer told us is stored before it is answered, and worked off after.
  '000003-subscriptions': `
    alter table pas.subscription add column id uuid not null default gen_random_uuid();
    alter table pas.subscription alter column id drop default;
    alter table pas.subscription drop constraint subscription_pkey;
    alter table pas.subscription add primary key (id);
    alter table pas.subscription add constraint subscription_payer_organization unique (payer_id, organization_identifier);
    alter table pas.subscription add column organizations jsonb not null default '[]';
    update pas.subscription set organizations = jsonb_build_array(organization_identifier);
    alter table pas.subscription add column pas_version text not null default '2.0.1', add column connection jsonb, add column previous_secret text,
      add column secret_at timestamptz not null default now(), add column highest_event_number bigint not null default 0, add column events_offered boolean,
      add column heard_at timestamptz, add column checked_at timestamptz, add column ends_at timestamptz, add column failures integer not null default 0,
      add column next_at timestamptz not null default now();
    update pas.subscription set highest_event_number = last_event_number;
    alter table pas.subscription drop constraint subscription_status_check;
    alter table pas.subscription add constraint subscription_status_check check (status in ('wanted', 'requested', 'active', 'error', 'removing'));
    create index subscription_due on pas.subscription (next_at);
    create table pas.subscription_event (
      id uuid primary key, subscription uuid not null references pas.subscription (id) on delete cascade, reference text not null, event_number bigint,
      focus text, answer text, source text not null check (source in ('notification', 'events')), received_at timestamptz not null,
      state text not null check (state in ('waiting', 'done', 'left')), note text, submission_id uuid references pas.submission (id),
      attempts integer not null default 0, next_at timestamptz
    );
    create unique index subscription_event_number on pas.subscription_event (subscription, reference, event_number);
    create index subscription_event_waiting on pas.subscription_event (next_at) where state = 'waiting';
    create index subscription_event_submission on pas.subscription_event (submission_id, event_number);
    insert into pas.subscription_event (id, subscription, reference, event_number, focus, source, received_at, state)
      select gen_random_uuid(), s.id, regexp_replace(n.subscription_reference, '^.*/', ''), n.event_number, n.focus, 'notification', n.received_at, 'done'
      from pas.notification n join pas.subscription s on s.payer_id = n.payer_id;
    drop table pas.notification;
    alter table pas.submission add column inquiry_due boolean not null default false;
    create index submission_claim_url on pas.submission ((keys ->> 'claimFullUrl'));
    create index submission_traces on pas.submission using gin ((keys -> 'items') jsonb_path_ops)`,
  '000004-lines': `
    create table pas.payer_line (
      payer_id text primary key, failures integer not null, down_since timestamptz, next_try_at timestamptz, last_error text,
      draining_since timestamptz, draining integer, paused_at timestamptz, paused_by text, paused_note text
    );
    create index submission_line on pas.submission (payer_id, queued_at, id) where status = 'queued';
    create index submission_of_case on pas.submission (case_id, id);
    create table pas.attachment (
      id uuid primary key, case_id uuid not null, submission_id uuid not null references pas.submission (id), payer_id text not null, ask_id text not null, tracking_id text not null,
      submitted_by text not null, target text not null, body text not null, status text not null check (status in ('queued', 'sent', 'refused', 'withdrawn')),
      attempts integer not null default 0, last_error text, queued_at timestamptz not null, sent_at timestamptz, next_at timestamptz, lease_until timestamptz
    );
    create unique index attachment_of_ask on pas.attachment (case_id, ask_id) where status in ('queued', 'sent');
    create index attachment_due on pas.attachment (next_at) where status = 'queued'`,
  // Each try to reach a payer, for the figures (docs/pas-metrics.md).
  '000005-exchanges': `
    create table pas.exchange (
      id uuid primary key, case_id uuid not null, submission_id uuid not null, type text not null,
      request_time timestamptz not null, response_time timestamptz, http_response text not null, issues jsonb not null, aaa_codes jsonb not null
    );
    create index exchange_of_case on pas.exchange (case_id, request_time);
    create index exchange_by_time on pas.exchange (request_time)`,
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
    /** Ask, although the payer's notifications are waited for (PAS 2.2.1). */
    inquiry_due: Generated<boolean>;
  };
  'pas.answer': { id: string; submission_id: string; operation: string; http_status: number; body: string; received_at: string };
  /** What is known of the way to a payer; no row, nothing special. */
  'pas.payer_line': {
    payer_id: string;
    /** In a row, of whatever request. */
    failures: number;
    down_since: string | null;
    next_try_at: string | null;
    last_error: string | null;
    /** The end of the last outage, and how many requests waited then. */
    draining_since: string | null;
    draining: number | null;
    paused_at: string | null;
    paused_by: string | null;
    paused_note: string | null;
  };
  /** Answers to what a payer asks for. `body` is text: a repeated sending is the same bytes. */
  'pas.attachment': {
    id: string;
    case_id: string;
    submission_id: string;
    payer_id: string;
    ask_id: string;
    tracking_id: string;
    submitted_by: string;
    /** Path under the payer's FHIR base. */
    target: string;
    body: string;
    status: 'queued' | 'sent' | 'refused' | 'withdrawn';
    attempts: Generated<number>;
    last_error: string | null;
    queued_at: string;
    sent_at: string | null;
    next_at: string | null;
    lease_until: string | null;
  };
  'pas.subscription': {
    id: string;
    payer_id: string;
    /** The submitting organization, or `*` where one subscription stands for all of them. */
    organization_identifier: string;
    /** JSON array: the identifiers that the filter names. */
    organizations: string;
    pas_version: Generated<PasVersion>;
    status: 'wanted' | 'requested' | 'active' | 'error' | 'removing';
    secret: string;
    /** Still taken until the payer has used the new one. */
    previous_secret: string | null;
    secret_at: string;
    /** Subscription.id at the payer. */
    subscription_id: string | null;
    /** The Payer it was made at, as JSON: it is taken back there when the payer is removed or moves. */
    connection: string | null;
    /** Every event up to this number is stored. */
    last_event_number: Generated<number>;
    /** The highest number that the payer has spoken of; above `last_event_number` something is missing. */
    highest_event_number: Generated<number>;
    /** Whether the payer has `$events`; null until it was asked. */
    events_offered: boolean | null;
    heard_at: string | null;
    checked_at: string | null;
    ends_at: string | null;
    failures: Generated<number>;
    last_error: string | null;
    next_at: string;
    changed_at: string;
  };
  'pas.subscription_event': {
    id: string;
    subscription: string;
    /** Subscription.id that the payer named: another than the current one is an earlier subscription, which counted for itself. */
    reference: string;
    event_number: number | null;
    focus: string | null;
    /** The PAS response bundle that rode along, as JSON; null again once it stands in pas.answer. */
    answer: string | null;
    source: 'notification' | 'events';
    received_at: string;
    /** `left`: read, and nothing recorded; `note` says why. */
    state: 'waiting' | 'done' | 'left';
    note: string | null;
    submission_id: string | null;
    attempts: Generated<number>;
    next_at: string | null;
  };
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

/** A payer's Subscription as the worker keeps it. */
export interface SubscriptionRow {
  readonly id: string;
  readonly payerId: string;
  readonly scope: string;
  readonly organizations: readonly string[];
  readonly status: PasTables['pas.subscription']['status'];
  readonly secret: string;
  readonly previousSecret: string | undefined;
  readonly secretAt: string;
  readonly subscriptionId: string | undefined;
  readonly connection: Payer | undefined;
  readonly lastEventNumber: number;
  readonly highestEventNumber: number;
  readonly endsAt: string | undefined;
  readonly failures: number;
  readonly changedAt: string;
}

export function toSubscriptionRow(row: Selectable<PasTables['pas.subscription']>): SubscriptionRow {
  return {
    id: row.id,
    payerId: row.payer_id,
    scope: row.organization_identifier,
    organizations: row.organizations as unknown as readonly string[],
    status: row.status,
    secret: row.secret,
    previousSecret: row.previous_secret ?? undefined,
    secretAt: new Date(row.secret_at).toISOString(),
    subscriptionId: row.subscription_id ?? undefined,
    connection: (row.connection as unknown as Payer | null) ?? undefined,
    lastEventNumber: row.last_event_number,
    highestEventNumber: row.highest_event_number,
    endsAt: row.ends_at === null ? undefined : new Date(row.ends_at).toISOString(),
    failures: row.failures,
    changedAt: new Date(row.changed_at).toISOString(),
  };
}
