import { useCallback, useState, type ReactNode } from 'react';
import type { AnswerValue } from '#prior-auth/questionnaire/form.ts';
import type { Reply } from '../../../ui/call-json.ts';
import { showDate } from '../../../ui/fhir-date.ts';
import { messages } from '../../messages.ts';
import { answerText } from './answer-text.ts';
import { useField } from './field-context.tsx';
import { type Found, SearchCombobox } from './search-combobox.tsx';
import { TypedAnswer, type AnswerInputProps } from './typed-answer.tsx';

/** What is searched when the payer names no types. */
const USUAL_TYPES = ['Condition', 'Observation', 'Procedure', 'DiagnosticReport', 'DocumentReference', 'MedicationRequest', 'Encounter', 'Device', 'Practitioner', 'Organization'];

/** An entry of the record, searched by words; or a reference typed by hand, for what the search does not reach. */
export function ReferenceAnswer(props: AnswerInputProps): ReactNode {
  const { item, value, onChange, id, label, describedBy, invalid } = props;
  const { call } = useField();
  const [byHand, setByHand] = useState(false);
  const words = messages.form.references;
  const types = (item.referenceTypes.length > 0 ? item.referenceTypes : USUAL_TYPES).join(',');
  const search = useCallback(async (filter: string): Promise<Reply<Found<AnswerValue>>> => {
    const reply = await call('searchReferences', { types, filter });
    if (reply.kind === 'failed') return reply;
    return {
      kind: 'ok',
      value: {
        matches: reply.value.references.map(({ reference, display, date }) => ({
          key: reference, label: display, hint: [reference.split('/')[0], date === undefined ? '' : showDate(date)].filter(Boolean).join(', '), value: { valueReference: { reference, display } },
        })),
        more: reply.value.more,
      },
    };
  }, [call, types]);
  return (
    <>
      {byHand
        ? <TypedAnswer {...props} />
        : <SearchCombobox id={id} label={label} describedBy={describedBy} invalid={invalid} required={item.required} placeholder={item.prompt ?? words.search} chosen={value === undefined ? '' : answerText(value)} search={search} onPick={onChange} />}
      <div><button type="button" className="link-button small" onClick={() => setByHand(!byHand)}>{byHand ? words.fromRecord : words.byHand}<span className="visually-hidden">: {item.label}</span></button></div>
    </>
  );
}
