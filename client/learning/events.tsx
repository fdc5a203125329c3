import type { ReactNode } from 'react';
import type { ModelEvent } from '#prior-auth/learning-api.ts';
import { showDate } from '../ui/fhir-date.ts';
import { messages } from './messages.ts';
import { FiguresTable, Section } from './section.tsx';

const SHOWN = 50;

/** Who moved which version, when and why. */
export function Events({ events }: { readonly events: readonly ModelEvent[] }): ReactNode {
  const words = messages.events;
  const stages = messages.stages;
  return (
    <Section title={words.title}>
      {events.length === 0 ? <p className="muted">{words.none}</p> : (
        <FiguresTable
          caption={words.title}
          head={[messages.date, messages.version, words.what, words.by, words.why]}
          rows={events.slice(0, SHOWN).map(({ at, version, from, to, outcome, who, why }) => [
            showDate(at), <code key="version">{version}</code>,
            `${from === null ? words.registered(stages[to]) : words.step(stages[from], stages[to])}${outcome === 'refused' ? `: ${words.refused}` : ''}`,
            who, <span key="why" className="reason" lang="en">{why}</span>,
          ])}
        />
      )}
    </Section>
  );
}
