import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { failureWords } from '../../../messages.ts';
import { Notice } from '../../../ui/tone.tsx';
import { messages } from '../../messages.ts';
import type { SaveState } from './form-draft.ts';

interface SaveNoteProps {
  readonly save: SaveState;
  readonly onSave: () => void;
  readonly onSettle: (keepMine: boolean) => void;
}

export function SaveNote({ save, onSave, onSettle }: SaveNoteProps): ReactNode {
  const words = messages.save;
  if (save.kind === 'conflict') {
    return (
      <Notice tone="warn" live="assertive">
        <p className="strong">{words.conflictTitle}</p>
        <p>{words.conflictText(save.mine)}</p>
        <div className="row">
          <Button size="xs" className="wrapping-button" onClick={() => onSettle(true)}>{words.keepMine}</Button>
          <Button size="xs" variant="default" className="wrapping-button" onClick={() => onSettle(false)}>{words.takeTheirs}</Button>
        </div>
      </Notice>
    );
  }
  if (save.kind === 'failed') {
    const { message, nextStep } = failureWords(save.failure);
    return (
      <Notice tone="bad" live="assertive">
        <p className="strong">{words.failed}</p>
        <p>{message} {nextStep}</p>
        <div><Button size="xs" variant="default" onClick={onSave}>{words.saveNow}</Button></div>
      </Notice>
    );
  }
  return <output className="small muted">{save.kind === 'saved' ? words.savedAt(new Date(save.at).toLocaleTimeString()) : words[save.kind]}</output>;
}
