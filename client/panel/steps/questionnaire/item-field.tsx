import { Button } from '@mantine/core';
import { memo, useState, type ReactNode } from 'react';
import type { AnswerValue, ShownAnswer, ShownItem } from '#prior-auth/questionnaire/form.ts';
import { messages } from '../../messages.ts';
import { AnswerOriginLine } from './answer-origin-line.tsx';
import { answerText } from './answer-text.ts';
import { AttachmentAnswer } from './attachment-answer.tsx';
import { ChoiceList, ChoiceSelect, isChoiceList } from './choice-answer.tsx';
import { placeId, useField } from './field-context.tsx';
import { InputProblem } from './input-problem.tsx';
import { Help, helpLines, ItemLabel, Media, Problems, SupportLinks } from './item-words.tsx';
import { Offers } from './offers.tsx';
import { OptionSearch } from './option-search.tsx';
import { QuantityAnswer } from './quantity-answer.tsx';
import { ReferenceAnswer } from './reference-answer.tsx';
import { SignatureField } from './signature-field.tsx';
import { TypedAnswer, type AnswerInputProps } from './typed-answer.tsx';

export function ItemList({ items }: { readonly items: readonly ShownItem[] }): ReactNode {
  return items.map((item) => <Item key={item.path} item={item} />);
}

/** An item that did not change keeps its object (share-unchanged.ts), so only what an edit touched is drawn again. */
const Item = memo(function Item({ item }: { readonly item: ShownItem }): ReactNode {
  if (item.type === 'display') return <Display item={item} />;
  if (item.type === 'group') return <Group item={item} />;
  return <Question item={item} />;
});

function Display({ item }: { readonly item: ShownItem }): ReactNode {
  const { idPrefix } = useField();
  return (
    <div className="display-item stack-tight" data-category={item.displayCategory}>
      <div><ItemLabel item={item} /></div>
      <Media media={item.media} label={item.label} />
      <Help item={item} id={`${placeId(idPrefix, item.path)}-help`} />
      <SupportLinks item={item} />
    </div>
  );
}

/** A group that the form lets fold is a fold; it begins open when something in it is still asked for. */
function Group({ item }: { readonly item: ShownItem }): ReactNode {
  const { idPrefix } = useField();
  const place = { id: placeId(idPrefix, item.path), tabIndex: -1 };
  const heading = <GroupHeading item={item} />;
  if (item.collapsible === undefined) return <fieldset {...place} className="group stack"><legend>{heading}</legend><GroupBody item={item} /></fieldset>;
  return (
    <details {...place} className="group" open={item.collapsible === 'default-open' || hasOpenQuestion(item.items)}>
      <summary>{heading}</summary>
      <fieldset className="group stack" aria-label={item.label}><GroupBody item={item} /></fieldset>
    </details>
  );
}

function hasOpenQuestion(items: readonly ShownItem[]): boolean {
  return items.some((item) => (item.required && !item.readOnly && item.type !== 'group' && item.answers.length === 0) || item.problems.length > 0 || hasOpenQuestion(item.items));
}

function GroupHeading({ item }: { readonly item: ShownItem }): ReactNode {
  const { instance } = item;
  return <><ItemLabel item={item} />{instance && instance.count > 1 && <span className="muted small"> {messages.form.entry(instance.index + 1, instance.count)}</span>}</>;
}

function GroupBody({ item }: { readonly item: ShownItem }): ReactNode {
  const { edit, idPrefix, readOnly } = useField();
  const words = messages.form;
  const { instance, constraints: { maxOccurs } } = item;
  const id = placeId(idPrefix, item.path);
  return (
    <>
      <Help item={item} id={`${id}-help`} />
      <SupportLinks item={item} />
      <Media media={item.media} label={item.label} />
      <ItemList items={item.items} />
      <Problems item={item} id={`${id}-problem`} />
      {instance && !readOnly && !item.readOnly && (
        <div className="row">
          {instance.count > 1 && <Button size="xs" variant="default" onClick={() => edit((form) => form.removeGroup(item.path))}>{words.removeGroup(instance.index + 1)}</Button>}
          {instance.index === instance.count - 1 && (maxOccurs === undefined || instance.count < maxOccurs) && <Button size="xs" variant="default" onClick={() => edit((form) => form.addGroup(item.path))}>{words.addGroup}</Button>}
        </div>
      )}
    </>
  );
}

function Question({ item }: { readonly item: ShownItem }): ReactNode {
  const { edit, idPrefix, readOnly, said } = useField();
  const id = placeId(idPrefix, item.path);
  const missing = item.required && item.answers.length === 0;
  const invalid = item.problems.some((problem) => problem.blocking);
  const isSaid = said?.some(({ linkId }) => linkId === item.linkId);
  const describedBy = [helpLines(item).length === 0 ? '' : `${id}-help`, item.problems.length === 0 ? '' : `${id}-problem`, isSaid ? `${id}-said` : '', item.answers.length === 0 ? '' : `${id}-origin`].filter(Boolean).join(' ');
  const around = { id, tabIndex: -1, className: 'field question', 'data-missing': missing || undefined };
  const title = <><ItemLabel item={item} />{item.required && <span className="must"> ({messages.form.required})</span>}</>;
  const above = <><Help item={item} id={`${id}-help`} /><SupportLinks item={item} /><Media media={item.media} label={item.label} /></>;
  const below = (
    <>
      <Problems item={item} id={`${id}-problem`} />
      {isSaid && <div id={`${id}-said`} role="alert">{said?.filter(({ linkId }) => linkId === item.linkId).map(({ message }) => <InputProblem key={message}>{message}</InputProblem>)}</div>}
      {item.restorable && !readOnly && <div><button type="button" className="link-button small" onClick={() => edit((form) => form.restore(item.path))}>{messages.form.clearMine}<span className="visually-hidden">: {item.label}</span></button></div>}
      <Offers item={item} />
      {item.signature && (item.answers.length > 0 || item.signature.signed) && <SignatureField signature={item.signature} path={item.path} id={`${id}-signature`} of={item.label} />}
    </>
  );

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
  const searched = (item.searchOptions || (item.control === 'autocomplete' && item.options.length > 0)) && (item.type === 'choice' || item.type === 'open-choice' || item.type === 'question');
  if (searched && item.repeats) {
    return (
      <fieldset {...around}>
        <legend>{title}</legend>
        {above}
        <OptionSearch item={item} id={`${id}-input`} describedBy={describedBy} invalid={invalid} />
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
      {searched ? <OptionSearch item={item} id={`${id}-input`} describedBy={describedBy} invalid={invalid} /> : item.options.length > 0
        ? <ChoiceSelect item={item} id={`${id}-input`} describedBy={describedBy} invalid={invalid} />
        : <Single item={item} id={`${id}-input`} describedBy={describedBy} invalid={invalid} />}
      {answer && <AnswerFoot item={item} answer={answer} id={id} clearable={item.type === 'attachment' || item.control === 'slider'} />}
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
  if (props.item.type === 'reference') return <ReferenceAnswer {...props} />;
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
