import { useEffect, useRef, useState } from 'react';

export const SHORTCUTS = ['next', 'previous', 'open', 'select', 'search', 'renew', 'help'] as const;
export type Shortcut = (typeof SHORTCUTS)[number];

/** Keys without a modifier; Enter opens because the row's name is a button. */
export const KEYS: Readonly<Record<Shortcut, string>> = { next: 'j', previous: 'k', open: 'Enter', select: 'x', search: '/', renew: 'r', help: '?' };

/** Preference of this browser; says nothing about any patient. */
const OFF = 'opa-worklist-shortcuts-off';

interface Shortcuts {
  readonly on: boolean;
  readonly setOn: (on: boolean) => void;
}

/** Single keys do something only while nothing is typed and no dialog is open, and can be turned off (WCAG 2.1.4). Arrows move within the table. */
export function useShortcuts(take: (shortcut: Shortcut) => void): Shortcuts {
  const [on, setOnState] = useState(() => readOn());
  const latest = useRef(take);
  useEffect(() => { latest.current = take; });
  useEffect(() => {
    const hear = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || document.querySelector('dialog[open]') !== null) return;
      const target = event.target instanceof HTMLElement ? event.target : null;
      const arrow = target?.closest('tbody') ? ({ ArrowDown: 'next', ArrowUp: 'previous' } as const)[event.key] : undefined;
      const typing = target !== null && (target.isContentEditable || ['TEXTAREA', 'SELECT'].includes(target.tagName) || (target instanceof HTMLInputElement && target.type !== 'checkbox'));
      const shortcut = arrow ?? (on && !typing ? SHORTCUTS.find((one) => one !== 'open' && KEYS[one] === event.key) : undefined);
      if (shortcut === undefined) return;
      event.preventDefault();
      latest.current(shortcut);
    };
    document.addEventListener('keydown', hear);
    return () => document.removeEventListener('keydown', hear);
  }, [on]);
  const setOn = (next: boolean): void => {
    setOnState(next);
    try {
      if (next) localStorage.removeItem(OFF);
      else localStorage.setItem(OFF, 'true');
    } catch {
      // Without storage the choice holds for this page.
    }
  };
  return { on, setOn };
}

function readOn(): boolean {
  try {
    return localStorage.getItem(OFF) === null;
  } catch {
    return true;
  }
}
