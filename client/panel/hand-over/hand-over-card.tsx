import { Button } from '@mantine/core';
import { lazy, Suspense, useCallback, useEffect, useRef, useState, type ReactNode } from 'react';
import type { HandOver, PanelSession } from '#prior-auth/panel-api.ts';
import type { Failure } from '../../ui/call-json.ts';
import { FailureNotice } from '../../ui/failure-notice.tsx';
import { showDate } from '../../ui/fhir-date.ts';
import { Notice } from '../../ui/tone.tsx';
import { messages } from '../messages.ts';
import type { PanelCall } from '../panel-call.ts';

const HandOverDialog = lazy(() => import('./hand-over-dialog.tsx'));

interface HandOverCardProps {
  readonly call: PanelCall;
  readonly session: PanelSession;
}

/** Whose work this case is: hand it over, see who has it and what is missing, take it over or give it on. */
export function HandOverCard({ call, session }: HandOverCardProps): ReactNode {
  const words = messages.handOver;
  const [handOver, setHandOver] = useState<HandOver | null>();
  const [choosing, setChoosing] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const place = useRef<HTMLElement>(null);

  useEffect(() => {
    let current = true;
    void call('readHandOver', {}).then((reply) => {
      if (!current) return;
      if (reply.kind === 'ok') setHandOver(reply.value.handOver);
      else setFailure(reply.failure);
    });
    return () => { current = false; };
  }, [call]);

  const act = useCallback(async (message: 'takeOver' | 'cancelHandOver') => {
    setFailure(undefined);
    // The button that was pressed vanishes.
    place.current?.focus();
    const reply = await call(message, {});
    if (reply.kind === 'ok') setHandOver(reply.value.handOver);
    else setFailure(reply.failure);
  }, [call]);

  if (handOver === undefined && failure === undefined) return null;
  const isOpen = handOver?.status === 'requested' || handOver?.status === 'in-progress';
  const me = session.user.reference;
  const isMine = handOver?.takenBy?.reference === me;
  return (
    <section ref={place} tabIndex={-1} aria-label={words.title} className="stack-tight">
      {isOpen && (
        <Notice tone="waiting" live="polite">
          <p className="strong">{handOver.to.reference === me && !handOver.takenBy ? words.toYou : words.badge}</p>
          <p>{words.handed(handOver.by.name, handOver.to.name, showDate(handOver.at))} {handOver.takenBy && words.taken(handOver.takenBy.name)}</p>
          {handOver.note !== '' && <p className="wrapping"><q>{handOver.note}</q></p>}
          <Missing missing={handOver.missing} />
          {handOver.task === null && <p className="small">{words.onlyHere}</p>}
          <div className="row">
            {!isMine && <Button size="xs" className="wrapping-button" onClick={() => void act('takeOver')}>{words.take}</Button>}
            <Button size="xs" variant="default" className="wrapping-button" onClick={() => setChoosing(true)}>{isMine || handOver.to.reference === me ? words.notMe : words.pass}</Button>
            <Button size="xs" variant="default" className="wrapping-button" onClick={() => void act('cancelHandOver')}>{words.cancel}</Button>
          </div>
        </Notice>
      )}
      {handOver?.status === 'completed' && <p className="small muted">{words.done}</p>}
      {!isOpen && <div><Button size="xs" variant="default" onClick={() => setChoosing(true)}>{words.open}</Button></div>}
      {failure && <FailureNotice failure={failure} />}
      {choosing && (
        <Suspense>
          <HandOverDialog
            call={call}
            onClose={() => setChoosing(false)}
            onHanded={(handed) => {
              setHandOver(handed);
              setChoosing(false);
            }}
          />
        </Suspense>
      )}
    </section>
  );
}

function Missing({ missing }: { readonly missing: HandOver['missing'] }): ReactNode {
  const words = messages.handOver;
  const open = missing.filter(({ questions }) => questions.length > 0);
  if (open.length === 0) return <p className="small">{words.nothingMissing}</p>;
  return (
    <div className="small">
      <p>{words.missing}:</p>
      {open.map(({ form, questions }) => (
        <div key={form}>
          {missing.length > 1 && <p className="strong">{form}</p>}
          <ul>{questions.map((question, index) => <li key={`${index} ${question}`}>{question}</li>)}</ul>
        </div>
      ))}
    </div>
  );
}
