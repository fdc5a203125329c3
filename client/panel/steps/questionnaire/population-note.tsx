import { Button } from '@mantine/core';
import { useRef, type ReactNode } from 'react';
import { failureWords } from '../../../messages.ts';
import { Loading } from '../../../ui/loading.tsx';
import { Notice } from '../../../ui/tone.tsx';
import { messages } from '../../messages.ts';
import type { PopulationState } from './form-draft.ts';

interface PopulationNoteProps {
  readonly population: PopulationState;
  readonly automatic: number;
  readonly onReadAgain: () => void;
}

/** How far the reading of the record is. The form is on the screen all the while; the focus stays here when the button goes. */
export function PopulationNote({ population, automatic, onReadAgain }: PopulationNoteProps): ReactNode {
  const words = messages.form;
  const place = useRef<HTMLDivElement>(null);
  const readAgain = (): void => {
    place.current?.focus();
    onReadAgain();
  };
  return (
    <div ref={place} tabIndex={-1} className="stack-tight small">
      <div aria-live="polite">
        {population.kind === 'reading' && <Loading>{words.reading} {words.readingLong}</Loading>}
        {population.kind === 'done' && <p>{words.filled(automatic)}</p>}
        {population.kind === 'failed' && (
          <Notice tone="warn">
            <p className="strong">{words.populationFailed}</p>
            {population.failure && <p>{failureWords(population.failure).message}</p>}
            <p>{words.populationFailedNext}</p>
          </Notice>
        )}
      </div>
      {population.kind !== 'reading' && (
        <>
          <Warnings warnings={population.warnings} />
          <div><Button size="xs" variant="default" onClick={readAgain}>{words.readAgain}</Button></div>
        </>
      )}
    </div>
  );
}

function Warnings({ warnings }: { readonly warnings: readonly string[] }): ReactNode {
  if (warnings.length === 0) return null;
  return (
    <details>
      <summary>{messages.form.populationWarnings(warnings.length)}</summary>
      <ul className="bullets details-body">{warnings.map((warning, index) => <li key={index}>{warning}</li>)}</ul>
    </details>
  );
}
