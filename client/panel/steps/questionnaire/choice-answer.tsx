import { useState, type ReactNode } from 'react';
import type { AnswerOption, AnswerValue, ShownItem } from '#prior-auth/questionnaire/form.ts';
import { messages } from '../../messages.ts';
import { answerText, isSameAnswer, optionOf } from './answer-text.ts';
import { useField } from './field-context.tsx';
import { Media } from './item-words.tsx';
import { SafeXhtml } from './safe-xhtml.tsx';

interface ChoiceProps {
  readonly item: ShownItem;
  readonly id: string;
  readonly describedBy: string;
  readonly invalid: boolean;
}

const MOST_RADIOS = 7;

const YES_NO: readonly AnswerOption[] = [
  { value: { valueBoolean: true }, label: messages.form.yes, exclusive: false, initial: false },
  { value: { valueBoolean: false }, label: messages.form.no, exclusive: false, initial: false },
];

/** True when the item is drawn as a list of radio buttons or checkboxes (a fieldset), not as one input with a label. */
export function isChoiceList(item: ShownItem): boolean {
  if (item.type === 'boolean') return true;
  if (item.options.length === 0) return false;
  if (item.control === 'autocomplete' || item.searchOptions) return false;
  if (item.repeats) return true;
  if (item.control === 'drop-down') return false;
  return item.control === 'radio-button' || item.control === 'check-box' || item.options.length <= MOST_RADIOS;
}

export function ChoiceList({ item, id, describedBy, invalid }: ChoiceProps): ReactNode {
  return item.repeats && item.type !== 'boolean'
    ? <Checkboxes item={item} id={id} describedBy={describedBy} invalid={invalid} />
    : <Radios item={item} id={id} describedBy={describedBy} />;
}

function Radios({ item, id, describedBy }: Omit<ChoiceProps, 'invalid'>): ReactNode {
  const { edit } = useField();
  const value = item.answers[0]?.value;
  const options = withForeign(item, item.type === 'boolean' ? YES_NO : item.options);
  const own = item.openOptions && value?.valueString !== undefined && optionOf(item.options, value) === undefined;
  const [otherOpen, setOtherOpen] = useState(own);
  const put = (next: AnswerValue | undefined): void => edit((form) => form.setAnswer(item.path, 0, next));
  return (
    <div className={item.type === 'boolean' ? 'choices-in-line' : item.horizontal ? 'choices-in-line choices-across' : 'choices'}>
      {options.map((option, index) => (
        <label className="choice" key={option.label + String(index)}>
          <input type="radio" name={id} checked={!otherOpen && value !== undefined && isSameAnswer(value, option.value)} aria-describedby={describedBy || undefined} onChange={() => { setOtherOpen(false); put(option.value); }} />
          <OptionLabel option={option} />
        </label>
      ))}
      {item.openOptions && (
        <>
          <label className="choice">
            <input type="radio" name={id} checked={otherOpen} aria-describedby={describedBy || undefined} onChange={() => { setOtherOpen(true); put(undefined); }} />
            <span>{item.openLabel ?? messages.form.other}</span>
          </label>
          {otherOpen && <OtherWords item={item} value={own ? (value?.valueString ?? '') : ''} onChange={(text) => put(text === '' ? undefined : { valueString: text })} />}
        </>
      )}
    </div>
  );
}

function Checkboxes({ item, id, describedBy, invalid }: ChoiceProps): ReactNode {
  const { edit } = useField();
  const own = item.openOptions ? item.answers.find((answer) => answer.value.valueString !== undefined && optionOf(item.options, answer.value) === undefined) : undefined;
  const options = withForeign(item);
  const toggle = (option: AnswerOption, on: boolean): void => edit((form) => {
    if (!on) {
      const at = item.answers.findIndex((answer) => isSameAnswer(answer.value, option.value));
      return at < 0 ? undefined : form.removeAnswer(item.path, at);
    }
    form.addAnswer(item.path, option.value);
  });
  const putOwn = (text: string): void => edit((form) => {
    if (own === undefined) return text === '' ? undefined : form.addAnswer(item.path, { valueString: text });
    return text === '' ? form.removeAnswer(item.path, own.index) : form.setAnswer(item.path, own.index, { valueString: text });
  });
  return (
    <div className={item.horizontal ? 'choices-in-line choices-across' : 'choices'}>
      {options.map((option, index) => (
        <label className="choice" key={option.label + String(index)}>
          <input type="checkbox" name={id} checked={item.answers.some((answer) => isSameAnswer(answer.value, option.value))} aria-describedby={describedBy || undefined} aria-invalid={invalid || undefined} onChange={(event) => toggle(option, event.target.checked)} />
          <OptionLabel option={option} />
        </label>
      ))}
      {item.openOptions && <OtherWords item={item} value={own?.value.valueString ?? ''} onChange={putOwn} />}
    </div>
  );
}

/** One of many choices, in a list of the browser. */
export function ChoiceSelect({ item, id, describedBy, invalid }: ChoiceProps): ReactNode {
  const { edit } = useField();
  const words = messages.form;
  const value = item.answers[0]?.value;
  const options = withForeign(item);
  const own = item.openOptions && value?.valueString !== undefined && optionOf(item.options, value) === undefined;
  const [otherOpen, setOtherOpen] = useState(own);
  const chosen = value === undefined ? -1 : options.findIndex((option) => isSameAnswer(option.value, value));
  const put = (next: AnswerValue | undefined): void => edit((form) => form.setAnswer(item.path, 0, next));
  return (
    <>
      <select
        id={id}
        className="control"
        value={otherOpen ? 'other' : chosen < 0 ? '' : String(chosen)}
        aria-describedby={describedBy || undefined}
        aria-invalid={invalid || undefined}
        aria-required={item.required || undefined}
        onChange={({ target }) => {
          setOtherOpen(target.value === 'other');
          put(target.value === 'other' || target.value === '' ? undefined : options[Number(target.value)]?.value);
        }}
      >
        <option value="">{words.choose}</option>
        {options.map((option, index) => <option key={option.label + String(index)} value={String(index)}>{option.label}</option>)}
        {item.openOptions && <option value="other">{item.openLabel ?? words.other}</option>}
      </select>
      {otherOpen && <OtherWords item={item} value={own ? (value?.valueString ?? '') : ''} onChange={(text) => put(text === '' ? undefined : { valueString: text })} />}
    </>
  );
}

function OptionLabel({ option }: { readonly option: AnswerOption }): ReactNode {
  return <span className="stack-tight"><span>{option.labelXhtml === undefined ? option.label : <SafeXhtml xhtml={option.labelXhtml} plain={option.label} />}</span><Media media={option.media} label={option.label} /></span>;
}

function OtherWords({ item, value, onChange }: { readonly item: ShownItem; readonly value: string; readonly onChange: (text: string) => void }): ReactNode {
  const words = messages.form;
  return (
    <label className="stack-tight small">
      <span>{item.openLabel ?? words.otherWords}<span className="visually-hidden">: {item.label}</span></span>
      <input className="control" type="text" autoComplete="off" value={value} onChange={(event) => onChange(event.target.value)} />
    </label>
  );
}

/** The options, and whatever the response holds that is none of them: never hidden, and said to be foreign. */
function withForeign(item: ShownItem, options: readonly AnswerOption[] = item.options): readonly AnswerOption[] {
  const foreign = item.answers.filter((answer) => optionOf(options, answer.value) === undefined && !(item.openOptions && answer.value.valueString !== undefined));
  return [...options, ...foreign.map((answer) => ({ value: answer.value, label: messages.form.notOffered(answerText(answer.value)), exclusive: false, initial: false }))];
}
