import { useEffect, useRef, useState } from 'react';
import { ehr, type NewOrder, type Selected } from './ehr-api.ts';

/** The order form as it stands: texts of its controls. */
export interface OrderEntry {
  readonly catalogId: string;
  readonly quantity: string;
  readonly priority: string;
  readonly reason: string;
  readonly note: string;
}

/** Typing goes on for this long before the payer is asked again. */
const PAUSE_MS = 500;

export function newOrder(entry: OrderEntry, quantity: number | undefined): NewOrder {
  return {
    catalogId: entry.catalogId,
    priority: entry.priority,
    ...(quantity === undefined ? {} : { quantity }),
    ...(entry.reason === '' ? {} : { reason: entry.reason }),
    ...(entry.note.trim() === '' ? {} : { note: entry.note.trim() }),
  };
}

interface Selection {
  readonly selected: Selected | undefined;
  /** The id that the order keeps when it is written. */
  readonly id: () => string | undefined;
  readonly forget: () => void;
}

/** Asks the payer's service about the order while it is written (order-select). Only the answer to the latest entry counts; a failure is silent, for signing asks again. */
export function useSelection(patientId: string, { catalogId, quantity, priority, reason }: OrderEntry): Selection {
  const [answer, setAnswer] = useState<{ readonly catalogId: string; readonly selected: Selected }>();
  const id = useRef<string>(undefined);
  const amount = quantity.trim() === '' ? undefined : Number(quantity);
  const askable = catalogId !== '' && (amount === undefined || amount > 0);
  useEffect(() => {
    if (!askable) return;
    let late = false;
    const timer = setTimeout(async () => {
      const order = newOrder({ catalogId, quantity, priority, reason, note: '' }, amount);
      const reply = await ehr.select(patientId, { ...order, ...(id.current === undefined ? {} : { id: id.current }) });
      if (late || reply.kind !== 'ok') return;
      id.current = reply.value.order.split('/')[1];
      setAnswer({ catalogId, selected: reply.value });
    }, PAUSE_MS);
    return () => {
      late = true;
      clearTimeout(timer);
    };
  }, [askable, amount, patientId, catalogId, quantity, priority, reason]);
  const forget = (): void => {
    id.current = undefined;
    setAnswer(undefined);
  };
  return { selected: askable && answer?.catalogId === catalogId ? answer.selected : undefined, id: () => id.current, forget };
}
