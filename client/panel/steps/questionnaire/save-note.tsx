import { Button } from '@mantine/core';
import { useRef, type ReactNode } from 'react';
import { failureWords } from '../../../messages.ts';
import { showTime } from '../../../ui/fhir-date.ts';
import { Notice } from '../../../ui/tone.tsx';
import { messages } from '../../messages.ts';
import type { SaveState } from './form-draft.ts';

interface SaveNoteProps {
  readonly save: SaveState;
  readonly onSave: () => void;
  readonly onCompare: () => void;
}

/** How saving stands. Its buttons vanish when they have worked: the focus then stays on the note. */
export function SaveNote({ save, onSave, onCompare }: SaveNoteProps): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const keepFocus = (act: () => void) => (): void => {
    place.current?.focus();
    act();
  };
  return (
    <div ref={place} tabIndex={-1} className="save-note">
      <Note save={save} onSave={keepFocus(onSave)} onCompare={onCompare} />
    </div>
  );
}

function Note({ save, onSave, onCompare }: SaveNoteProps): ReactNode {
  const words = messages.save;
  if (save.kind === 'conflict') {
    return (
      <Notice tone="warn" live="assertive">
        <p className="strong">{words.conflictTitle}</p>
        <p>{messages.merge.differ(save.differences.length)}</p>
        <div><Button size="xs" className="wrapping-button" onClick={onCompare}>{messages.merge.compare}</Button></div>
      </Notice>
    );
  }
  if (save.kind === 'waiting') {
    return (
      <Notice tone="warn" live="polite">
        <p><span className="strong">{save.failure.status === 0 ? words.noConnection : words.serverTrouble}</span> {words.kept}</p>
        <div><Button size="xs" variant="default" onClick={onSave}>{words.saveNow}</Button></div>
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
  return <output className="small muted">{save.kind === 'saved' ? words.savedAt(showTime(save.at)) : words[save.kind]}</output>;
}
