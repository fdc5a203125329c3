import { memo, type ReactNode } from 'react';
import type { AnswerProblem, Gap, ShownItem } from '#prior-auth/questionnaire/form.ts';
import { problemWords } from '../../../messages.ts';
import { Icon } from '../../../ui/icon.tsx';
import { messages } from '../../messages.ts';

interface ToDoProps {
  readonly gaps: readonly Gap[];
  readonly corrections: readonly AnswerProblem[];
  readonly itemAt: (path: string) => ShownItem | undefined;
  readonly onJump: (path: string) => void;
}

/** A long list hides the form it belongs to. */
const MOST_SHOWN = 6;

/** What still stands between this form and its completion, each with a jump. */
export const ToDo = memo(function ToDo({ gaps, corrections, itemAt, onJump }: ToDoProps): ReactNode {
  const words = messages.form;
  const done = gaps.length === 0 && corrections.length === 0;
  const lines = [
    ...corrections.map((problem) => {
      const item = itemAt(problem.path);
      const said = problemWords(problem, item?.constraints ?? {});
      return { key: `${problem.path} ${problem.code} ${problem.index}`, path: problem.path === '' ? undefined : problem.path, text: item === undefined ? said : `${item.shortText ?? item.label}: ${said}` };
    }),
    ...gaps.map(({ path, label, signature }) => ({ key: signature ? `${path} signature` : path, path, text: signature ? words.signature.missing(label) : label })),
  ];
  return (
    <section className="to-do stack-tight" data-tone={done ? 'info' : 'warn'} aria-label={words.toDo}>
      <p className="strong row"><Icon name={done ? 'check' : 'pencil'} /><output>{words.gaps(gaps.length)}{corrections.length > 0 && `; ${words.problems(corrections.length)}`}</output></p>
      {done && <p className="small">{words.noGaps}</p>}
      {lines.length > 0 && (
        <ul className="stack-tight small">
          {lines.slice(0, MOST_SHOWN).map(({ key, path, text }) => <li key={key}>{path === undefined ? text : <button type="button" className="link-button" onClick={() => onJump(path)}>{text}</button>}</li>)}
          {lines.length > MOST_SHOWN && <li className="muted">{words.andMore(lines.length - MOST_SHOWN)}</li>}
        </ul>
      )}
    </section>
  );
});
