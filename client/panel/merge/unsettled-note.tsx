import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { Notice } from '../../ui/tone.tsx';
import { messages } from '../messages.ts';

/** The record system's copy of the form contradicts this one. */
export function UnsettledNote({ count, onCompare }: { readonly count: number; readonly onCompare: () => void }): ReactNode {
  const words = messages.merge;
  return (
    <Notice tone="warn" live="polite">
      <p className="strong">{words.unsettledTitle}</p>
      <p>{words.unsettled(count)}</p>
      <div><Button size="xs" className="wrapping-button" onClick={onCompare}>{words.compare}</Button></div>
    </Notice>
  );
}
