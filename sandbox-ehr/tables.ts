import type { Kysely, Transaction } from 'kysely';
import type { AnyDatabase, Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';

/** Index rows of every kind belong to one resource (type, id) and one search parameter. */
type IndexOwner = { type: string; id: string; param: string };

export type EhrTables = {
  'ehr.resource': { type: string; id: string; version: number; updated_ms: number; deleted: boolean; content: string };
  'ehr.version': { type: string; id: string; version: number; updated_ms: number; deleted: boolean; content: string };
  'ehr.token': IndexOwner & { system: string; code: string; text: string };
  'ehr.reference': IndexOwner & { target: string; identifier: string };
  'ehr.date': IndexOwner & { low_ms: number; high_ms: number };
  'ehr.string': IndexOwner & { value: string; exact: string };
  'ehr.quantity': IndexOwner & { value: number; system: string; code: string; unit: string };
  'ehr.oauth_record': { model: string; id: string; payload: string; grant_id: string | null; uid: string | null; expires_ms: number | null; consumed_ms: number | null };
  'ehr.launch': { id: string; context: string; expires_ms: number; used_ms: number | null };
  'ehr.grant_context': { grant_id: string; context: string };
  'ehr.ui_session': { id_hash: string; user_reference: string; expires_ms: number };
  'ehr.client': { id: string; registration: string; created_ms: number };
  'ehr.revoked_token': { jti: string; expires_ms: number };
  'ehr.order_hook': { order_reference: string; answered_ms: number; outcome: string };
};

export const INDEX_TABLES = ['ehr.token', 'ehr.reference', 'ehr.date', 'ehr.string', 'ehr.quantity'] as const;

/** Times are epoch milliseconds as double precision: one type on both engines, no time zone to lose. */
const migrations = {
  '000001-ehr': `
    create schema if not exists ehr;
    create table ehr.resource (
      type text not null, id text not null, version int not null, updated_ms double precision not null, deleted boolean not null, content text not null,
      primary key (type, id)
    );
    create index resource_updated on ehr.resource (type, updated_ms);
    create table ehr.version (
      type text not null, id text not null, version int not null, updated_ms double precision not null, deleted boolean not null, content text not null,
      primary key (type, id, version)
    );
    create table ehr.token (type text not null, id text not null, param text not null, system text not null, code text not null, text text not null);
    create index token_value on ehr.token (type, param, code, system, id);
    create index token_owner on ehr.token (type, id);
    create table ehr.reference (type text not null, id text not null, param text not null, target text not null, identifier text not null);
    create index reference_value on ehr.reference (type, param, target, id);
    create index reference_target on ehr.reference (target);
    create index reference_owner on ehr.reference (type, id);
    create table ehr.date (type text not null, id text not null, param text not null, low_ms double precision not null, high_ms double precision not null);
    create index date_value on ehr.date (type, param, low_ms, id);
    create index date_owner on ehr.date (type, id, param, low_ms);
    create table ehr.string (type text not null, id text not null, param text not null, value text not null, exact text not null);
    create index string_value on ehr.string (type, param, value text_pattern_ops, id);
    create index string_owner on ehr.string (type, id);
    create table ehr.quantity (
      type text not null, id text not null, param text not null, value double precision not null, system text not null, code text not null, unit text not null
    );
    create index quantity_value on ehr.quantity (type, param, value, id);
    create index quantity_owner on ehr.quantity (type, id);
    create table ehr.oauth_record (
      model text not null, id text not null, payload text not null, grant_id text, uid text, expires_ms double precision, consumed_ms double precision,
      primary key (model, id)
    );
    create index oauth_record_grant on ehr.oauth_record (grant_id) where grant_id is not null;
    create index oauth_record_uid on ehr.oauth_record (uid) where uid is not null;
    create table ehr.launch (id text primary key, context text not null, expires_ms double precision not null, used_ms double precision);
    create table ehr.grant_context (grant_id text primary key, context text not null);
    create table ehr.ui_session (id_hash text primary key, user_reference text not null, expires_ms double precision not null);
    create table ehr.order_hook (order_reference text primary key, answered_ms double precision not null, outcome text not null)`,
  '000002-open-launcher': `
    create table ehr.client (id text primary key, registration text not null, created_ms double precision not null);
    create table ehr.revoked_token (jti text primary key, expires_ms double precision not null)`,
};

export type EhrDatabase = Kysely<EhrTables>;

export async function openTables(store: Store): Promise<EhrDatabase> {
  await migratePart(store, 'ehr', migrations);
  return tablesOf(store.db);
}

/** Also names the tables for a transaction's handle. */
export function tablesOf(db: Kysely<AnyDatabase> | Transaction<AnyDatabase>): EhrDatabase {
  return db.withTables<EhrTables>() as unknown as EhrDatabase;
}
