import { useCallback, type ReactNode } from 'react';
import type { AnswerValue, ShownItem } from '#prior-auth/questionnaire/form.ts';
import type { Reply } from '../../../ui/call-json.ts';
import { messages } from '../../messages.ts';
import { answerText } from './answer-text.ts';
import { useField } from './field-context.tsx';
import { type Found, SearchCombobox } from './search-combobox.tsx';

interface OptionSearchProps {
  readonly item: ShownItem;
  readonly id: string;
  readonly describedBy: string;
  readonly invalid: boolean;
}

const MOST_SHOWN = 20;

/** A choice out of many: those of a value set that the server searches, or the form's own list narrowed by typing. */
export function OptionSearch({ item, id, describedBy, invalid }: OptionSearchProps): ReactNode {
  const { call, formId, edit } = useField();
  const { linkId, options, searchOptions, openOptions, path } = item;
  const search = useCallback(async (filter: string): Promise<Reply<Found<AnswerValue>>> => {
    const words = filter.trim().toLowerCase();
    const listed = options.filter((option) => option.label.toLowerCase().includes(words)).map(({ label, value }) => ({ key: `${value.valueCoding?.system} ${value.valueCoding?.code} ${label}`, label, value }));
    if (!searchOptions) return { kind: 'ok', value: { matches: listed.slice(0, MOST_SHOWN), more: listed.length > MOST_SHOWN } };
    const reply = await call('searchOptions', { formId, linkId, filter: filter.trim() });
    if (reply.kind === 'failed') return reply;
    const found = reply.value.options.map(({ system, code, display }) => ({ key: `${system} ${code}`, label: display, hint: code, value: { valueCoding: { ...(system === undefined ? {} : { system }), code, display } } }));
    return { kind: 'ok', value: { matches: [...listed, ...found].slice(0, MOST_SHOWN), more: reply.value.more || listed.length + found.length > MOST_SHOWN } };
  }, [call, formId, linkId, options, searchOptions]);

  const common = { id, describedBy, invalid, required: item.required, placeholder: item.prompt, search };
  if (!item.repeats) {
    const value = item.answers[0]?.value;
    const put = (next: AnswerValue | undefined): void => edit((form) => form.setAnswer(path, 0, next));
    return <SearchCombobox {...common} chosen={value === undefined ? '' : answerText(value)} onPick={put} onText={openOptions ? (text) => put({ valueString: text }) : undefined} />;
  }
  const words = messages.form;
  return (
    <>
      {item.answers.map((answer) => (
        <div key={answer.index} className="row-apart chosen">
          <span>{answerText(answer.value)}</span>
          <button type="button" className="link-button small" onClick={() => edit((form) => form.removeAnswer(path, answer.index))}>{words.remove}<span className="visually-hidden">: {answerText(answer.value)}</span></button>
        </div>
      ))}
      <SearchCombobox {...common} label={words.addOf(item.label)} chosen="" onPick={(value) => { if (value !== undefined) edit((form) => form.addAnswer(path, value)); }} />
    </>
  );
}
