import { Button } from '@mantine/core';
import { useId, useState, type ReactNode } from 'react';
import type { SubmissionReview } from '#prior-auth/panel-api.ts';
import { Badge } from '../../../ui/tone.tsx';
import { messages } from '../../messages.ts';
import type { PanelCall } from '../../panel-call.ts';
import { SourceDrawer } from '../questionnaire/source-drawer.tsx';
import { AddEntriesDrawer } from './add-entries-drawer.tsx';
import type { ReviewChange } from './review-step.tsx';

interface SentEntriesProps {
  readonly call: PanelCall;
  readonly review: SubmissionReview;
  readonly disabled: boolean;
  readonly onChange: (change: ReviewChange) => void;
}

interface Entry {
  readonly reference: string;
  readonly resourceType: string;
  readonly display: string;
  readonly why: string;
  readonly sent: boolean;
}

/** What goes with the request, each entry with its source and why; what may be left out has a tick. */
export function SentEntries({ call, review, disabled, onChange }: SentEntriesProps): ReactNode {
  const words = messages.review;
  const [shown, setShown] = useState<{ readonly reference: string; readonly display: string }>();
  const [adding, setAdding] = useState(false);
  const id = useId();
  const entries = entriesOf(review);
  const fixed = review.resources.filter(({ optional }) => optional !== true);
  const refused = (review.leftOut ?? []).filter(({ byPerson }) => byPerson !== true);
  const { include, exclude } = review.chosen;
  /** A box that is disabled would lose the focus: while the last tick is being saved, the next is not taken. */
  const toggle = ({ reference, sent }: Entry): void => {
    if (disabled) return;
    if (!sent) return onChange({ exclude: exclude.filter((each) => each !== reference) });
    if (include.includes(reference)) return onChange({ include: include.filter((each) => each !== reference), exclude: [...exclude, reference] });
    onChange({ exclude: [...exclude, reference] });
  };
  const see = (reference: string | undefined, display: string): ReactNode =>
    reference === undefined ? null : <button type="button" className="link-button small" aria-label={words.show(display)} onClick={() => setShown({ reference, display })}>{messages.origin.recordSays}</button>;
  return (
    <section className="card stack" aria-labelledby="review-supporting">
      <h3 id="review-supporting">{words.supporting}</h3>
      <p className="small muted">{entries.length === 0 ? words.nothingSupporting : words.supportingHint}</p>
      {entries.length > 0 && (
        <ul className="sent-resources">
          {entries.map((entry) => (
            <li key={entry.reference}>
              <label className="choice" htmlFor={`${id}-${entry.reference}`}>
                <input id={`${id}-${entry.reference}`} type="checkbox" checked={entry.sent} aria-disabled={disabled || undefined} onChange={() => toggle(entry)} />
                <span className="grow">{entry.display} {!entry.sent && <Badge tone="plain">{words.leftOutByYou}</Badge>}<br /><span className="small muted">{entry.why} · {entry.resourceType}</span></span>
              </label>
              {see(entry.reference, entry.display)}
            </li>
          ))}
        </ul>
      )}
      <div><Button size="xs" variant="default" disabled={disabled} onClick={() => setAdding(true)}>{words.entries.open}</Button></div>
      {refused.length > 0 && (
        <details open>
          <summary className="small strong">{words.leftOut(refused.length)}</summary>
          <ul className="sent-resources details-body">
            {refused.map((one) => <li key={one.reference}><p>{one.display}</p><p className="small muted">{one.reason} · {one.resourceType}</p>{see(one.reference, one.display)}</li>)}
          </ul>
        </details>
      )}
      <details>
        <summary className="small strong">{words.always(fixed.length)}</summary>
        <ul className="sent-resources details-body">
          {fixed.map((resource, index) => (
            <li key={`${resource.resourceType} ${index}`}>
              <p>{resource.display}</p>
              <p className="small muted">{resource.why} · {resource.resourceType}</p>
              {see(resource.reference, resource.display)}
            </li>
          ))}
        </ul>
      </details>
      {shown && <SourceDrawer call={call} question={words.supporting} evidence={[{ reference: shown.reference, display: shown.display }]} onClose={() => setShown(undefined)} />}
      {adding && <AddEntriesDrawer call={call} sent={entries.flatMap(({ reference, sent }) => (sent ? [reference] : []))} onClose={() => setAdding(false)} onAdd={(references) => onChange({ include: [...new Set([...include, ...references])], exclude: exclude.filter((each) => !references.includes(each)) })} />}
    </section>
  );
}

/** In an order that a tick does not change: an entry must not move away from under the finger. */
function entriesOf({ resources, leftOut = [] }: SubmissionReview): readonly Entry[] {
  const entries = [
    ...resources.flatMap(({ reference, optional, ...rest }): Entry[] => (optional === true && reference !== undefined ? [{ reference, ...rest, sent: true }] : [])),
    ...leftOut.flatMap(({ byPerson, reason, ...rest }): Entry[] => (byPerson === true ? [{ ...rest, why: reason, sent: false }] : [])),
  ];
  return entries.toSorted((one, other) => `${one.display} ${one.reference}`.localeCompare(`${other.display} ${other.reference}`));
}
