import { useId, useState, type ReactNode } from 'react';
import type { AnswerValue, ItemType, ShownItem } from '#prior-auth/questionnaire/form.ts';
import { messages } from '../../messages.ts';
import { editText, isWholeDate, keptAnswer, readAnswer } from './answer-text.ts';
import { InputProblem } from './input-problem.tsx';

export interface AnswerInputProps {
  readonly item: ShownItem;
  readonly value: AnswerValue | undefined;
  readonly onChange: (value: AnswerValue | undefined) => void;
  readonly id: string;
  /** Set when no visible label points at `id`. */
  readonly label?: string;
  readonly describedBy: string;
  readonly invalid: boolean;
}

/** Every answer that is typed: numbers, texts, dates, times, addresses, references. What cannot be read is said. */
export function TypedAnswer({ item, value, onChange, id, label, describedBy, invalid }: AnswerInputProps): ReactNode {
  const settled = editText(value);
  const [typed, setTyped] = useState({ text: settled, of: settled });
  const problemId = useId();
  const text = typed.of === settled ? typed.text : settled;
  const read = readAnswer(item.type, text);
  const problem = read.kind === 'problem' ? read.message : undefined;

  const type_ = (next: string): void => {
    const nextValue = keptAnswer(readAnswer(item.type, next), next);
    setTyped({ text: next, of: editText(nextValue) });
    onChange(nextValue);
  };
  const partial = (item.type === 'date' || item.type === 'dateTime') && !isWholeDate(item.type, settled);
  const common = {
    id,
    className: 'control',
    value: text,
    'aria-label': label,
    'aria-describedby': `${problem === undefined ? '' : `${problemId} `}${describedBy}`.trim() || undefined,
    'aria-invalid': invalid || problem !== undefined || undefined,
    'aria-required': item.required || undefined,
  };
  const { maxLength } = item.constraints;
  const { min, max, sliderStep } = item.constraints;
  const placeholder = item.prompt ?? item.entryFormat;
  return (
    <>
      {item.type === 'text' || item.control === 'text-area'
        ? <textarea {...common} placeholder={placeholder} {...(maxLength === undefined ? {} : { maxLength })} onChange={(event) => type_(event.target.value)} />
        : (
          <input
            {...common}
            placeholder={placeholder}
            {...inputKind(item.type, partial)}
            {...(maxLength === undefined ? {} : { maxLength })}
            {...(item.type === 'date' && !partial ? { min: item.constraints.min, max: item.constraints.max } : {})}
            onChange={(event) => {
              if (event.target.value === '' && event.target.validity.badInput) return;
              type_(event.target.value);
            }}
          />
        )}
      {item.unitText !== undefined && <span className="small muted">{item.unitText}</span>}
      {item.control === 'slider' && typeof min === 'number' && typeof max === 'number' && (
        <div className="slider">
          <span className="small muted">{item.lowerLabel ?? min}</span>
          <input type="range" aria-label={label ?? item.label} min={min} max={max} step={sliderStep ?? (item.type === 'integer' ? 1 : 'any')} value={read.kind === 'answer' ? text : min} onChange={(event) => type_(event.target.value)} />
          <span className="small muted">{item.upperLabel ?? max}</span>
        </div>
      )}
      {partial && <span className="small muted">{messages.form.partialDate}</span>}
      {item.type === 'reference' && <span className="small muted">{messages.form.referenceHint}</span>}
      {problem !== undefined && <InputProblem id={problemId}>{problem}</InputProblem>}
    </>
  );
}

function inputKind(type: ItemType, partial: boolean): { readonly type: string; readonly inputMode?: 'decimal' | 'numeric' | 'url'; readonly step?: number; readonly autoComplete?: string } {
  if (type === 'integer') return { type: 'text', inputMode: 'numeric', autoComplete: 'off' };
  if (type === 'decimal') return { type: 'text', inputMode: 'decimal', autoComplete: 'off' };
  if (type === 'date' && !partial) return { type: 'date' };
  if (type === 'dateTime' && !partial) return { type: 'datetime-local' };
  if (type === 'time') return { type: 'time', step: 1 };
  if (type === 'url') return { type: 'url', inputMode: 'url', autoComplete: 'off' };
  return { type: 'text', autoComplete: 'off' };
}
