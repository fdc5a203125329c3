import type { ReactNode } from 'react';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import { Badge } from '../../../ui/tone.tsx';
import { messages } from '../../messages.ts';

/** The one thing ordered and who pays for it; what belongs to other steps comes as `children`. */
export function OrderCard({ case: { service, payer }, children }: { readonly case: PriorAuthCase; readonly children: ReactNode }): ReactNode {
  const words = messages.order;
  const { quantity } = service;
  const facts = [service.codings[0]?.code, quantity && [quantity.value, quantity.unit].filter((part) => part !== undefined).join(' '), payer.name];
  return (
    <section className="card stack order" aria-label={words.title}>
      <div className="stack-tight">
        <h2>{service.display}</h2>
        <p className="small muted number">{facts.filter((fact) => fact !== undefined).join(' · ')}</p>
        {service.priority !== 'routine' && <div><Badge tone="warn">{words.priorities[service.priority]}</Badge></div>}
      </div>
      {children}
    </section>
  );
}
