import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import type { CaseState } from '#prior-auth/case.ts';
import { showDate } from '../../../ui/fhir-date.ts';
import { Notice } from '../../../ui/tone.tsx';
import { messages } from '../../messages.ts';

/** Where a case stands that the payer has not the last word on: what goes on, and what comes next. */
export function StateNotice({ state, onReview }: { readonly state: CaseState; readonly onReview: () => void }): ReactNode {
  const words = messages.decision;
  switch (state.kind) {
    case 'no-authorization-needed':
      return <Notice tone="info"><p className="strong">{words.notNeeded}</p>{state.authorizationNumber !== undefined && <p>{words.authorizationNumber(state.authorizationNumber)}</p>}<p>{words.notNeededText}</p></Notice>;
    case 'queued':
      return (
        <Notice tone="waiting">
          <Said of={words.states.queued[state.purpose ?? 'new']} />
          {state.attempts > 0 && <p>{words.attempts(state.attempts)}</p>}
          {state.lastError !== undefined && <p>{words.lastError}</p>}
        </Notice>
      );
    case 'held':
      return <Notice tone="warn"><Said of={words.states.held(state.heldBy, showDate(state.heldAt))} /></Notice>;
    case 'refused':
      return (
        <>
          <Notice tone="warn"><Said of={words.states.refused} /><p className="wrapping">{state.reason}</p></Notice>
          <p>{words.refusedNext}</p>
          <div><Button variant="default" className="wrapping-button" onClick={onReview}>{words.toReview}</Button></div>
        </>
      );
    case 'cancelled':
      return <Notice tone="plain"><Said of={words.states.cancelled(showDate(state.cancelledAt))} /></Notice>;
    case 'manual':
      return (
        <Notice tone="info">
          <Said of={words.states.manual(state.by, showDate(state.since))} />
          <p className="strong">{state.reference === undefined ? messages.actions.manual.noReference : messages.actions.manual.current(state.reference)}</p>
        </Notice>
      );
    case 'pended':
    case 'decided':
      return state.lastChange === undefined ? null : <Notice tone="warn"><p className="strong">{words.refusedChange[state.lastChange.purpose](showDate(state.lastChange.refusedAt))}</p><p className="wrapping">{state.lastChange.reason}</p></Notice>;
    default:
      return null;
  }
}

function Said({ of: [title, text] }: { readonly of: readonly string[] }): ReactNode {
  return <><p className="strong">{title}</p><p>{text}</p></>;
}
