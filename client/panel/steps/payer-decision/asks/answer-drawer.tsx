import { Button } from '@mantine/core';
import { useId, useState, type FormEvent, type ReactNode } from 'react';
import { ANSWER_FILE_TYPES, type AnswerFile, type CaseView, MOST_ANSWER_BYTES, MOST_ANSWER_FILES } from '#prior-auth/panel-api.ts';
import type { InformationRequest } from '#prior-auth/payer-decision/information-request.ts';
import { base64Of } from '../../../../ui/base64-of.ts';
import type { Failure } from '../../../../ui/call-json.ts';
import { Drawer } from '../../../../ui/drawer.tsx';
import { FailureNotice } from '../../../../ui/failure-notice.tsx';
import { messages } from '../../../messages.ts';
import type { PanelCall } from '../../../panel-call.ts';
import { EntrySearch } from '../../pas-bundle/add-entries-drawer.tsx';

interface AnswerDrawerProps {
  readonly call: PanelCall;
  readonly view: CaseView;
  readonly ask: InformationRequest;
  readonly onAnswered: (view: CaseView) => void;
  readonly onClose: () => void;
}

interface ChosenFile extends AnswerFile {
  readonly size: number;
}

const MEGABYTES = MOST_ANSWER_BYTES / 1_000_000;

/** Answers one ask: entries of the record, files of this computer, a note; whatever there is of them goes together. */
export function AnswerDrawer({ call, view, ask, onAnswered, onClose }: AnswerDrawerProps): ReactNode {
  const words = messages.asks.dialog;
  const id = useId();
  const [entries, setEntries] = useState<readonly { readonly reference: string; readonly display: string }[]>([]);
  const [files, setFiles] = useState<readonly ChosenFile[]>([]);
  const [note, setNote] = useState('');
  const [code, setCode] = useState('');
  const kinds = ask.wants.kind === 'attachment' ? ask.wants.codes : [];
  const [problem, setProblem] = useState<string>();
  const [failure, setFailure] = useState<Failure>();
  const [sending, setSending] = useState(false);

  const take = async (picked: FileList | null): Promise<void> => {
    setProblem(undefined);
    const read = await readFiles([...(picked ?? [])], files);
    if (typeof read === 'string') return setProblem(read);
    setFiles(read);
  };
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (entries.length + files.length === 0 && note.trim() === '') return setProblem(words.nothing);
    setProblem(undefined);
    setSending(true);
    setFailure(undefined);
    const reply = await call('answerAsk', {
      caseVersion: view.case.version,
      askId: ask.id,
      references: entries.map(({ reference }) => reference),
      files: files.map(({ title, contentType, data }) => ({ title, contentType, data })),
      ...(note.trim() === '' ? {} : { note: note.trim() }),
      ...(code === '' ? {} : { code }),
    });
    setSending(false);
    if (reply.kind === 'ok') onAnswered(reply.value);
    else setFailure(reply.failure);
  };
  return (
    <Drawer title={words.title} onClose={onClose}>
      {ask.text !== undefined && <blockquote className="unhurried">{ask.text}</blockquote>}
      <section className="stack" aria-label={words.record}>
        <h3>{words.record}</h3>
        <EntrySearch call={call} sent={entries.map(({ reference }) => reference)} onAdd={(reference, display) => setEntries((before) => [...before, { reference, display }])} />
      </section>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <div className="field">
          <label htmlFor={`${id}-files`}>{words.files}</label>
          <input id={`${id}-files`} type="file" multiple accept={ANSWER_FILE_TYPES.join(',')} className="control" aria-describedby={`${id}-hint`} onChange={(event) => { void take(event.target.files); event.target.value = ''; }} />
          <span className="small muted" id={`${id}-hint`}>{words.fileHint(MEGABYTES, MOST_ANSWER_FILES)}</span>
        </div>
        <div className="field">
          <label htmlFor={`${id}-note`}>{words.note}</label>
          <textarea id={`${id}-note`} className="control" maxLength={2000} value={note} aria-describedby={`${id}-note-hint`} onChange={(event) => setNote(event.target.value)} />
          <span className="small muted" id={`${id}-note-hint`}>{words.noteHint}</span>
        </div>
        {kinds.length > 1 && (
          <div className="field">
            <label htmlFor={`${id}-kind`}>{words.kind}</label>
            <select id={`${id}-kind`} className="control" value={code} onChange={(event) => setCode(event.target.value)}>
              <option value="">{words.noKind}</option>
              {kinds.map((kind) => <option key={kind.code} value={kind.code}>{kind.code}</option>)}
            </select>
          </div>
        )}
        {entries.length + files.length > 0 && (
          <section className="stack-tight" aria-labelledby={`${id}-chosen`}>
            <h3 id={`${id}-chosen`}>{words.chosen}</h3>
            <ul className="sent-resources">
              {entries.map(({ reference, display }) => <ChosenLine key={reference} name={display} onRemove={() => setEntries((before) => before.filter((each) => each.reference !== reference))} />)}
              {files.map((file, index) => <ChosenLine key={`${index} ${file.title}`} name={file.title} onRemove={() => setFiles((before) => before.filter((each) => each !== file))} />)}
            </ul>
          </section>
        )}
        {problem !== undefined && <p className="field-problem" role="alert">{problem}</p>}
        {failure && <FailureNotice failure={failure} />}
        <Button type="submit" loading={sending} className="wrapping-button">{words.send}</Button>
      </form>
    </Drawer>
  );
}

function ChosenLine({ name, onRemove }: { readonly name: string; readonly onRemove: () => void }): ReactNode {
  const words = messages.asks.dialog;
  return <li className="row-apart"><span className="grow wrapping">{name}</span><Button size="xs" variant="default" aria-label={words.removeOf(name)} onClick={onRemove}>{words.remove}</Button></li>;
}

/** All that were chosen so far, or what is wrong with one of the new ones. */
async function readFiles(picked: readonly File[], before: readonly ChosenFile[]): Promise<readonly ChosenFile[] | string> {
  const words = messages.asks.dialog;
  if (before.length + picked.length > MOST_ANSWER_FILES) return words.tooMany(MOST_ANSWER_FILES);
  const size = [...before, ...picked].reduce((sum, file) => sum + file.size, 0);
  if (size > MOST_ANSWER_BYTES) return words.tooMuch(MEGABYTES);
  const read: ChosenFile[] = [];
  for (const file of picked) {
    const contentType = ANSWER_FILE_TYPES.find((type) => type === file.type);
    if (contentType === undefined) return words.fileKind(file.name);
    if (file.size === 0) return words.fileEmpty(file.name);
    try {
      read.push({ title: file.name.slice(0, 200), contentType, data: await base64Of(file), size: file.size });
    } catch {
      return words.unreadable(file.name);
    }
  }
  return [...before, ...read];
}
