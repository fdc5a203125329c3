import type { PartMigrations } from '#store/migrate.ts';

export const MODEL_MIGRATIONS: PartMigrations = {
  '000001-registry': `
    create schema if not exists models;
    create table models.version (
      version text primary key,
      kind text not null,
      json text not null,
      onnx bytea not null,
      about jsonb not null,
      origin text not null,
      registered_by text not null,
      registered_at timestamptz not null,
      stage text not null,
      stage_since timestamptz not null,
      canary_share double precision,
      replaced text references models.version (version)
    );
    create unique index version_live on models.version (kind) where stage = 'live';
    create unique index version_canary on models.version (kind) where stage = 'canary';
    create table models.head (kind text primary key, revision integer not null);
    create table models.gate_report (
      id uuid primary key,
      version text not null references models.version (version),
      against text,
      to_stage text not null,
      passed boolean not null,
      report jsonb not null,
      made_at timestamptz not null
    );
    create index gate_report_version on models.gate_report (version, made_at);
    create table models.change (
      id uuid primary key,
      kind text not null,
      version text not null references models.version (version),
      what text not null,
      from_stage text,
      to_stage text not null,
      who text not null,
      why text not null,
      gate_report uuid references models.gate_report (id),
      made_at timestamptz not null
    );
    create index change_kind on models.change (kind, made_at)`,
};

export type RegistryTables = {
  'models.version': {
    version: string;
    kind: string;
    json: string;
    onnx: Uint8Array;
    about: unknown;
    origin: string;
    registered_by: string;
    registered_at: string;
    stage: string;
    stage_since: string;
    canary_share: number | null;
    /** Of a model that is or was live: the one that was live before it. */
    replaced: string | null;
  };
  'models.head': { kind: string; revision: number };
  'models.gate_report': { id: string; version: string; against: string | null; to_stage: string; passed: boolean; report: unknown; made_at: string };
  'models.change': {
    id: string;
    kind: string;
    version: string;
    what: string;
    from_stage: string | null;
    to_stage: string;
    who: string;
    why: string;
    gate_report: string | null;
    made_at: string;
  };
};
