import { denialLabel } from '#prior-auth/learning/labels.ts';
import type { LabelViews } from '#prior-auth/learning/labels-api.ts';
import type { StoredLabel } from './labels.ts';

/** Every version of every item's label, with the names of the people who recorded them. */
export function toLabelViews(labels: readonly StoredLabel[], names: ReadonlyMap<string, string>): LabelViews {
  const items = [...new Set(labels.map(({ itemSequence }) => itemSequence))];
  const learned = new Set(items.map((item) => denialLabel(labels.filter(({ itemSequence }) => itemSequence === item))?.id));
  return {
    labels: labels.map(({ id, itemSequence, version, cause, label, decidedAt, recordedAt, recordedBy, why, record }) => ({
      sequence: itemSequence, version, cause, label, decidedAt, recordedAt, recordedBy: names.get(recordedBy) ?? recordedBy, why,
      learned: learned.has(id) && label !== 'excluded' && record.facts !== null, simulated: record.simulated,
    })),
  };
}
