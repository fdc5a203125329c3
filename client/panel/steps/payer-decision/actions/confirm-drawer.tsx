import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { Drawer } from '../../../../ui/drawer.tsx';
import { messages } from '../../../messages.ts';

interface ConfirmDrawerProps {
  readonly text: string;
  readonly doIt: string;
  /** It cannot be taken back. */
  readonly danger?: boolean;
  readonly busy: boolean;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** Asks once more. */
export function ConfirmDrawer({ text, doIt, danger = false, busy, onConfirm, onClose }: ConfirmDrawerProps): ReactNode {
  return (
    <Drawer title={messages.actions.sure} onClose={onClose}>
      <p>{text}</p>
      <div className="stack">
        <Button variant="default" disabled={busy} onClick={onClose} className="wrapping-button">{messages.actions.keep}</Button>
        <Button loading={busy} onClick={onConfirm} className="wrapping-button" {...(danger ? { color: 'red.8' } : {})}>{doIt}</Button>
      </div>
    </Drawer>
  );
}
