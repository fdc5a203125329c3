import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { explainState } from '#prior-auth/case-words.ts';
import type { CaseStateKind, PriorAuthCase } from '#prior-auth/case.ts';
import { showDate } from '../../../ui/fhir-date.ts';
import { language } from '../../../ui/language.ts';
import { Notice, type Tone } from '../../../ui/tone.tsx';
import { messages } from '../../messages.ts';

const TONES: Readonly<Record<Exclude<CaseStateKind, 'pended' | 'decided'>, Tone>> = {
  'no-authorization-needed': 'info', questionnaire: 'info', ready: 'info', queued: 'waiting', held: 'warn', refused: 'warn', cancelled: 'plain', manual: 'info',
};

/** Where a case stands that the payer has not the last word on: what goes on, and what comes next. */
export function StateNotice({ case: priorAuthCase, onReview }: { readonly case: Pick<PriorAuthCase, 'state' | 'payer'>; readonly onReview: () => void }): ReactNode {
  const { state } = priorAuthCase;
  const words = messages.decision;
  if (state.kind === 'pended' || state.kind === 'decided') {
    return state.lastChange === undefined ? null : <Notice tone="warn"><p className="strong">{words.refusedChange[state.lastChange.purpose](showDate(state.lastChange.refusedAt))}</p><p className="wrapping">{state.lastChange.reason}</p></Notice>;
  }
  const { headline, details, next } = explainState(priorAuthCase, language);
  return (
    <>
      <Notice tone={TONES[state.kind]}>
        <p className="strong">{headline}</p>
        {details.map((detail) => <p key={detail} className="wrapping">{detail}</p>)}
        {next !== '' && <p>{next}</p>}
      </Notice>
      {state.kind === 'refused' && <div><Button variant="default" className="wrapping-button" onClick={onReview}>{words.toReview}</Button></div>}
    </>
  );
}
