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
  // The list is read from a narrow table: counting and searching it stays quick however large the documents of the cases are.
  '000004-worklist': `
    create sequence cases.worklist_revision;
    create table cases.worklist_row (
      case_id uuid primary key references cases.prior_auth_case (id) on delete cascade,
      ehr_base text not null,
      state text not null,
      attention smallint not null,
      must_act text not null,
      payer_id text not null,
      requester text,
      service_code text,
      service_name text not null,
      clock_kind text not null,
      due timestamptz not null,
      valid_until date,
      updated_at timestamptz not null,
      words tsvector not null,
      next_touch date,
      assigned_to text,
      assigned_name text,
      revision bigint not null default nextval('cases.worklist_revision')
    );
    insert into cases.worklist_row (case_id, ehr_base, state, attention, must_act, payer_id, requester, service_code, service_name, clock_kind, due, updated_at, words)
      select id, ehr_base, state, 1, case state when 'pended' then 'payer' when 'questionnaire' then 'us' when 'ready' then 'us' when 'held' then 'us' when 'refused' then 'us' when 'manual' then 'us' else 'nobody' end,
        payer_id, document->>'requester', document#>>'{service,codings,0,code}', document#>>'{service,display}', case when document#>>'{service,priority}' = 'routine' then 'standard' else 'expedited' end,
        coalesce(clock_due, 'infinity'), updated_at, array_to_tsvector(array_remove(regexp_split_to_array(search_text, '[^[:alnum:]]+'), ''))
      from cases.prior_auth_case;
    create index worklist_by_clock on cases.worklist_row (ehr_base, attention, due, case_id);
    create index worklist_by_update on cases.worklist_row (ehr_base, updated_at, case_id);
    create index worklist_by_state on cases.worklist_row (ehr_base, state, attention, due, case_id);
    create index worklist_by_payer on cases.worklist_row (ehr_base, payer_id, attention, due, case_id);
    create index worklist_by_requester on cases.worklist_row (ehr_base, requester);
    create index worklist_by_service on cases.worklist_row (ehr_base, service_code);
    create index worklist_by_touch on cases.worklist_row (ehr_base, next_touch, case_id) where next_touch is not null;
    create index worklist_by_end on cases.worklist_row (ehr_base, valid_until, case_id) where valid_until is not null;
    create index worklist_by_assigned on cases.worklist_row (ehr_base, assigned_to) where assigned_to is not null;
    create index worklist_by_revision on cases.worklist_row (ehr_base, revision);
    create index worklist_words on cases.worklist_row using gin (words);
    drop index cases.case_by_update;
    drop index cases.case_by_state;
    drop index cases.case_by_clock;
    create table cases.person (
      ehr_base text not null,
      reference text not null,
      name text not null,
      primary key (ehr_base, reference)
    );
    create table cases.case_note (
      id uuid primary key,
      case_id uuid not null references cases.prior_auth_case (id) on delete cascade,
      author text not null,
      author_name text not null,
      at timestamptz not null,
      note jsonb not null
    );
    create index note_of_case on cases.case_note (case_id, at);
    create table cases.worklist_view (
      id uuid primary key,
      ehr_base text not null,
      owner text not null,
      owner_name text not null,
      name text not null,
      shared boolean not null,
      query jsonb not null,
      created_at timestamptz not null,
      unique (ehr_base, owner, name)
    );
    create index view_of_clinic on cases.worklist_view (ehr_base) where shared`,
  // An order may be asked for again: after a denial or a cancellation, and when an authorization ends.
  '000005-attempts': `
    alter table cases.prior_auth_case add column attempt integer not null default 1;
    alter table cases.prior_auth_case drop constraint prior_auth_case_ehr_base_order_reference_key;
    alter table cases.prior_auth_case add constraint prior_auth_case_attempt unique (ehr_base, order_reference, attempt);
    create unique index case_by_followed on cases.prior_auth_case ((document#>>'{follows,caseId}')) where document ? 'follows';
    create table cases.authorization_use (
      id uuid primary key,
      case_id uuid not null references cases.prior_auth_case (id) on delete cascade,
      sequence integer not null,
      quantity numeric not null,
      used_on date not null,
      entered_by text not null,
      entered_by_name text not null,
      note text,
      recorded_at timestamptz not null
    );
    create index use_of_case on cases.authorization_use (case_id, sequence, used_on)`,
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
  // Labels in versions, with the way back to their cases; past decisions as sums that only grow in time, so that any earlier moment can be read.
  '000002-labels': `
    create table learning.label (
      id uuid primary key,
      case_id uuid not null,
      item_sequence integer not null,
      version integer not null,
      cause text not null,
      label text not null,
      record jsonb not null,
      decided_at timestamptz not null,
      submitted_at timestamptz,
      recorded_at timestamptz not null,
      recorded_by text not null,
      why text,
      unique (case_id, item_sequence, version)
    );
    create index label_by_time on learning.label (recorded_at, id);
    insert into learning.label (id, case_id, item_sequence, version, cause, label, record, decided_at, submitted_at, recorded_at, recorded_by)
      select outcome.id, kept.id, outcome.item_sequence, 1, 'decision', outcome.label,
        outcome.record || '{"procedure":null,"historyAsOf":null,"patientSex":null,"decisionDays":null,"simulated":true}',
        outcome.recorded_at, null, outcome.recorded_at, 'payer'
      from learning.outcome join cases.prior_auth_case kept on outcome.case_key = encode(sha256(convert_to('outcome of ' || kept.id::text, 'UTF8')), 'hex');
    drop table learning.outcome;
    create table learning.past_decisions (
      level text not null,
      key text not null,
      decisions bigint not null,
      denials bigint not null,
      days double precision not null,
      timed bigint not null,
      at timestamptz not null,
      primary key (level, key)
    );
    create table learning.past_decisions_step (
      level text not null,
      key text not null,
      at timestamptz not null,
      decisions bigint not null,
      denials bigint not null,
      days double precision not null,
      timed bigint not null,
      primary key (level, key, at)
    );
    create table learning.training_table (
      id uuid primary key,
      kind text not null,
      key_id text not null,
      row_count integer not null,
      data_hash text not null,
      simulated boolean not null,
      until timestamptz not null,
      made_at timestamptz not null,
      made_by text not null,
      unique (kind, key_id, data_hash)
    );
    create table learning.training_row (
      table_id uuid not null references learning.training_table (id) on delete cascade,
      row_id text not null,
      label_id uuid not null references learning.label (id),
      primary key (table_id, row_id)
    );
    create index row_by_id on learning.training_row (row_id);
    create index row_by_label on learning.training_row (label_id)`,
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
