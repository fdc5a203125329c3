import type { ColumnType } from 'kysely';
import type { ItemLabel, LabelCause } from '#prior-auth/learning/labels.ts';
import type { OutcomeRecord } from '#prior-auth/learning/outcome-record.ts';

type Instant = ColumnType<Date, string, never>;

export type LabelTables = {
  'learning.label': {
    id: string;
    case_id: string;
    item_sequence: number;
    version: number;
    cause: LabelCause;
    label: ItemLabel;
    record: ColumnType<OutcomeRecord, string, never>;
    /** By the payer's word; of an appeal, the day that staff gave. */
    decided_at: Instant;
    submitted_at: ColumnType<Date | null, string | null, never>;
    /** When it was learned here. */
    recorded_at: Instant;
    /** "payer" or a relative reference. */
    recorded_by: string;
    /** A person's words: never leaves the store. */
    why: string | null;
  };
  'learning.training_table': {
    id: string;
    kind: 'denial-risk' | 'appeal';
    /** Thumbprint of the key that the row ids were made with. */
    key_id: string;
    row_count: number;
    data_hash: string;
    simulated: boolean;
    /** No label learned of later is in it. */
    until: Instant;
    made_at: Instant;
    made_by: string;
  };
  'learning.training_row': { table_id: string; row_id: string; label_id: string };
};
