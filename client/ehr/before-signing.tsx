import type { ReactNode } from 'react';
import { CardView } from './card-view.tsx';
import type { AcceptedSuggestion, Selected } from './ehr-api.ts';
import { messages } from './messages.ts';

interface BeforeSigningProps {
  readonly patientId: string;
  readonly selected: Selected | undefined;
  readonly onLaunch: (launchUrl: string) => void;
  readonly onAccepted: (accepted: AcceptedSuggestion) => void;
}

/** What the payer's service says while an order is written. Nothing is shown when it has nothing to say. */
export function BeforeSigning({ patientId, selected, onLaunch, onAccepted }: BeforeSigningProps): ReactNode {
  const cards = selected?.cards ?? [];
  return (
    <section className={cards.length > 0 ? 'card stack' : undefined} aria-label={messages.order.beforeSigning} aria-live="polite">
      {cards.length > 0 && <h2>{messages.order.beforeSigning}</h2>}
      {selected && cards.map((card, index) => <CardView key={card.uuid ?? index} card={card} order={selected.order} patientId={patientId} onLaunch={onLaunch} onAccepted={onAccepted} />)}
    </section>
  );
}
