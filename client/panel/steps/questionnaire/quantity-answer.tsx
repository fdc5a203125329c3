import type { Quantity } from '@medplum/fhirtypes';
import { useId, useState, type ReactNode } from 'react';
import { messages } from '../../messages.ts';
import { readNumber } from './answer-text.ts';
import { InputProblem } from './input-problem.tsx';
import type { AnswerInputProps } from './typed-answer.tsx';

/** A number and its unit. With one unit offered it is fixed, with several it is chosen, with none it is typed. */
export function QuantityAnswer({ item, value, onChange, id, label, describedBy, invalid }: AnswerInputProps): ReactNode {
  const words = messages.form;
  const quantity = value?.valueQuantity ?? {};
  const settled = quantity.value === undefined ? (value?.valueString ?? '') : String(quantity.value);
  const [typed, setTyped] = useState({ text: settled, of: settled });
  const problemId = useId();
  const text = typed.of === settled ? typed.text : settled;
  const problem = text.trim() !== '' && readNumber(text) === undefined;
  const only = item.units.length === 1 ? item.units[0] : undefined;
  const chosen = item.units.findIndex((unit) => unit.code === quantity.code && (unit.system ?? '') === (quantity.system ?? ''));
  const [waitingUnit, setWaitingUnit] = useState<Partial<Quantity>>({});

  const unitOf = (index: number): Partial<Quantity> => {
    const unit = item.units[index];
    return unit === undefined ? {} : { unit: unit.label, code: unit.code, ...(unit.system === undefined ? {} : { system: unit.system }) };
  };
  const presentUnit = (): Partial<Quantity> => {
    const { unit, code, system } = quantity;
    if (unit === undefined && code === undefined) return only === undefined ? waitingUnit : unitOf(0);
    return { ...(unit === undefined ? {} : { unit }), ...(code === undefined ? {} : { code }), ...(system === undefined ? {} : { system }) };
  };
  /** A number that cannot be read is kept as words: nothing stands on the screen that is not saved. */
  const put = (typedNumber: string, unit: Partial<Quantity>): void => {
    setWaitingUnit(unit);
    const number = readNumber(typedNumber);
    onChange(typedNumber.trim() === '' ? undefined : number === undefined ? { valueString: typedNumber } : { valueQuantity: { value: number, ...unit } });
  };
  const foreignUnit = chosen < 0 ? (quantity.unit ?? quantity.code) : undefined;
  const waitingIndex = item.units.findIndex((unit) => unit.code === waitingUnit.code);
  return (
    <>
      <div className="quantity">
        {quantity.comparator !== undefined && <span className="unit">{quantity.comparator}</span>}
        <input
          id={id}
          className="control"
          type="text"
          inputMode="decimal"
          autoComplete="off"
          value={text}
          placeholder={item.prompt ?? item.entryFormat}
          aria-label={label}
          aria-describedby={`${problem ? `${problemId} ` : ''}${describedBy}`.trim() || undefined}
          aria-invalid={invalid || problem || undefined}
          aria-required={item.required || undefined}
          onChange={(event) => {
            const next = event.target.value;
            const number = readNumber(next);
            setTyped({ text: next, of: number === undefined ? next : String(number) });
            put(next, presentUnit());
          }}
        />
        {only !== undefined && foreignUnit === undefined && <span className="unit">{only.label}</span>}
        {(item.units.length > 1 || (only !== undefined && foreignUnit !== undefined)) && (
          <select
            className="control"
            aria-label={`${item.label}: ${words.unit}`}
            value={chosen >= 0 ? chosen : foreignUnit === undefined && waitingIndex >= 0 ? waitingIndex : ''}
            onChange={(event) => put(text, unitOf(event.target.value === '' ? -1 : Number(event.target.value)))}
          >
            <option value="">{foreignUnit === undefined ? words.choose : words.notOffered(foreignUnit)}</option>
            {item.units.map((unit, index) => <option key={`${unit.system} ${unit.code}`} value={index}>{unit.label}</option>)}
          </select>
        )}
        {item.units.length === 0 && (
          <input className="control" aria-label={`${item.label}: ${words.unit}`} placeholder={words.unit} autoComplete="off" value={quantity.unit ?? quantity.code ?? waitingUnit.unit ?? ''} onChange={(event) => put(text, event.target.value === '' ? {} : { unit: event.target.value })} />
        )}
      </div>
      {problem && <InputProblem id={problemId}>{words.notNumber}</InputProblem>}
    </>
  );
}
