import { CompiledQuery, type Generated, type Kysely, type Transaction } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import type { MetricExchange } from '#fhir/pas/metric-data.ts';
import type { PasVersion } from './pas-version.ts';

/** How a case is found: by the member, by any provider's NPI, by any identifier of the requesting provider. */
export type IdentifierKind = 'member' | 'npi' | 'requestor';

export type PayerTables = {
  'payer.client_assertion': { client_id: string; jti: string; expires_at: Date | string };
  'payer.access_token': { token_hash: string; client_id: string; scope: string; expires_at: Date | string };
  'payer.authorization_case': {
    id: string;
    client_id: string;
    bundle_system: string;
    bundle_value: string;
    content_hash: string;
    /** The request bundle as JSON text. */
    request: string;
    /** The answer to the submission, never changed: a repeated submission gets these bytes. */
    first_answer: string;
    /** The answer as it stands now. */
    current_answer: string;
    received_at: Date | string;
    pas_version: Generated<PasVersion>;
    claim_system: Generated<string>;
    /** Claim.identifier; empty for cases from before it was kept. */
    claim_value: Generated<string>;
    /** Hash of the entries alone: the same Claim in a new Bundle is a repetition. */
    claim_hash: Generated<string>;
    /** The first case of a request and its updates. */
    chain_id: string | null;
    replaces_id: string | null;
    /** The update that took this case's place. */
    replaced_by: string | null;
    /** refused: an update that was answered with ClaimResponse.error; it has no items and is never found. */
    standing: Generated<'open' | 'refused'>;
  };
  'payer.authorization_item': {
    id: string;
    case_id: string;
    sequence: number;
    /** replaced: was pended when an update took its place. */
    state: 'pended' | 'decided' | 'replaced';
    /** ItemDecision as JSON text. */
    decision: string;
    /** ItemReview as JSON text: what the item was weighed by, kept for the reviewer. */
    review: string;
    /** When the stand-in reviewer decides; null leaves it to a person. */
    due_at: Date | string | null;
    decided_at: Date | string | null;
    decided_by: 'policy' | 'sandbox-rule' | 'sandbox-reviewer' | 'person' | 'provider' | null;
    /** When the law wants a decision. */
    decide_by: Date | string | null;
    expedited: Generated<boolean>;
    /** The reviewer who has taken it. */
    claimed_by: string | null;
    claimed_at: Date | string | null;
  };
  'payer.review_note': { id: string; item_id: string; author: string; words: string; written_at: Date | string };
  'payer.information_request': {
    id: string;
    case_id: string;
    item_id: string;
    client_id: string;
    sequence: number;
    /** The attachment control number: unique. */
    control_number: string;
    /** What `$questionnaire-package` takes as context; null for attachments. */
    context: string | null;
    /** Ask as JSON text. */
    ask: string;
    state: 'open' | 'answered' | 'withdrawn';
    asked_by: string;
    asked_at: Date | string;
    answered_at: Date | string | null;
  };
  'payer.attachment': {
    id: string;
    control_number: string;
    content_hash: string;
    /** LOINC or X12 755 code that the sender gave. */
    code: string | null;
    /** The resource as JSON text. */
    content: string;
    received_at: Date | string;
  };
  /** Each operation that was answered, with codes only; docs/pas-metrics.md. */
  'payer.pas_exchange': {
    id: string;
    /** Null when the request was refused before it became a case. */
    chain_id: string | null;
    type: MetricExchange['type'];
    request_time: Date | string;
    response_time: Date | string;
    http_response: number;
    /** Codes as JSON text. */
    issues: string;
    aaa_codes: string;
  };
  'payer.case_identifier': { case_id: string; kind: IdentifierKind; system: string; value: string };
  'payer.subscription': {
    id: string;
    client_id: string;
    status: 'requested' | 'active' | 'error' | 'off';
    /** Subscription as JSON text, without status and error. */
    resource: string;
    error: string | null;
    event_count: Generated<number>;
    handshake_attempts: Generated<number>;
    handshake_due_at: Date | string;
    /** The address that it was made at: it is told of requests that were sent there. */
    pas_version: Generated<PasVersion>;
    /** Seconds without a word after which a heartbeat is sent; null for none. */
    heartbeat_seconds: Generated<number | null>;
    last_sent_at: Generated<Date | string | null>;
  };
  'payer.subscription_event': {
    subscription_id: string;
    number: number;
    case_id: string;
    occurred_at: Date | string;
    state: 'waiting' | 'delivered' | 'failed';
    attempts: Generated<number>;
    due_at: Date | string;
    /** The response bundle as it stood then, as JSON text; null where ids are told only. */
    answer: Generated<string | null>;
  };
  /** What adaptive forms ended in, with the completed response that it rests on. */
  'payer.determination': {
    client_id: string;
    assertion_id: string;
    questionnaire: string;
    authorization_number: string | null;
    /** QuestionnaireResponse as JSON text. */
    response: string;
    given_at: Date | string;
  };
  'payer.audit_event': { id: string; recorded: Date | string; action: string; resource: string };
};

export type PayerDatabase = Kysely<PayerTables>;
export type PayerTransaction = Transaction<PayerTables>;

/** Oldest first. A name is never changed once released, nor its text. */
const migrations: Readonly<Record<string, readonly string[]>> = {
  '000001-payer': [
    'create schema if not exists payer',
    `create table payer.client_assertion (client_id text not null, jti text not null, expires_at timestamptz not null, primary key (client_id, jti))`,
    `create table payer.access_token (token_hash text primary key, client_id text not null, scope text not null, expires_at timestamptz not null)`,
    `create table payer.authorization_case (
      id uuid primary key, client_id text not null, bundle_system text not null, bundle_value text not null, content_hash text not null,
      request text not null, first_answer text not null, current_answer text not null, received_at timestamptz not null,
      unique (client_id, bundle_system, bundle_value))`,
    `create table payer.authorization_item (
      id uuid primary key, case_id uuid not null references payer.authorization_case on delete cascade, sequence integer not null,
      state text not null, decision text not null, review text not null, due_at timestamptz, decided_at timestamptz, decided_by text,
      unique (case_id, sequence))`,
    `create index authorization_item_due on payer.authorization_item (due_at) where state = 'pended'`,
    `create table payer.case_identifier (
      case_id uuid not null references payer.authorization_case on delete cascade, kind text not null, system text not null, value text not null,
      primary key (case_id, kind, system, value))`,
    'create index case_identifier_value on payer.case_identifier (kind, value)',
    `create table payer.subscription (
      id uuid primary key, client_id text not null, status text not null, resource text not null, error text,
      event_count integer not null default 0, handshake_attempts integer not null default 0, handshake_due_at timestamptz not null)`,
    'create index subscription_client on payer.subscription (client_id)',
    `create table payer.subscription_event (
      subscription_id uuid not null references payer.subscription on delete cascade, number integer not null, case_id uuid not null,
      occurred_at timestamptz not null, state text not null, attempts integer not null default 0, due_at timestamptz not null,
      primary key (subscription_id, number))`,
    `create index subscription_event_waiting on payer.subscription_event (due_at) where state = 'waiting'`,
    `create table payer.audit_event (id uuid primary key, recorded timestamptz not null, action text not null, resource jsonb not null)`,
    'create index audit_event_recorded on payer.audit_event (recorded)',
  ],
  '000002-determination': [
    `create table payer.determination (
      client_id text not null, assertion_id text not null, questionnaire text not null, authorization_number text, response text not null, given_at timestamptz not null,
      primary key (client_id, assertion_id))`,
  ],
  '000003-life-of-a-request': [
    `alter table payer.authorization_case
      add column pas_version text not null default '2.0.1', add column claim_system text not null default '', add column claim_value text not null default '',
      add column claim_hash text not null default '', add column chain_id uuid, add column replaces_id uuid, add column replaced_by uuid,
      add column standing text not null default 'open'`,
    'update payer.authorization_case set chain_id = id',
    `create unique index authorization_case_claim on payer.authorization_case (client_id, claim_system, claim_value, claim_hash) where claim_value <> ''`,
    'create index authorization_case_chain on payer.authorization_case (chain_id)',
    `alter table payer.authorization_item
      add column decide_by timestamptz, add column expedited boolean not null default false, add column claimed_by text, add column claimed_at timestamptz`,
    `create index authorization_item_queue on payer.authorization_item (decide_by) where state = 'pended'`,
    `create table payer.review_note (
      id uuid primary key, item_id uuid not null references payer.authorization_item on delete cascade, author text not null, words text not null, written_at timestamptz not null)`,
    'create index review_note_item on payer.review_note (item_id)',
    `create table payer.information_request (
      id uuid primary key, case_id uuid not null references payer.authorization_case on delete cascade, item_id uuid not null references payer.authorization_item on delete cascade,
      client_id text not null, sequence integer not null, control_number text not null unique, context text, ask text not null, state text not null,
      asked_by text not null, asked_at timestamptz not null, answered_at timestamptz)`,
    'create index information_request_case on payer.information_request (case_id)',
    'create index information_request_context on payer.information_request (client_id, context)',
    `create table payer.attachment (
      id uuid primary key, control_number text not null references payer.information_request (control_number) on delete cascade, content_hash text not null,
      code text, content text not null, received_at timestamptz not null, unique (control_number, content_hash))`,
    `create table payer.pas_exchange (
      id uuid primary key, chain_id uuid, type text not null, request_time timestamptz not null, response_time timestamptz not null, http_response integer not null,
      issues text not null, aaa_codes text not null)`,
    'create index pas_exchange_chain on payer.pas_exchange (chain_id)',
    'create index pas_exchange_time on payer.pas_exchange (request_time)',
  ],
  '000004-subscription-versions': [
    `alter table payer.subscription add column pas_version text not null default '2.0.1', add column heartbeat_seconds integer, add column last_sent_at timestamptz`,
    'alter table payer.subscription_event add column answer text',
    'create index case_identifier_case on payer.case_identifier (case_id)',
  ],
};

/** Brings the payer's own schema up to date and gives the handle typed by it. */
export async function openPayerDatabase(db: Kysely<Record<string, never>>): Promise<PayerDatabase> {
  const provider = {
    getMigrations: async () =>
      Object.fromEntries(
        Object.entries(migrations).map(([name, statements]): [string, Migration] => [
          name,
          {
            up: async (handle: Kysely<unknown>) => {
              for (const statement of statements) await handle.executeQuery(CompiledQuery.raw(statement));
            },
          },
        ]),
      ),
  };
  const { error } = await new Migrator({ db, provider, migrationTableName: 'migrations_payer', migrationLockTableName: 'migrations_payer_lock' }).migrateToLatest();
  if (error) throw error;
  return db.withTables<PayerTables>();
}
