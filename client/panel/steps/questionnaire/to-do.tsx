import type { ReactNode } from 'react';
import type { AnswerProblem, Gap } from '#prior-auth/questionnaire/form.ts';
import { Icon } from '../../../ui/icon.tsx';
import { messages } from '../../messages.ts';

interface ToDoProps {
  readonly gaps: readonly Gap[];
  readonly corrections: readonly AnswerProblem[];
  readonly labelOf: (path: string) => string;
  readonly onJump: (path: string) => void;
}

/** What still stands between this form and its completion, each with a jump. */
export function ToDo({ gaps, corrections, labelOf, onJump }: ToDoProps): ReactNode {
  const words = messages.form;
  const done = gaps.length === 0 && corrections.length === 0;
  return (
    <section className="to-do stack-tight" data-tone={done ? 'info' : 'warn'} aria-label={words.toDo}>
      <p className="strong row"><Icon name={done ? 'check' : 'pencil'} /><output>{words.gaps(gaps.length)}{corrections.length > 0 && `; ${words.problems(corrections.length)}`}</output></p>
      {done && <p className="small">{words.noGaps}</p>}
      <ul className="stack-tight small">
        {gaps.map((gap) => <li key={gap.path}><button type="button" className="link-button" onClick={() => onJump(gap.path)}>{gap.label}</button></li>)}
        {corrections.map((problem) => (
          <li key={`${problem.path} ${problem.code} ${problem.index}`}>
            {problem.path === '' ? problem.message : <button type="button" className="link-button" onClick={() => onJump(problem.path)}>{labelOf(problem.path)}: {problem.message}</button>}
          </li>
        ))}
      </ul>
    </section>
  );
}
