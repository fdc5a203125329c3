import { useSyncExternalStore, type ReactNode } from 'react';
import { messages } from '../../messages.ts';
import type { FormDraft } from './form-draft.ts';

interface FormsOverviewProps {
  readonly drafts: readonly FormDraft[];
  readonly open: number;
  readonly onOpen: (index: number) => void;
}

/** The forms of one order: how far each is. Each is completed by itself; the case goes on when all are. */
export function FormsOverview({ drafts, open, onOpen }: FormsOverviewProps): ReactNode {
  return (
    <nav aria-label={messages.form.several} className="stack-tight">
      <p className="small">{messages.allForms(drafts.filter(({ completed }) => completed).length, drafts.length)}</p>
      {drafts.map((draft, index) => <FormTab key={draft.view.formId} draft={draft} current={index === open} onOpen={() => onOpen(index)} />)}
    </nav>
  );
}

function FormTab({ draft, current, onOpen }: { readonly draft: FormDraft; readonly current: boolean; readonly onOpen: () => void }): ReactNode {
  const { shown: { counts, gaps } } = useSyncExternalStore(draft.subscribe, draft.state);
  return (
    <button type="button" className="form-tab" aria-current={current || undefined} onClick={onOpen}>
      {draft.view.questionnaire.title ?? draft.view.formId}{' '}
      <span className="small">({draft.completed ? messages.form.done : messages.form.open} · {messages.progress(counts.answered, counts.questions, gaps.length)})</span>
      <progress className="form-progress" max={Math.max(1, counts.questions)} value={counts.answered} aria-hidden="true" />
    </button>
  );
}
