import { Button } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { SubmissionReview } from '#prior-auth/panel-api.ts';
import { Drawer } from '../../../ui/drawer.tsx';
import { messages } from '../../messages.ts';
import type { PanelCall } from '../../panel-call.ts';
import { FurtherOrderList } from './further-order-list.tsx';

interface RequestItemsProps {
  readonly call: PanelCall;
  readonly priorAuthCase: PriorAuthCase;
  readonly review: SubmissionReview;
  readonly disabled: boolean;
  /** Relative references of all orders besides the first. */
  readonly onChange: (further: readonly string[]) => void;
}

/** The items of the request: the case's own order, and others that a person puts in or takes out. */
export function RequestItems({ call, priorAuthCase: { service, further = [] }, review, disabled, onChange }: RequestItemsProps): ReactNode {
  const words = messages.review;
  const [adding, setAdding] = useState(false);
  const joined = further.map(({ order }) => order);
  return (
    <section className="card stack-tight" aria-labelledby="review-items">
      <h3 id="review-items">{words.items}</h3>
      <ol className="sent-resources">
        {[service, ...further].map((asked, index) => {
          const code = review.items.find(({ order, sequence }) => order === asked.order || sequence === index + 1)?.code || asked.codings[0]?.code;
          return (
            <li key={asked.order} className="row-apart">
              <span className="grow">{asked.display} <span className="muted number small">{code}</span></span>
              {index > 0 && <Button size="xs" variant="default" disabled={disabled} aria-label={words.itemRemoveOf(asked.display)} onClick={() => onChange(joined.filter((order) => order !== asked.order))}>{words.itemRemove}</Button>}
            </li>
          );
        })}
      </ol>
      <div><Button size="xs" variant="default" disabled={disabled} onClick={() => setAdding(true)}>{words.orders.open}</Button></div>
      {adding && <OrdersDrawer call={call} onClose={() => setAdding(false)} onAdd={(order) => { setAdding(false); onChange([...joined, order]); }} />}
    </section>
  );
}

function OrdersDrawer({ call, onAdd, onClose }: { readonly call: PanelCall; readonly onAdd: (order: string) => void; readonly onClose: () => void }): ReactNode {
  const words = messages.review.orders;
  return (
    <Drawer title={words.title} onClose={onClose}>
      <p className="small muted">{words.intro}</p>
      <FurtherOrderList call={call} taken={[]} onAdd={({ reference }) => onAdd(reference)} />
    </Drawer>
  );
}
