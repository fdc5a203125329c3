import { ActionIcon } from '@mantine/core';
import { useId, useLayoutEffect, useRef, type ReactNode } from 'react';
import { shared } from '../messages.ts';
import { Icon } from './icon.tsx';

interface DrawerProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** The browser's own modal dialog at the right edge: it keeps the focus inside, closes by Escape or a click beside it, and gives the focus back. */
export function Drawer({ title, onClose, children }: DrawerProps): ReactNode {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  // Layout effect: the dialog must be closed while it is still on the page, else the focus is lost.
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      className="drawer"
      aria-labelledby={titleId}
      onCancel={(event) => { event.preventDefault(); onClose(); }}
      closedby="any"
    >
      <header className="row-apart drawer-head">
        <h2 id={titleId} className="grow">{title}</h2>
        <ActionIcon variant="default" size="lg" aria-label={shared.close} onClick={onClose}><Icon name="cross" /></ActionIcon>
      </header>
      <div className="stack drawer-body">{children}</div>
    </dialog>
  );
}
