import { Button } from '@mantine/core';
import { useId, useState, type ReactNode } from 'react';
import type { Failure, Reply } from '../ui/call-json.ts';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { takeLostFocus, useReturningFocus } from '../ui/returning-focus.ts';
import { Badge, type Tone } from '../ui/tone.tsx';
import { ehr, type AcceptedSuggestion, type Card, type Feedback } from './ehr-api.ts';
import { Markdown } from './markdown.tsx';
import { messages, ownOverrideReasons } from './messages.ts';
import { OpenPanelButton } from './open-panel-button.tsx';

const OWN_WORDS = 'own';
const TONES: Readonly<Record<Card['indicator'], Tone>> = { info: 'info', warning: 'warn', critical: 'bad', 'hard-stop': 'bad' };

interface CardViewProps {
  readonly card: Card;
  readonly order: string;
  readonly patientId: string;
  readonly onLaunch: (launchUrl: string) => void;
  /** A suggestion changed the record. */
  readonly onAccepted: (accepted: AcceptedSuggestion) => void;
}

/** One CDS Hooks card, with its suggestions, its links and what the clinician thinks of it. */
export function CardView({ card, order, patientId, onLaunch, onAccepted }: CardViewProps): ReactNode {
  const words = messages.card;
  const [taken, setTaken] = useState(false);
  const accepted = (result: AcceptedSuggestion): void => {
    setTaken(true);
    onAccepted(result);
  };
  const answered = taken || card.suggestions?.some((one) => one.accepted === true) === true;
  return (
    <article className="cds-card stack" data-indicator={card.indicator}>
      <div className="stack-tight">
        <div className="row-apart"><Badge tone={TONES[card.indicator] ?? 'info'}>{words.indicators[card.indicator] ?? words.indicators.info}</Badge><span className="small muted">{words.source(card.source.label)}</span></div>
        <h3>{card.summary}</h3>
      </div>
      {card.detail !== undefined && <Markdown text={card.detail} />}
      {card.links?.map((link) => (link.type === 'smart'
        ? <OpenPanelButton key={link.url + link.label} order={order} display={card.summary} label={link.label} small onLaunch={onLaunch} />
        : isWebAddress(link.url) && <a key={link.url} href={link.url} target="_blank" rel="noopener noreferrer">{link.label} <span className="small">({words.newTab})</span></a>))}
      {card.uuid !== undefined && card.suggestions?.map((one) => one.uuid !== undefined && <SuggestionButton key={one.uuid} label={one.label} recommended={one.isRecommended === true} accepted={one.accepted === true} accept={() => ehr.accept(patientId, order, card.uuid ?? '', one.uuid ?? '')} onAccepted={accepted} />)}
      {card.uuid !== undefined && !answered && <FeedbackLine card={card} uuid={card.uuid} />}
    </article>
  );
}

interface SuggestionProps {
  readonly label: string;
  readonly recommended: boolean;
  readonly accepted: boolean;
  readonly accept: () => Promise<Reply<AcceptedSuggestion>>;
  readonly onAccepted: (accepted: AcceptedSuggestion) => void;
}

function SuggestionButton({ label, recommended, accepted, accept, onAccepted }: SuggestionProps): ReactNode {
  const words = messages.card;
  const [state, setState] = useState<'open' | 'working' | 'done'>('open');
  const [failure, setFailure] = useState<Failure>();
  const pressed = useReturningFocus(state === 'working');
  const take = async (): Promise<void> => {
    pressed();
    setState('working');
    setFailure(undefined);
    const reply = await accept();
    setState(reply.kind === 'ok' ? 'done' : 'open');
    if (reply.kind === 'ok') onAccepted(reply.value);
    else setFailure(reply.failure);
  };
  return (
    <div className="stack-tight">
      {accepted || state === 'done' ? <output className="small" tabIndex={-1} ref={state === 'done' ? takeLostFocus : undefined}>{words.done(label)}</output> : <div><Button size="xs" className="wrapping-button" variant={recommended ? 'filled' : 'default'} loading={state === 'working'} onClick={() => void take()}>{label}</Button></div>}
      {failure && <FailureNotice failure={failure} />}
    </div>
  );
}

function FeedbackLine({ card, uuid }: { readonly card: Card; readonly uuid: string }): ReactNode {
  const words = messages.card;
  const id = useId();
  const [state, setState] = useState<'open' | 'choosing' | 'cancelled' | 'accepted' | 'overridden'>('open');
  const [reason, setReason] = useState('');
  const [comment, setComment] = useState('');
  const [failure, setFailure] = useState<Failure>();
  const reasons = card.overrideReasons?.length ? card.overrideReasons : ownOverrideReasons;
  const send = async (feedback: Omit<Feedback, 'service' | 'cardUuid'>): Promise<void> => {
    setFailure(undefined);
    const reply = await ehr.feedback({ service: card.service, cardUuid: uuid, ...feedback });
    if (reply.kind === 'ok') setState(feedback.outcome);
    else setFailure(reply.failure);
  };
  const override = (): void => {
    const chosen = reason === OWN_WORDS ? comment.trim() : reasons[Number(reason)];
    void send({ outcome: 'overridden', ...(chosen === undefined || chosen === '' ? {} : { overrideReason: chosen }) });
  };
  if (state === 'accepted' || state === 'overridden') return <output className="small muted" tabIndex={-1} ref={takeLostFocus}>{words[state]}</output>;
  return (
    <div className="stack">
      {state !== 'choosing' && (
        <div className="row">
          <Button size="xs" variant="default" onClick={() => void send({ outcome: 'accepted' })}>{words.accept}<span className="visually-hidden">: {card.summary}</span></Button>
          <Button size="xs" variant="default" ref={state === 'cancelled' ? takeLostFocus : undefined} onClick={() => setState('choosing')}>{words.override}<span className="visually-hidden">: {card.summary}</span></Button>
        </div>
      )}
      {state === 'choosing' && (
        <form className="stack" onSubmit={(event) => { event.preventDefault(); override(); }}>
          <div className="field">
            <label htmlFor={`${id}-reason`}>{words.why}</label>
            <select id={`${id}-reason`} className="control" required ref={focusOnShow} value={reason} onChange={({ target }) => setReason(target.value)}>
              <option value="">{words.chooseReason}</option>
              {reasons.map((one, index) => <option key={one.code ?? index} value={String(index)}>{one.display ?? one.code}</option>)}
              <option value={OWN_WORDS}>{words.ownWords}</option>
            </select>
          </div>
          {reason === OWN_WORDS && (
            <div className="field">
              <label htmlFor={`${id}-comment`}>{words.comment}</label>
              <input id={`${id}-comment`} className="control" required autoComplete="off" maxLength={500} value={comment} onChange={({ target }) => setComment(target.value)} />
            </div>
          )}
          <div className="row"><Button size="xs" type="submit">{words.send}</Button><Button size="xs" variant="default" onClick={() => setState('cancelled')}>{words.cancel}</Button></div>
        </form>
      )}
      {failure && <FailureNotice failure={failure} />}
    </div>
  );
}

function focusOnShow(element: HTMLElement | null): void {
  element?.focus();
}

function isWebAddress(url: string): boolean {
  return /^https?:\/\//i.test(url);
}
