import { useEffect, useRef } from 'react';

/** What stands in place of a control that had the focus takes it. Whoever has moved on meanwhile keeps theirs. */
export function takeLostFocus(element: HTMLElement | null): void {
  if (document.activeElement === document.body) element?.focus();
}

/** A button that waits is disabled, and so loses the focus. Call what comes back at the press: the focus returns there when `busy` ends. */
export function useReturningFocus(busy: boolean): () => void {
  const pressed = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!busy) takeLostFocus(pressed.current);
  }, [busy]);
  return () => {
    pressed.current = document.activeElement instanceof HTMLElement ? document.activeElement : null;
  };
}
