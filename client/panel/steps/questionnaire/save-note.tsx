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

/** How saving stands: said aloud when it is settled or in trouble, not at each keystroke. Its buttons vanish when they have worked: the focus then stays on the note. */
export function SaveNote({ save, onSave, onCompare }: SaveNoteProps): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const keepFocus = (act: () => void) => (): void => {
    place.current?.focus();
    act();
  };
  const quiet = save.kind === 'untouched' || save.kind === 'unsaved' || save.kind === 'saving' ? messages.save[save.kind] : undefined;
  return (
    <div ref={place} tabIndex={-1} className="save-note">
      <div aria-live="polite">{quiet === undefined && <Note save={save} onSave={keepFocus(onSave)} onCompare={onCompare} />}</div>
      {quiet !== undefined && <p className="small muted">{quiet}</p>}
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
      <Notice tone="warn">
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
  return save.kind === 'saved' && <p className="small muted">{words.savedAt(showTime(save.at))}</p>;
}
