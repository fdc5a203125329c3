import type { ColumnType } from 'kysely';
import type { AlertState, ModelKind, MonitoringPoint, ThresholdName, TrainingCause, TrainingRun } from '#prior-auth/learning-api.ts';
import type { PartMigrations } from '#store/migrate.ts';

export const MONITORING_MIGRATIONS: PartMigrations = {
  '000001-monitoring': `
    create schema if not exists monitoring;
    create table monitoring.key (id integer primary key, secret text not null);
    create table monitoring.score (
      version text not null,
      case_key text not null,
      kind text not null,
      features jsonb not null,
      probability double precision not null,
      took_ms double precision not null,
      scored_at timestamptz not null,
      primary key (version, case_key)
    );
    create index score_time on monitoring.score (version, scored_at);
    create index score_age on monitoring.score (scored_at);
    create table monitoring.threshold (name text primary key, limit_value double precision not null, changed_by text not null, changed_at timestamptz not null);
    create table monitoring.alert (
      id uuid primary key,
      kind text not null,
      threshold text not null,
      subject text not null,
      version text not null,
      state text not null,
      value double precision not null,
      limit_value double precision not null,
      opened_at timestamptz not null,
      seen_at timestamptz not null,
      acknowledged jsonb,
      closed jsonb
    );
    create unique index alert_standing on monitoring.alert (kind, threshold, subject) where state <> 'closed';
    create index alert_opened on monitoring.alert (kind, opened_at);
    create table monitoring.point (kind text not null, day date not null, point jsonb not null, primary key (kind, day));
    create table monitoring.training (
      id uuid primary key,
      kind text not null,
      cause text not null,
      why text not null,
      asked_by text not null,
      state text not null,
      stop_asked_by text,
      progress double precision not null,
      asked_at timestamptz not null,
      beat_at timestamptz not null,
      ended_at timestamptz,
      version text,
      passed boolean,
      problem text
    );
    create unique index training_one on monitoring.training ((1)) where state in ('waiting', 'running');
    create index training_asked on monitoring.training (kind, asked_at)`,
};

type Instant = ColumnType<Date, string, string>;
export interface Step {
  readonly by: string;
  readonly at: string;
  readonly note: string;
}

export type MonitoringTables = {
  'monitoring.key': { id: number; secret: string };
  'monitoring.score': {
    version: string;
    /** Keyed hash of the case: the same case has the same, and nobody without the key finds the case. */
    case_key: string;
    kind: ModelKind;
    /** In the order of the model's own features; null is unknown. */
    features: ColumnType<(number | null)[], string, string>;
    probability: number;
    took_ms: number;
    scored_at: Instant;
  };
  'monitoring.threshold': { name: ThresholdName; limit_value: number; changed_by: string; changed_at: Instant };
  'monitoring.alert': {
    id: string;
    kind: ModelKind;
    threshold: ThresholdName;
    /** '' for the whole. */
    subject: string;
    version: string;
    state: AlertState;
    value: number;
    limit_value: number;
    opened_at: Instant;
    seen_at: Instant;
    acknowledged: ColumnType<Step | null, string | null, string | null>;
    closed: ColumnType<Step | null, string | null, string | null>;
  };
  'monitoring.point': { kind: ModelKind; day: string; point: ColumnType<MonitoringPoint, string, string> };
  'monitoring.training': {
    id: string;
    kind: ModelKind;
    cause: TrainingCause;
    why: string;
    asked_by: string;
    state: TrainingRun['state'];
    stop_asked_by: string | null;
    progress: number;
    asked_at: Instant;
    /** When its process last gave a sign. */
    beat_at: Instant;
    ended_at: ColumnType<Date | null, string | null, string | null>;
    version: string | null;
    /** The gate's word for the step to shadow. */
    passed: boolean | null;
    problem: string | null;
  };
};
