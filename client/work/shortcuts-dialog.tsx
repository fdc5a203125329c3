import type { ReactNode } from 'react';
import { Drawer } from '../ui/drawer.tsx';
import { messages } from './messages.ts';
import { KEYS, SHORTCUTS } from './use-shortcuts.ts';

export function ShortcutsDialog({ on, onTurn, onClose }: { readonly on: boolean; readonly onTurn: (on: boolean) => void; readonly onClose: () => void }): ReactNode {
  const words = messages.shortcuts;
  return (
    <Drawer title={words.title} onClose={onClose}>
      <dl className="facts">
        {SHORTCUTS.map((shortcut) => <div key={shortcut} className="shortcut"><dt><kbd>{KEYS[shortcut]}</kbd>{shortcut === 'next' && <> <kbd>↓</kbd></>}{shortcut === 'previous' && <> <kbd>↑</kbd></>}</dt><dd>{words.does[shortcut]}</dd></div>)}
      </dl>
      <label className="choice"><input type="checkbox" checked={on} onChange={({ target }) => onTurn(target.checked)} /> {words.turnOn}</label>
    </Drawer>
  );
}
