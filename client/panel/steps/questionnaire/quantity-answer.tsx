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
  const settled = quantity.value === undefined ? '' : String(quantity.value);
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
  const put = (number: number | undefined, unit: Partial<Quantity>): void => {
    setWaitingUnit(unit);
    onChange(number === undefined ? undefined : { valueQuantity: { value: number, ...unit } });
  };
  const foreignUnit = chosen < 0 ? (quantity.unit ?? quantity.code) : undefined;
  const waitingIndex = item.units.findIndex((unit) => unit.code === waitingUnit.code);
  return (
    <>
      <div className="quantity">
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
            const number = readNumber(event.target.value);
            setTyped({ text: event.target.value, of: number === undefined ? '' : String(number) });
            put(number, presentUnit());
          }}
        />
        {only !== undefined && foreignUnit === undefined && <span className="unit">{only.label}</span>}
        {(item.units.length > 1 || (only !== undefined && foreignUnit !== undefined)) && (
          <select
            className="control"
            aria-label={`${item.label}: ${words.unit}`}
            value={chosen >= 0 ? chosen : foreignUnit === undefined && waitingIndex >= 0 ? waitingIndex : ''}
            onChange={(event) => put(quantity.value, unitOf(event.target.value === '' ? -1 : Number(event.target.value)))}
          >
            <option value="">{foreignUnit === undefined ? words.choose : words.notOffered(foreignUnit)}</option>
            {item.units.map((unit, index) => <option key={`${unit.system} ${unit.code}`} value={index}>{unit.label}</option>)}
          </select>
        )}
        {item.units.length === 0 && (
          <input className="control" aria-label={`${item.label}: ${words.unit}`} placeholder={words.unit} autoComplete="off" value={quantity.unit ?? quantity.code ?? waitingUnit.unit ?? ''} onChange={(event) => put(quantity.value, event.target.value === '' ? {} : { unit: event.target.value })} />
        )}
      </div>
      {problem && <InputProblem id={problemId}>{words.notNumber}</InputProblem>}
    </>
  );
}
