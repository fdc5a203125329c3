import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { failureWords } from '../../../messages.ts';
import { Loading } from '../../../ui/loading.tsx';
import { Notice } from '../../../ui/tone.tsx';
import { messages } from '../../messages.ts';
import type { PopulationState } from './form-draft.ts';

/** How far the reading of the record is. The form is on the screen all the while. */
export function PopulationNote({ population, automatic, onReadAgain }: { readonly population: PopulationState; readonly automatic: number; readonly onReadAgain: () => void }): ReactNode {
  const words = messages.form;
  if (population.kind === 'reading') {
    return <div className="small"><Loading>{words.reading} {words.readingLong}</Loading></div>;
  }
  const again = <Button size="xs" variant="default" onClick={onReadAgain}>{words.readAgain}</Button>;
  if (population.kind === 'failed') {
    return (
      <Notice tone="warn" live="polite">
        <p className="strong">{words.populationFailed}</p>
        {population.failure && <p>{failureWords(population.failure).message}</p>}
        <p>{words.populationFailedNext}</p>
        <Warnings warnings={population.warnings} />
        <div>{again}</div>
      </Notice>
    );
  }
  return (
    <div className="stack-tight small">
      <output>{words.filled(automatic)}</output>
      <Warnings warnings={population.warnings} />
      <div>{again}</div>
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
