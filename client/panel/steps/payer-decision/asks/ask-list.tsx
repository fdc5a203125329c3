import { Button } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { mayDo } from '#prior-auth/case-action.ts';
import type { AskedItem, CaseView } from '#prior-auth/panel-api.ts';
import type { InformationRequest } from '#prior-auth/payer-decision/information-request.ts';
import type { Failure, Reply } from '../../../../ui/call-json.ts';
import { FailureNotice } from '../../../../ui/failure-notice.tsx';
import { showDate } from '../../../../ui/fhir-date.ts';
import { Badge, type Tone } from '../../../../ui/tone.tsx';
import { messages } from '../../../messages.ts';
import type { PanelCall } from '../../../panel-call.ts';
import { AnswerDrawer } from './answer-drawer.tsx';

interface AskListProps {
  readonly call: PanelCall;
  readonly view: CaseView;
  readonly asks: readonly InformationRequest[];
  readonly onChanged: (view: CaseView) => void;
  /** The payer's form is among the questions now. */
  readonly onFormOpened: (view: CaseView, formId: string) => void;
}

type AskState = keyof typeof messages.asks.states;

const TONES: Readonly<Record<AskState, Tone>> = { open: 'warn', sending: 'waiting', refused: 'bad', answered: 'info', withdrawn: 'plain' };

const stateOf = ({ state, answer }: InformationRequest): AskState => (state === 'open' ? (answer?.kind ?? 'open') : state);

/** What the payer wants before it decides, each with its own way to answer, until the payer has taken the answer. */
export function AskList({ call, view, asks, onChanged, onFormOpened }: AskListProps): ReactNode {
  const words = messages.asks;
  const [answering, setAnswering] = useState<InformationRequest>();
  const [busy, setBusy] = useState<string>();
  const [failure, setFailure] = useState<Failure>();
  if (asks.length === 0) return null;
  const mayAnswer = mayDo(view.case, 'answer-ask').kind === 'may';
  const run = async ({ id }: InformationRequest, ask: () => Promise<Reply<CaseView>>, then: (next: CaseView) => void): Promise<void> => {
    setBusy(id);
    setFailure(undefined);
    const reply = await ask();
    setBusy(undefined);
    if (reply.kind === 'ok') then(reply.value);
    else setFailure(reply.failure);
  };
  const body = { caseVersion: view.case.version };
  const open = (ask: InformationRequest): void => void run(ask, () => call('openAskForm', { ...body, askId: ask.id }), (next) => {
    const opened = next.askForms?.find(({ askId }) => askId === ask.id);
    if (opened) onFormOpened(next, opened.formId);
  });
  const sendForm = (ask: InformationRequest): void => void run(ask, () => call('answerAsk', { ...body, askId: ask.id, references: [], files: [] }), onChanged);
  return (
    <section className="card stack asks" aria-labelledby="asks-title">
      <div>
        <h3 id="asks-title">{words.title}</h3>
        <p className="small muted">{words.intro}</p>
      </div>
      {failure && <FailureNotice failure={failure} />}
      <ul className="stack">
        {asks.map((ask) => {
          const state = stateOf(ask);
          const form = view.askForms?.find(({ askId }) => askId === ask.id);
          const answerable = mayAnswer && (state === 'open' || state === 'refused');
          return (
            <li key={ask.id} className="decision-item stack-tight">
              <div className="row-apart"><Badge tone={TONES[state]}>{words.states[state]}</Badge><span className="small number">{ask.due === undefined ? words.noDue : words.due(showDate(ask.due))}</span></div>
              {ask.text !== undefined && <blockquote className="unhurried">{ask.text}</blockquote>}
              <p className="small">{wantsWords(ask)}</p>
              <p className="small muted">{aboutWords(ask, view.asked ?? [])}</p>
              <Progress ask={ask} />
              {answerable && ask.wants.kind === 'questionnaire' && (
                <>
                  {form?.completed === false && <p className="small">{words.formOpen}</p>}
                  <div className="row">
                    {form?.completed === true && <Button size="xs" loading={busy === ask.id} disabled={busy !== undefined} onClick={() => sendForm(ask)}>{words.sendForm}</Button>}
                    <Button size="xs" variant={form?.completed === true ? 'default' : 'filled'} loading={busy === ask.id} disabled={busy !== undefined} onClick={() => open(ask)}>{words.openForm}</Button>
                  </div>
                </>
              )}
              {answerable && ask.wants.kind === 'attachment' && <div><Button size="xs" aria-label={words.answerOf(ask.text ?? wantsWords(ask))} onClick={() => setAnswering(ask)}>{words.answer}</Button></div>}
            </li>
          );
        })}
      </ul>
      {answering && <AnswerDrawer call={call} view={view} ask={answering} onClose={() => setAnswering(undefined)} onAnswered={(next) => { setAnswering(undefined); onChanged(next); }} />}
    </section>
  );
}

function Progress({ ask: { state, answer, answeredAt } }: { readonly ask: InformationRequest }): ReactNode {
  const words = messages.asks;
  if (state === 'answered') return answeredAt === undefined ? null : <p className="small">{words.answeredAt(showDate(answeredAt))}</p>;
  if (answer?.kind === 'sending') return <p className="small">{words.sendingSince(showDate(answer.queuedAt), answer.by)}</p>;
  if (answer?.kind === 'refused') return <p className="small">{words.refusedAt(showDate(answer.refusedAt))} {answer.reason}</p>;
  return null;
}

function wantsWords({ wants }: InformationRequest): string {
  const words = messages.asks;
  if (wants.kind === 'questionnaire') return words.form;
  return wants.codes.length === 0 ? words.documents : words.documentsOf(wants.codes.map(({ code }) => code).join(', '));
}

function aboutWords({ sequence }: InformationRequest, asked: readonly AskedItem[]): string {
  const words = messages.asks;
  return sequence === null ? words.whole : words.item(sequence, asked.find((item) => item.sequence === sequence)?.display);
}
