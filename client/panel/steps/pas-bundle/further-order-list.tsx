import { Button } from '@mantine/core';
import { useCallback, type ReactNode } from 'react';
import { FailureNotice } from '../../../ui/failure-notice.tsx';
import { showDate } from '../../../ui/fhir-date.ts';
import { Loading } from '../../../ui/loading.tsx';
import { useLoad } from '../../../ui/use-load.ts';
import { messages } from '../../messages.ts';
import type { PanelCall } from '../../panel-call.ts';

interface FurtherOrderListProps {
  readonly call: PanelCall;
  /** A request that was sent takes no order with forms of its own. */
  readonly withoutForms?: boolean;
  /** Chosen already. */
  readonly taken: readonly string[];
  readonly onAdd: (order: { readonly reference: string; readonly display: string }) => void;
}

/** Every other open order of the patient; those that cannot join say why. */
export function FurtherOrderList({ call, withoutForms = false, taken, onAdd }: FurtherOrderListProps): ReactNode {
  const words = messages.review.orders;
  const { value, failure, reload } = useLoad(useCallback(() => call('listFurtherOrders', {}), [call]));
  if (failure) return <FailureNotice failure={failure} onRetry={reload} />;
  if (value === undefined) return <Loading>{words.loading}</Loading>;
  return (
    <>
      {value.orders.length === 0 && <p>{words.none}</p>}
      <ul className="sent-resources">
        {value.orders.filter(({ reference }) => !taken.includes(reference)).map(({ reference, display, code, date, forms, obstacle }) => {
          const isRefused = obstacle !== undefined || (withoutForms && forms > 0);
          return (
            <li key={reference} className="row-apart">
              <div className="grow">
                <p>{display}</p>
                <p className="small muted number">{[code, date && showDate(date)].filter(Boolean).join(' · ')}</p>
                {obstacle !== undefined && <p className="small">{words.obstacles[obstacle]}</p>}
                {obstacle === undefined && forms > 0 && <p className="small">{withoutForms ? words.formsTooLate : words.forms(forms)}</p>}
              </div>
              {!isRefused && <Button size="xs" variant="default" aria-label={words.addOf(display)} onClick={() => onAdd({ reference, display })}>{words.add}</Button>}
            </li>
          );
        })}
      </ul>
      {value.unread.length > 0 && <p className="small muted">{words.unread(value.unread.join(', '))}</p>}
    </>
  );
}
