import type { ReactNode } from 'react';
import type { PayerOutage } from '#prior-auth/worklist-api.ts';
import { showDate } from '../ui/fhir-date.ts';
import { Notice } from '../ui/tone.tsx';
import { messages } from './messages.ts';

/** Payers that cannot be reached: nothing is lost, and what waits goes by itself. */
export function Outages({ outages }: { readonly outages: readonly PayerOutage[] }): ReactNode {
  if (outages.length === 0) return null;
  const words = messages.outage;
  return (
    <Notice tone="warn" live="polite">
      <h2>{words.title}</h2>
      <ul className="stack-tight">
        {outages.map(({ payerId, payerName, waiting, oldestSince, nextTryAt }) => (
          <li key={payerId}><span className="strong">{payerName}</span>: {words.waiting(waiting)}, {words.since(showDate(oldestSince))}. {nextTryAt === null ? words.trying : words.nextTry(showDate(nextTryAt))}</li>
        ))}
      </ul>
      <p className="small">{words.explained}</p>
    </Notice>
  );
}
