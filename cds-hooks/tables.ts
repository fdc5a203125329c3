import type { PartMigrations } from '#store/migrate.ts';

export type CdsTables = {
  /** `tenant` is '' for a registration of every tenant; `registration` is what `trustedClientSchema` describes. */
  'cds.client': { id: string; iss: string; tenant: string; registration: string; disabled: boolean; created_at: string };
  'cds.metric_batch': { id: string; first_at: string; last_at: string; content: Uint8Array };
  'cds.seen_token': { issuer: string; jti: string; expires_at: string };
  'cds.exchange_batch': { id: string; first_at: string; last_at: string; expires_at: string; hook_instances: string; content: Uint8Array };
  'cds.feedback': {
    id: string; received_at: string; expires_at: string; client: string; service: string; card: string; outcome: string; outcome_at: string; override_reason: string | null; user_comment: string | null;
    /** What the card is counted as (card-id.ts); '' when no present policy makes such a card. */
    card_kind: string;
    /** The client's words for the reason; null where it gave none, and in rows from before these were kept. */
    override_display: string | null;
  };
  'cds.shown_risk': { key: string; hook: string; shown_at: string; process: string };
  'cds.hash_key': { name: string; secret: string };
};

export const migrations: PartMigrations = {
  '000001-cds': `
    create schema if not exists cds;
    create table cds.seen_token (issuer text not null, jti text not null, expires_at timestamptz not null, primary key (issuer, jti));
    create table cds.exchange_batch (id uuid primary key, first_at timestamptz not null, last_at timestamptz not null, expires_at timestamptz not null, hook_instances jsonb not null, content bytea not null);
    create index exchange_batch_expires on cds.exchange_batch (expires_at);
    create table cds.feedback (
      id uuid primary key, received_at timestamptz not null, expires_at timestamptz not null, client text not null, service text not null, card text not null, outcome text not null, outcome_at timestamptz not null,
      override_reason text, user_comment text
    )`,
  '000002-clients': `
    create table cds.client (
      id uuid primary key, iss text not null, tenant text not null, registration jsonb not null, disabled boolean not null, created_at timestamptz not null, unique (iss, tenant)
    );
    create index seen_token_expires on cds.seen_token (expires_at);
    create table cds.metric_batch (id uuid primary key, first_at timestamptz not null, last_at timestamptz not null, content bytea not null);
    create index metric_batch_last on cds.metric_batch (last_at)`,
  '000003-feedback-by-kind': `
    alter table cds.feedback add column card_kind text not null default '';
    create index feedback_kind on cds.feedback (card_kind);
    create table cds.shown_risk (key text primary key, hook text not null, shown_at timestamptz not null, process text not null);
    create index shown_risk_at on cds.shown_risk (shown_at);
    create table cds.hash_key (name text primary key, secret text not null)`,
  // Both are compressed before they come: the database need not try again.
  '000004-kept-as-it-comes': `
    alter table cds.exchange_batch alter column content set storage external;
    alter table cds.metric_batch alter column content set storage external`,
  '000005-words-of-reasons': `
    alter table cds.feedback add column override_display text`,
};
