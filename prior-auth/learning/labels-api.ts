import { z } from 'zod/mini';
import { APPEAL_RESULTS, type ItemLabel, type LabelCause, OVERRIDE_LABELS } from './labels.ts';

/* What staff say of a decision, and what they are shown of its labels: /work/api/cases/{id}/labels, …/appeal-result, …/label-override. */

const sequence = z.int().check(z.positive());
const why = z.string().check(z.trim(), z.minLength(1), z.maxLength(2000));

export const newAppealResult = z.strictObject({ sequence, result: z.enum(APPEAL_RESULTS), /** YYYY-MM-DD */ decidedOn: z.iso.date(), why });

export type NewAppealResult = z.infer<typeof newAppealResult>;

export const newLabelOverride = z.strictObject({ sequence, label: z.enum(OVERRIDE_LABELS), why });
export type NewLabelOverride = z.infer<typeof newLabelOverride>;

/** One version of an item's label; the last one that counts is marked. */
export interface LabelView {
  readonly sequence: number;
  readonly version: number;
  readonly cause: LabelCause;
  readonly label: ItemLabel;
  /** ISO instants. */
  readonly decidedAt: string;
  readonly recordedAt: string;
  /** A person's name, or "payer". */
  readonly recordedBy: string;
  readonly why: string | null;
  /** Denial risk is learned from this version. */
  readonly learned: boolean;
  readonly simulated: boolean;
}

export interface LabelViews {
  readonly labels: readonly LabelView[];
}
