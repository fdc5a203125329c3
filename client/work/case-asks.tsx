import type { ReactNode } from 'react';
import type { InformationRequest } from '#prior-auth/payer-decision/information-request.ts';
import { showDate } from '../ui/fhir-date.ts';
import { Badge, Notice } from '../ui/tone.tsx';
import { calendarDay } from './filters.tsx';
import { messages } from './messages.ts';

/** What the payer wants before it decides, and by when. */
export function CaseAsks({ asks }: { readonly asks: readonly InformationRequest[] }): ReactNode {
  if (asks.length === 0) return null;
  const words = messages.asks;
  return (
    <Notice tone={asks.some(({ state }) => state === 'open') ? 'warn' : 'plain'}>
      <h3>{words.title}</h3>
      <ul className="stack">
        {asks.map((ask) => (
          <li key={ask.id} className="stack-tight">
            <span className="row">
              <Badge tone={ask.state === 'open' ? 'warn' : 'plain'}>{words.states[ask.state]}</Badge>
              {ask.due !== undefined && <Badge tone={ask.state === 'open' && ask.due < calendarDay() ? 'bad' : 'plain'} icon="clock">{words.due(showDate(ask.due))}</Badge>}
            </span>
            <p>{ask.text ?? words.kinds[ask.wants.kind]}</p>
            <p className="small">{ask.sequence === null ? words.whole : words.item(ask.sequence)}{ask.wants.kind === 'attachment' && ask.wants.codes.length > 0 && <> · {ask.wants.codes.map(({ code }) => code).join(', ')}</>}</p>
          </li>
        ))}
      </ul>
    </Notice>
  );
}
