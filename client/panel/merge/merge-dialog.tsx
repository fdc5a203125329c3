import { Button } from '@mantine/core';
import { useId, useState, type FormEvent, type ReactNode } from 'react';
import type { QuestionnaireResponseItemAnswer } from '@medplum/fhirtypes';
import type { AnswerConflict, ConflictSide, Side } from '#prior-auth/questionnaire/merge-responses.ts';
import { pickValue } from '#prior-auth/questionnaire/answer-value.ts';
import { Drawer } from '../../ui/drawer.tsx';
import { showDate } from '../../ui/fhir-date.ts';
import { messages } from '../messages.ts';
import { answerText } from '../steps/questionnaire/answer-text.ts';

interface MergeDialogProps {
  readonly differences: readonly AnswerConflict[];
  readonly onSettle: (choices: Readonly<Record<string, Side>>) => void;
  readonly onClose: () => void;
}

/** Where two people changed the same answer: each question with both answers, who and when; one choice each, the likelier one made already. */
export default function MergeDialog({ differences, onSettle, onClose }: MergeDialogProps): ReactNode {
  const words = messages.merge;
  const [choices, setChoices] = useState<Readonly<Record<string, Side>>>(() => Object.fromEntries(differences.map(({ path, taken }) => [path, taken])));
  const name = useId();
  const all = (side: Side): void => setChoices(Object.fromEntries(differences.map(({ path }) => [path, side])));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onSettle(choices);
  };
  return (
    <Drawer title={words.title} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <p>{words.intro}</p>
        {differences.length > 1 && (
          <div className="row">
            <Button size="xs" variant="default" onClick={() => all('mine')}>{words.allMine}</Button>
            <Button size="xs" variant="default" onClick={() => all('theirs')}>{words.allTheirs}</Button>
          </div>
        )}
        {differences.map(({ path, label, mine, theirs, taken }) => (
          <fieldset key={path} className="difference">
            <legend>{label}</legend>
            {([['mine', mine], ['theirs', theirs]] as const).map(([side, answer]) => (
              <label key={side} className="difference-side">
                <input type="radio" name={`${name}${path}`} value={side} checked={(choices[path] ?? taken) === side} onChange={() => setChoices((before) => ({ ...before, [path]: side }))} />
                <span className="stack-tight grow">
                  <span className="small muted">{words[side]}: {whoAndWhen(answer)}</span>
                  <AnswerLines answers={answer.answers} />
                </span>
              </label>
            ))}
          </fieldset>
        ))}
        <Button type="submit">{words.use}</Button>
      </form>
    </Drawer>
  );
}

function whoAndWhen({ author, at, answers }: ConflictSide): string {
  const name = author?.display ?? author?.reference ?? (answers.length === 0 ? messages.origin.someone : messages.merge.fromRecord);
  return messages.merge.by(name, at === undefined ? undefined : showDate(at));
}

function AnswerLines({ answers }: { readonly answers: readonly QuestionnaireResponseItemAnswer[] }): ReactNode {
  if (answers.length === 0) return <em>{messages.merge.nothing}</em>;
  return answers.flatMap((answer, index) => [
    <span key={index} className="strong wrapping">{answerText(pickValue(answer))}</span>,
    ...(answer.item ?? []).map((item) => <span key={`${index} ${item.linkId}`} className="small nested">{item.text ?? item.linkId}: <AnswerLines answers={item.answer ?? []} /></span>),
  ]);
}
