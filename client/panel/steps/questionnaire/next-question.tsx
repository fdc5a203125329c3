import { Button } from '@mantine/core';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { PayerProblem } from '#prior-auth/panel-api.ts';
import type { ShownItem } from '#prior-auth/questionnaire/form.ts';
import type { Failure } from '../../../ui/call-json.ts';
import { FailureNotice } from '../../../ui/failure-notice.tsx';
import { Notice } from '../../../ui/tone.tsx';
import { messages } from '../../messages.ts';
import type { FormDraft } from './form-draft.ts';

interface NextQuestionProps {
  readonly draft: FormDraft;
  readonly items: readonly ShownItem[];
  /** Something is missing or wrong; the screen leads there first. */
  readonly blocked: boolean;
  readonly problems: readonly PayerProblem[];
  readonly onProblems: (problems: readonly PayerProblem[]) => void;
  readonly onJump: (path: string) => void;
  readonly onCompleted: (completed: PriorAuthCase) => void;
}

/** An adaptive form goes on: the payer looks at the answers and asks more, or says that it has enough. */
export function NextQuestion({ draft, items, blocked, problems, onProblems, onJump, onCompleted }: NextQuestionProps): ReactNode {
  const words = messages.form.adaptive;
  const [asking, setAsking] = useState(false);
  const [rounds, setRounds] = useState(0);
  const [failure, setFailure] = useState<Failure>();
  const first = useRef(false);

  const ask = async (): Promise<void> => {
    setAsking(true);
    setFailure(undefined);
    onProblems([]);
    const before = new Set(pathsOf(draft.state().shown.items));
    const outcome = await draft.next();
    setAsking(false);
    if (outcome.kind === 'completed') return onCompleted(outcome.case);
    if (outcome.kind === 'failed') return setFailure(outcome.failure);
    if (outcome.kind === 'problems') return onProblems(outcome.problems);
    if (outcome.kind === 'incomplete') {
      const path = outcome.gaps[0]?.path ?? outcome.problems[0]?.path;
      if (path) onJump(path);
      return;
    }
    if (outcome.kind !== 'asked') return;
    setRounds((count) => count + 1);
    const added = pathsOf(draft.state().shown.items).find((path) => !before.has(path));
    // The new questions are drawn first.
    if (added !== undefined && before.size > 0) setTimeout(() => onJump(added), 0);
  };

  useEffect(() => {
    if (first.current || items.length > 0) return;
    first.current = true;
    void ask();
  });

  return (
    <div className="stack-tight">
      <output className="small muted">{asking ? words.asking : rounds > 1 ? words.more(rounds) : words.intro}</output>
      {problems.length > 0 && (
        <Notice tone="warn">
          <p className="strong">{words.refused}</p>
          <ul>{problems.map(({ message }) => <li key={message}>{message}</li>)}</ul>
        </Notice>
      )}
      {failure && <FailureNotice failure={failure} onRetry={() => void ask()} />}
      {!blocked && <Button fullWidth loading={asking} onClick={() => void ask()}>{items.length === 0 ? words.start : words.next}</Button>}
    </div>
  );
}

function pathsOf(items: readonly ShownItem[]): string[] {
  return items.flatMap((item) => [...(item.type === 'group' ? [] : [item.path]), ...pathsOf(item.items), ...item.answers.flatMap((answer) => pathsOf(answer.items))]);
}
