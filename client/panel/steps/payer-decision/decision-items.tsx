import type { ReactNode } from 'react';
import type { AskedItem } from '#prior-auth/panel-api.ts';
import { sayDecision } from '#prior-auth/payer-decision/decision-words.ts';
import type { PayerDecision } from '#prior-auth/payer-decision/decision.ts';
import { toneWords } from '../../../messages.ts';
import { showDate } from '../../../ui/fhir-date.ts';
import { language } from '../../../ui/language.ts';
import { Badge, Notice } from '../../../ui/tone.tsx';
import { messages } from '../../messages.ts';

interface DecisionProps {
  readonly decision: PayerDecision;
  readonly asked: readonly AskedItem[];
  /** An update or a cancellation is on its way: this is what stood before. */
  readonly stood?: boolean;
}

/** What the payer said, item by item, beside what was asked. The words and tones are those of `sayDecision` alone. */
export function Decision({ decision, asked, stood = false }: DecisionProps): ReactNode {
  const words = messages.decision;
  const said = sayDecision(decision, language);
  const { entered } = decision;
  const silent = asked.filter(({ sequence }) => !said.items.some((item) => item.sequence === sequence));
  return (
    <>
      <Notice tone={stood ? 'plain' : said.tone}>
        {stood && <p className="small">{words.stood}</p>}
        <h3>{said.headline}</h3>
        {decision.preAuthRef !== undefined && <p>{words.number}: <strong className="number">{decision.preAuthRef}</strong></p>}
        {entered && <p>{messages.actions.record.entered(entered.by.name, showDate(entered.at), entered.learnedBy)}{entered.note === undefined ? '' : ` ${entered.note}`}</p>}
      </Notice>
      {said.items.length + silent.length > 0 && (
        <section className="stack-tight" aria-labelledby="decision-items">
          <h3 id="decision-items">{words.items}</h3>
          <ol className="stack">
            {said.items.map(({ sequence, tone, text, details }, index) => {
              const of = asked.find((item) => item.sequence === sequence);
              return (
                <li key={`${sequence} ${index}`} className="decision-item stack-tight">
                  <div className="row-apart"><span className="small muted">{words.item(sequence)}</span>{of?.cancelled ? <Badge tone="plain">{words.cancelledByUs}</Badge> : <Badge tone={tone}>{toneWords[tone]}</Badge>}</div>
                  {of && <AskedFor item={of} />}
                  {of?.cancelled !== true && <p>{text}</p>}
                  {of?.cancelled !== true && details.length > 0 && <ul className="bullets small">{details.map((detail, position) => <li key={`${position} ${detail}`}>{detail}</li>)}</ul>}
                </li>
              );
            })}
            {silent.map((item) => (
              <li key={`silent ${item.sequence}`} className="decision-item stack-tight">
                <div className="row-apart"><span className="small muted">{words.item(item.sequence)}</span><Badge tone={item.cancelled ? 'plain' : 'waiting'}>{item.cancelled ? words.cancelledByUs : words.notAnswered}</Badge></div>
                <AskedFor item={item} />
              </li>
            ))}
          </ol>
        </section>
      )}
      {!stood && said.nextStep !== '' && <section className="stack-tight" aria-labelledby="decision-next"><h3 id="decision-next">{words.next}</h3><p>{said.nextStep}</p></section>}
    </>
  );
}

export function AskedFor({ item: { display, code, quantity, serviced } }: { readonly item: AskedItem }): ReactNode {
  const words = messages.decision;
  const facts = [
    quantity && `${words.asked}: ${[quantity.value, quantity.unit].filter((part) => part !== undefined).join(' ')}`,
    serviced && `${words.when}: ${words.fromTo(serviced.start && showDate(serviced.start), serviced.end && showDate(serviced.end))}`,
  ].filter((fact) => fact !== undefined);
  return (
    <div>
      <p className="strong">{display} <span className="muted number small">{code}</span></p>
      {facts.length > 0 && <p className="small muted number">{facts.join(' · ')}</p>}
    </div>
  );
}
