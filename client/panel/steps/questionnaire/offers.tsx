import type { ReactNode } from 'react';
import type { EvidenceReference } from '#prior-auth/coverage-requirement/requirement.ts';
import type { AnswerValue, ShownItem } from '#prior-auth/questionnaire/form.ts';
import { Icon } from '../../../ui/icon.tsx';
import { messages } from '../../messages.ts';
import { isSameAnswer } from './answer-text.ts';
import { useField } from './field-context.tsx';

const MOST_SHOWN = 5;

/** What the record has beside the answer: entries to read (contextExpression) and answers to choose from (candidateExpression). */
export function Offers({ item }: { readonly item: ShownItem }): ReactNode {
  const { offers, edit, readOnly } = useField();
  const offered = offers[item.linkId];
  if (offered === undefined) return null;
  const words = messages.form;
  const choosable = readOnly || item.readOnly ? [] : offered.candidates;
  const use = (value: AnswerValue): void => edit((form) => (item.repeats ? form.addAnswer(item.path, value) : form.setAnswer(item.path, 0, value)));
  const isUsed = (value: AnswerValue): boolean => item.answers.some((answer) => isSameAnswer(answer.value, value));
  return (
    <>
      {offered.context.filter(({ entries }) => entries.length > 0).map(({ label, entries }) => (
        <section key={label} className="offers stack-tight small" aria-label={`${words.beside}: ${label}`}>
          <p className="muted">{words.beside}: {label}</p>
          <Folded entries={entries.map((entry, index) => <li key={index} className="row-apart"><span>{entry.text}</span><Source item={item} source={entry.source} /></li>)} />
        </section>
      ))}
      {choosable.length > 0 && (
        <section className="offers stack-tight small" aria-label={`${words.offers}: ${item.label}`}>
          <p className="muted">{words.offers}</p>
          <Folded entries={choosable.map(({ value, label, source }, index) => (
            <li key={index} className="row-apart">
              {isUsed(value)
                ? <span><Icon name="check" /> {label} <span className="muted">({words.used})</span></span>
                : <button type="button" className="link-button" onClick={() => use(value)}>{words.use(label)}</button>}
              <Source item={item} source={source} />
            </li>
          ))} />
        </section>
      )}
    </>
  );
}

function Folded({ entries }: { readonly entries: readonly ReactNode[] }): ReactNode {
  return (
    <>
      <ul className="stack-tight">{entries.slice(0, MOST_SHOWN)}</ul>
      {entries.length > MOST_SHOWN && <details><summary>{messages.form.moreOffers(entries.length - MOST_SHOWN)}</summary><ul className="stack-tight">{entries.slice(MOST_SHOWN)}</ul></details>}
    </>
  );
}

function Source({ item, source }: { readonly item: ShownItem; readonly source: EvidenceReference | undefined }): ReactNode {
  const { showSources } = useField();
  if (source === undefined) return null;
  return <button type="button" className="origin origin-open" onClick={() => showSources(item.label, [source])}><Icon name="record" /><span>{messages.origin.recordSays}</span><span className="visually-hidden">: {source.display}</span></button>;
}
