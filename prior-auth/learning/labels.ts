import type { OutcomeLabel } from './outcome-record.ts';
import type { DecisionTotals } from './past-decisions.ts';

/*
 * An item's label has versions: a change never replaces what was said before.
 *   decision    the payer's first final answer
 *   correction  the payer changed its answer to the same request
 *   update      the payer answered a request that was changed after its first answer
 *   appeal      staff recorded how an appeal of a denial ended
 *   override    a reviewer says that the label teaches something wrong, and why
 */
export const LABEL_CAUSES = ['decision', 'correction', 'update', 'appeal', 'override'] as const;
export type LabelCause = (typeof LABEL_CAUSES)[number];

export const APPEAL_RESULTS = ['overturned', 'partly-overturned', 'upheld'] as const;
export type AppealResult = (typeof APPEAL_RESULTS)[number];

/** `excluded`: nothing is to be learned from it. */
export const OVERRIDE_LABELS = ['approved', 'modified', 'denied', 'excluded'] as const;
export type OverrideLabel = (typeof OVERRIDE_LABELS)[number];

export type ItemLabel = OutcomeLabel | AppealResult | 'excluded';

export interface LabelVersion {
  /** From 1, one more with each change. */
  readonly version: number;
  readonly cause: LabelCause;
  readonly label: ItemLabel;
}

/**
 * The version from which denial risk is learned: a reviewer's override, else what the payer last said of the request as it was first sent. What it said of a request
 * that was changed meanwhile belongs to other facts, and an appeal that is won does not undo that the payer had denied.
 */
export function denialLabel<V extends LabelVersion>(versions: readonly V[]): V | undefined {
  return newest(versions, ['override']) ?? newest(versions, ['decision', 'correction']);
}

/** The version from which the chance of an appeal is learned; none where a reviewer took the item out. */
export function appealLabel<V extends LabelVersion>(versions: readonly V[]): V | undefined {
  return newest(versions, ['override'])?.label === 'excluded' ? undefined : newest(versions, ['appeal']);
}

/** What the payer last said, of whichever request: what its past decisions are counted by, unless a reviewer overrode it. */
export function standingLabel<V extends LabelVersion>(versions: readonly V[]): V | undefined {
  return newest(versions, ['override']) ?? newest(versions, ['decision', 'correction', 'update']);
}

function newest<V extends LabelVersion>(versions: readonly V[], causes: readonly LabelCause[]): V | undefined {
  return versions.filter(({ cause }) => causes.includes(cause)).sort((a, b) => a.version - b.version).at(-1);
}

/** What an item adds to past decisions, before and after a change of its label: the difference is what is counted anew. */
export function countedChange(before: readonly LabelVersion[], after: readonly LabelVersion[], decisionDays: number | null): DecisionTotals {
  const was = counted(standingLabel(before), decisionDays);
  const is = counted(standingLabel(after), decisionDays);
  return { decisions: is.decisions - was.decisions, denials: is.denials - was.denials, days: is.days - was.days, timed: is.timed - was.timed };
}

function counted(version: LabelVersion | undefined, decisionDays: number | null): DecisionTotals {
  if (!version || version.label === 'excluded') return { decisions: 0, denials: 0, days: 0, timed: 0 };
  return { decisions: 1, denials: Number(version.label === 'denied'), days: decisionDays ?? 0, timed: Number(decisionDays !== null) };
}
