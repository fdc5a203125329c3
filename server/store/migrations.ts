import type { PartMigrations } from '#store/migrate.ts';

export const CASE_MIGRATIONS: PartMigrations = {
  '000001-cases': `
    create schema if not exists cases;
    create table cases.prior_auth_case (
      id uuid primary key,
      version integer not null,
      ehr_base text not null,
      order_reference text not null,
      patient_id text not null,
      state text not null,
      payer_id text not null,
      search_text text not null,
      clock_due timestamptz,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      forms_read_for text,
      risk jsonb,
      risk_facts jsonb,
      document jsonb not null,
      unique (ehr_base, order_reference)
    );
    create index case_by_update on cases.prior_auth_case (updated_at desc, id desc);
    create index case_by_state on cases.prior_auth_case (state, updated_at desc, id desc);
    create index case_by_clock on cases.prior_auth_case (coalesce(clock_due, 'infinity'::timestamptz), id);
    create table cases.state_history (
      case_id uuid not null references cases.prior_auth_case (id),
      version integer not null,
      state text not null,
      who text not null,
      at timestamptz not null,
      primary key (case_id, version)
    );
    create table cases.form (
      case_id uuid not null references cases.prior_auth_case (id),
      form_id text not null,
      position integer not null,
      package jsonb not null,
      response jsonb not null,
      version integer not null,
      sources jsonb not null,
      population jsonb not null,
      completed boolean not null,
      missing integer not null,
      ehr_reference text,
      updated_at timestamptz not null,
      primary key (case_id, form_id)
    )`,
  '000002-populated': `
    alter table cases.form add column populated jsonb`,
  '000003-working-together': `
    alter table cases.form add column saved_by jsonb, add column ehr_copy jsonb, add column unsettled jsonb, add column attestation jsonb;
    create table cases.hand_over (
      case_id uuid primary key references cases.prior_auth_case (id),
      status text not null,
      document jsonb not null,
      updated_at timestamptz not null
    )`,
};

export const LEARNING_MIGRATIONS: PartMigrations = {
  '000001-outcomes': `
    create schema if not exists learning;
    create table learning.outcome (
      id uuid primary key,
      case_key text not null,
      item_sequence integer not null,
      label text not null,
      record jsonb not null,
      recorded_at timestamptz not null,
      unique (case_key, item_sequence)
    )`,
};

export const SESSION_MIGRATIONS: PartMigrations = {
  '000001-sessions': `
    create schema if not exists panel;
    create table panel.pending_launch (
      state text primary key,
      kind text not null,
      ehr_base text not null,
      sealed text not null,
      expires_at timestamptz not null
    );
    create index pending_launch_expiry on panel.pending_launch (expires_at);
    create table panel.session (
      id uuid primary key,
      kind text not null,
      secret_hash text not null,
      ehr_base text not null,
      user_reference text not null,
      user_name text not null,
      patient_id text,
      case_id uuid,
      need_patient_banner boolean not null,
      sealed text not null,
      created_at timestamptz not null,
      expires_at timestamptz not null
    );
    create index session_expiry on panel.session (expires_at)`,
  '000002-launches': `
    alter table panel.session add column launch jsonb not null default '{}';
    create table panel.handover (
      ticket_hash text primary key,
      session_id uuid not null references panel.session (id) on delete cascade,
      sealed text not null,
      expires_at timestamptz not null
    );
    create table panel.ehr (
      id uuid primary key,
      fhir_base text not null unique,
      registration jsonb not null,
      disabled boolean not null,
      created_at timestamptz not null
    )`,
};
