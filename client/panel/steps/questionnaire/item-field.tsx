import { Button } from '@mantine/core';
import { memo, useState, type ReactNode } from 'react';
import type { AnswerValue, ShownAnswer, ShownItem } from '#prior-auth/questionnaire/form.ts';
import { problemWords } from '../../../messages.ts';
import { messages } from '../../messages.ts';
import { AnswerOriginLine } from './answer-origin-line.tsx';
import { answerText } from './answer-text.ts';
import { AttachmentAnswer } from './attachment-answer.tsx';
import { ChoiceList, ChoiceSelect, isChoiceList } from './choice-answer.tsx';
import { placeId, useField } from './field-context.tsx';
import { InputProblem } from './input-problem.tsx';
import { QuantityAnswer } from './quantity-answer.tsx';
import { SafeXhtml } from './safe-xhtml.tsx';
import { TypedAnswer, type AnswerInputProps } from './typed-answer.tsx';

export function ItemList({ items }: { readonly items: readonly ShownItem[] }): ReactNode {
  return items.map((item) => <Item key={item.path} item={item} />);
}

/** An item that did not change keeps its object (share-unchanged.ts), so only what an edit touched is drawn again. */
const Item = memo(function Item({ item }: { readonly item: ShownItem }): ReactNode {
  if (item.type === 'display') return <div className="display-item"><p><ItemLabel item={item} /></p><SupportLink item={item} /></div>;
  if (item.type === 'group') return <Group item={item} />;
  return <Question item={item} />;
});

function Group({ item }: { readonly item: ShownItem }): ReactNode {
  const { edit, idPrefix, readOnly } = useField();
  const words = messages.form;
  const { instance } = item;
  return (
    <fieldset className="group stack" id={placeId(idPrefix, item.path)} tabIndex={-1}>
      <legend><ItemLabel item={item} />{instance && instance.count > 1 && <span className="muted small"> {words.entry(instance.index + 1, instance.count)}</span>}</legend>
      <Help item={item} id={`${placeId(idPrefix, item.path)}-help`} />
      <ItemList items={item.items} />
      <Problems item={item} id={`${placeId(idPrefix, item.path)}-problem`} />
      {instance && !readOnly && !item.readOnly && (
        <div className="row">
          {instance.count > 1 && <Button size="xs" variant="default" onClick={() => edit((form) => form.removeGroup(item.path))}>{words.removeGroup(instance.index + 1)}</Button>}
          {instance.index === instance.count - 1 && <Button size="xs" variant="default" onClick={() => edit((form) => form.addGroup(item.path))}>{words.addGroup}</Button>}
        </div>
      )}
    </fieldset>
  );
}

function Question({ item }: { readonly item: ShownItem }): ReactNode {
  const { idPrefix, readOnly, said } = useField();
  const id = placeId(idPrefix, item.path);
  const missing = item.required && item.answers.length === 0;
  const invalid = item.problems.some((problem) => problem.blocking);
  const describedBy = [item.help === undefined ? '' : `${id}-help`, item.problems.length === 0 ? '' : `${id}-problem`, item.answers.length === 0 ? '' : `${id}-origin`].filter(Boolean).join(' ');
  const around = { id, tabIndex: -1, className: 'field question', 'data-missing': missing || undefined };
  const title = <><ItemLabel item={item} />{item.required && <span className="must"> ({messages.form.required})</span>}</>;
  const above = <><Help item={item} id={`${id}-help`} /><SupportLink item={item} /></>;
  const below = <><Problems item={item} id={`${id}-problem`} />{said?.filter(({ linkId }) => linkId === item.linkId).map(({ message }) => <InputProblem key={message}>{message}</InputProblem>)}</>;

  if (readOnly || item.readOnly) {
    return (
      <div {...around}>
        <p className="field-label">{title}</p>
        {above}
        {item.answers.length === 0 && <p className="muted">{messages.form.unanswered}</p>}
        {item.answers.map((answer) => (
          <div key={answer.index} className="stack-tight">
            <p className="unhurried">{answerText(answer.value)}</p>
            <AnswerFoot item={item} answer={answer} id={id} clearable={false} />
          </div>
        ))}
        {below}
      </div>
    );
  }
  if (isChoiceList(item)) {
    return (
      <fieldset {...around} aria-describedby={describedBy || undefined}>
        <legend>{title}</legend>
        {above}
        <ChoiceList item={item} id={`${id}-input`} describedBy={describedBy} invalid={invalid} />
        {item.answers.map((answer, position) => (position === 0 || answer.items.length > 0 ? <AnswerFoot key={answer.index} item={item} answer={answer} id={id} clearable={position === 0} /> : null))}
        {below}
      </fieldset>
    );
  }
  if (item.repeats) return <fieldset {...around}><legend>{title}</legend>{above}<Repeated item={item} id={id} describedBy={describedBy} invalid={invalid} />{below}</fieldset>;
  const answer = item.answers[0];
  return (
    <div {...around}>
      <label htmlFor={`${id}-input`}>{title}</label>
      {above}
      {item.options.length > 0
        ? <ChoiceSelect item={item} id={`${id}-input`} describedBy={describedBy} invalid={invalid} />
        : <Single item={item} id={`${id}-input`} describedBy={describedBy} invalid={invalid} />}
      {answer && <AnswerFoot item={item} answer={answer} id={id} clearable={item.type === 'attachment'} />}
      {below}
    </div>
  );
}

function Single({ item, id, describedBy, invalid }: Pick<AnswerInputProps, 'item' | 'id' | 'describedBy' | 'invalid'>): ReactNode {
  const { edit } = useField();
  return <AnswerInput item={item} value={item.answers[0]?.value} id={id} describedBy={describedBy} invalid={invalid} onChange={(value) => edit((form) => form.setAnswer(item.path, 0, value))} />;
}

/** A question with many typed answers: those given and, when asked for, one more empty input that becomes an answer as soon as something is in it. */
function Repeated({ item, id, describedBy, invalid }: Pick<AnswerInputProps, 'item' | 'id' | 'describedBy' | 'invalid'>): ReactNode {
  const { edit } = useField();
  const words = messages.form;
  const count = item.answers.length;
  const [blankAt, setBlankAt] = useState<number>();
  const rows: readonly (ShownAnswer | undefined)[] = count === 0 || blankAt === count ? [...item.answers, undefined] : item.answers;
  const change = (index: number, value: AnswerValue | undefined): void => edit((form) => {
    if (index < count) form.setAnswer(item.path, index, value);
    else if (value !== undefined) form.addAnswer(item.path, value);
  });
  return (
    <>
      {rows.map((answer, index) => (
        <div key={index} className="stack-tight repeated">
          <AnswerInput item={item} value={answer?.value} id={`${id}-input-${index}`} label={words.answerOf(item.label, index + 1)} describedBy={describedBy} invalid={invalid} onChange={(value) => change(index, value)} />
          {answer && (
            <div className="row-apart">
              <AnswerOriginLine item={item} answer={answer} id={index === 0 ? `${id}-origin` : `${id}-origin-${index}`} />
              <button type="button" className="link-button small" onClick={() => { setBlankAt(undefined); edit((form) => form.removeAnswer(item.path, index)); }}>{words.remove}<span className="visually-hidden">: {words.removeOf(item.label, index + 1)}</span></button>
            </div>
          )}
          {answer && <Nested answer={answer} />}
        </div>
      ))}
      {count > 0 && blankAt !== count && (item.constraints.maxOccurs === undefined || count < item.constraints.maxOccurs) && (
        <div><Button size="xs" variant="default" aria-label={words.addOf(item.label)} onClick={() => setBlankAt(count)}>{words.add}</Button></div>
      )}
    </>
  );
}

function AnswerInput(props: AnswerInputProps): ReactNode {
  if (props.item.type === 'quantity') return <QuantityAnswer {...props} />;
  if (props.item.type === 'attachment') return <AttachmentAnswer {...props} />;
  return <TypedAnswer {...props} />;
}

function AnswerFoot({ item, answer, id, clearable }: { readonly item: ShownItem; readonly answer: ShownAnswer; readonly id: string; readonly clearable: boolean }): ReactNode {
  const { edit } = useField();
  return (
    <>
      <div className="row-apart answer-foot">
        <AnswerOriginLine item={item} answer={answer} id={answer.index === 0 ? `${id}-origin` : `${id}-origin-${answer.index}`} />
        {clearable && <button type="button" className="link-button small" onClick={() => edit((form) => form.clear(item.path))}>{messages.form.clear}<span className="visually-hidden">: {item.label}</span></button>}
      </div>
      <Nested answer={answer} />
    </>
  );
}

function Nested({ answer }: { readonly answer: ShownAnswer }): ReactNode {
  return answer.items.length === 0 ? null : <div className="nested stack"><ItemList items={answer.items} /></div>;
}

function ItemLabel({ item }: { readonly item: ShownItem }): ReactNode {
  return <>{item.prefix !== undefined && <span className="muted">{item.prefix} </span>}{item.labelXhtml === undefined ? item.label : <SafeXhtml xhtml={item.labelXhtml} plain={item.label} />}</>;
}

function Help({ item, id }: { readonly item: ShownItem; readonly id: string }): ReactNode {
  return item.help === undefined ? null : <p className="small muted" id={id}>{item.help}</p>;
}

function SupportLink({ item }: { readonly item: ShownItem }): ReactNode {
  if (item.supportLink === undefined || !/^https?:\/\//i.test(item.supportLink)) return null;
  return <a className="small" href={item.supportLink} target="_blank" rel="noopener noreferrer">{messages.form.supportLink}</a>;
}

function Problems({ item, id }: { readonly item: ShownItem; readonly id: string }): ReactNode {
  if (item.problems.length === 0) return null;
  return <div id={id} className="stack-tight">{item.problems.map((problem) => <InputProblem key={`${problem.code} ${problem.index}`}>{problemWords(problem, item.constraints)}</InputProblem>)}</div>;
}
