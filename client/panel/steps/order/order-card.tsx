import type { ReactNode } from 'react';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import { Badge } from '../../../ui/tone.tsx';
import { messages } from '../../messages.ts';

/** The one thing ordered and who pays for it. */
export function OrderCard({ case: { service, payer }, children }: { readonly case: PriorAuthCase; readonly children: ReactNode }): ReactNode {
  const words = messages.order;
  const coding = service.codings[0];
  const urgent = service.priority !== 'routine';
  return (
    <section className="card stack order" aria-labelledby="order-title">
      <div className="stack-tight">
        <p className="small muted" id="order-title">{words.title}</p>
        <h2>{service.display}</h2>
        <div className="row small">
          {coding && <span className="muted">{words.code} <span className="number">{coding.code}</span></span>}
          {urgent && <Badge tone="warn">{words.priorities[service.priority]}</Badge>}
        </div>
      </div>
      <dl className="facts small">
        <dt>{words.payer}</dt><dd>{payer.name}</dd>
        {service.quantity && <><dt>{words.quantity}</dt><dd className="number">{service.quantity.value} {service.quantity.unit}</dd></>}
        <dt>{words.reason}</dt><dd>{service.reasonCodes.map((reason) => reason.display ?? reason.code).join('; ') || (service.reasonReferences.join('; ') || words.noReason)}</dd>
      </dl>
      {children}
    </section>
  );
}
