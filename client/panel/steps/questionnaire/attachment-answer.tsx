import { useState, type ReactNode } from 'react';
import { base64Of } from '../../../ui/base64-of.ts';
import { messages } from '../../messages.ts';
import { answerText } from './answer-text.ts';
import { InputProblem } from './input-problem.tsx';
import type { AnswerInputProps } from './typed-answer.tsx';

/** Saved inside the response, whose whole body the server limits to 2 MB; base64 adds a third. */
const MAX_FILE_KB = 1000;

export function AttachmentAnswer({ item, value, onChange, id, label, describedBy, invalid }: AnswerInputProps): ReactNode {
  const words = messages.form;
  const [problem, setProblem] = useState<string>();
  const { mimeTypes, maxSizeMb } = item.constraints;
  const mostKb = Math.min(MAX_FILE_KB, Math.floor((maxSizeMb ?? Infinity) * 1024));
  const take = async (file: File | undefined): Promise<void> => {
    setProblem(undefined);
    if (file === undefined) return;
    if (file.size > mostKb * 1024) return setProblem(words.fileTooLarge(mostKb));
    try {
      const data = await base64Of(file);
      onChange({ valueAttachment: { title: file.name, size: file.size, data, ...(file.type === '' ? {} : { contentType: file.type }) } });
    } catch {
      setProblem(words.fileUnreadable);
    }
  };
  return (
    <>
      {value && <p>{words.fileKept(answerText(value))}</p>}
      <input id={id} type="file" accept={mimeTypes?.join(',')} className="control" aria-label={label} aria-describedby={describedBy || undefined} aria-invalid={invalid || problem !== undefined || undefined} onChange={(event) => void take(event.target.files?.[0])} />
      <span className="small muted">{words.fileHint(mostKb)}</span>
      {problem !== undefined && <InputProblem>{problem}</InputProblem>}
    </>
  );
}
