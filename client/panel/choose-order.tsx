import { Button } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import type { LaunchChoice, LaunchChoices } from '#prior-auth/panel-launch-api.ts';
import type { Failure } from '../ui/call-json.ts';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { showDate } from '../ui/fhir-date.ts';
import { Loading } from '../ui/loading.tsx';
import { Badge } from '../ui/tone.tsx';
import { useLoad } from '../ui/use-load.ts';
import { messages } from './messages.ts';
import { launchCalls, type PanelSessionProof } from './panel-call.ts';

interface ChooseOrderProps {
  readonly proof: PanelSessionProof;
  readonly onChosen: () => void;
}

/** The EHR named the patient and no order: which one is meant. Only this patient's are offered. */
export function ChooseOrder({ proof, onChosen }: ChooseOrderProps): ReactNode {
  const words = messages.choose;
  const [read] = useState(() => () => launchCalls.readChoices(proof));
  const { value, failure, reload } = useLoad(read);
  const [choosing, setChoosing] = useState<string>();
  const [refused, setRefused] = useState<Failure>();
  const choose = async (reference: string): Promise<void> => {
    setChoosing(reference);
    setRefused(undefined);
    const reply = await launchCalls.choose(proof, reference);
    setChoosing(undefined);
    if (reply.kind === 'ok') onChosen();
    else setRefused(reply.failure);
  };
  if (failure) return <FailureNotice failure={failure} onRetry={reload} />;
  if (value === undefined) return <Loading>{words.loading}</Loading>;
  return <ChoiceList choices={value} choosing={choosing} refused={refused} onChoose={(reference) => void choose(reference)} />;
}

interface ChoiceListProps {
  readonly choices: LaunchChoices;
  readonly choosing: string | undefined;
  readonly refused: Failure | undefined;
  readonly onChoose: (reference: string) => void;
}

function ChoiceList({ choices: { patient, choices, unread }, choosing, refused, onChoose }: ChoiceListProps): ReactNode {
  const words = messages.choose;
  return (
    <>
      <section className="patient-banner" aria-label={messages.banner.label}>
        <p className="strong">{patient.name}</p>
        <p className="small number">{patient.birthDate === null ? messages.banner.unknownBirth : `${messages.banner.born} ${showDate(patient.birthDate)}`}</p>
      </section>
      <h1>{words.title}</h1>
      {refused && <FailureNotice failure={refused} />}
      {choices.length === 0 && <p>{words.none}</p>}
      <ul className="stack">
        {choices.map((choice) => <li key={choice.reference} className="card"><Choice choice={choice} choosing={choosing} onChoose={onChoose} /></li>)}
      </ul>
      {unread.length > 0 && <p className="small muted">{words.unread(unread.join(', '))}</p>}
    </>
  );
}

function Choice({ choice, choosing, onChoose }: { readonly choice: LaunchChoice; readonly choosing: string | undefined; readonly onChoose: (reference: string) => void }): ReactNode {
  const words = messages.choose;
  const { reference, kind, title, date, state, inEncounter } = choice;
  return (
    <div className="row-apart">
      <div className="stack-tight grow">
        <p className="strong">{title}</p>
        <p className="row small muted"><Badge tone={state === 'in-progress' || state === 'authorization-needed' ? 'info' : 'unknown'}>{words.states[state]}</Badge>{date !== null && <span className="number">{showDate(date)}</span>}{inEncounter && <span>{words.inEncounter}</span>}</p>
        {state === 'not-asked' && <p className="small">{words.notAsked}</p>}
      </div>
      {state !== 'not-asked' && <Button size="sm" variant="default" loading={choosing === reference} disabled={choosing !== undefined} onClick={() => onChoose(reference)}>{kind === 'form' ? words.goOn : words.open}<span className="visually-hidden">: {title}</span></Button>}
    </div>
  );
}
