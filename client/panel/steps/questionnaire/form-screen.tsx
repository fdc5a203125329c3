import { Button } from '@mantine/core';
import { lazy, Suspense, useCallback, useEffect, useId, useMemo, useState, useSyncExternalStore, type ReactNode } from 'react';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { EvidenceReference } from '#prior-auth/coverage-requirement/requirement.ts';
import type { PanelSession, PayerProblem } from '#prior-auth/panel-api.ts';
import type { ShownItem } from '#prior-auth/questionnaire/form.ts';
import type { Failure } from '../../../ui/call-json.ts';
import { FailureNotice } from '../../../ui/failure-notice.tsx';
import { showDate } from '../../../ui/fhir-date.ts';
import { FocusHeading } from '../../../ui/focus-heading.tsx';
import { Notice } from '../../../ui/tone.tsx';
import { messages } from '../../messages.ts';
import type { PanelCall } from '../../panel-call.ts';
import { UnsettledNote } from '../../merge/unsettled-note.tsx';
import { FieldProvider, focusItem } from './field-context.tsx';
import type { FormDraft } from './form-draft.ts';
import { FormParts } from './form-parts.tsx';
import { NextQuestion } from './next-question.tsx';
import { PopulationNote } from './population-note.tsx';
import { SaveNote } from './save-note.tsx';
import { SourceDrawer } from './source-drawer.tsx';
import { ToDo } from './to-do.tsx';

const MergeDialog = lazy(() => import('../../merge/merge-dialog.tsx'));

interface FormScreenProps {
  readonly draft: FormDraft;
  readonly call: PanelCall;
  readonly session: PanelSession;
  readonly readOnly: boolean;
  readonly calculatorMissing: boolean;
  /** A draft was saved: the case may have gone back to its questions. */
  readonly onSaved: () => void;
  readonly onCompleted: (completed: PriorAuthCase) => void;
}

const NO_OFFERS = {};

/** One payer form: what is missing first, then every question with the origin of its answer. */
export function FormScreen({ draft, call, session, readOnly: sent, calculatorMissing, onSaved, onCompleted }: FormScreenProps): ReactNode {
  // What the payer has taken as complete is not changed any more.
  const readOnly = sent || (draft.view.adaptive === true && draft.view.response.status === 'completed');
  const words = messages.form;
  const { shown, save, population, sources, dropped, unsettled, joined } = useSyncExternalStore(draft.subscribe, draft.state);
  const [open, setOpen] = useState<{ readonly question: string; readonly evidence: readonly EvidenceReference[] }>();
  const [comparing, setComparing] = useState(false);
  const [completing, setCompleting] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const [said, setSaid] = useState<readonly PayerProblem[]>([]);
  const idPrefix = useId().replace(/\W/g, '');

  useEffect(() => {
    const flush = (): void => { if (document.visibilityState === 'hidden') void draft.save(); };
    const warn = (event: BeforeUnloadEvent): void => { if (draft.unsaved) event.preventDefault(); };
    // Closing the panel takes the focus first; once its frame is gone nothing more can be sent.
    const leave = (): void => void draft.save();
    document.addEventListener('visibilitychange', flush);
    window.addEventListener('blur', leave);
    window.addEventListener('online', leave);
    window.addEventListener('beforeunload', warn);
    return () => {
      document.removeEventListener('visibilitychange', flush);
      window.removeEventListener('blur', leave);
      window.removeEventListener('online', leave);
      window.removeEventListener('beforeunload', warn);
    };
  }, [draft]);

  const savedAt = save.kind === 'saved' ? save.at : undefined;
  useEffect(() => {
    if (savedAt !== undefined) onSaved();
  }, [savedAt, onSaved]);

  const { formId, offers = NO_OFFERS } = draft.view;
  const showSources = useCallback((question: string, evidence: readonly EvidenceReference[]) => setOpen({ question, evidence }), []);
  const formLanguage = draft.view.questionnaire.language;
  const field = useMemo(
    () => ({ edit: draft.edit.bind(draft), sources, userReference: session.user.reference, showSources, idPrefix, readOnly, said, call, formId, offers, formLanguage }),
    [draft, sources, session.user.reference, showSources, idPrefix, readOnly, said, call, formId, offers, formLanguage],
  );

  const complete = async (): Promise<void> => {
    setCompleting(true);
    setFailure(undefined);
    const outcome = await draft.complete(messages.attestation.statement);
    setCompleting(false);
    if (outcome.kind === 'completed') return onCompleted(outcome.case);
    if (outcome.kind === 'failed') return setFailure(outcome.failure);
    if (outcome.kind === 'incomplete') {
      const first = outcome.gaps[0]?.path ?? outcome.problems[0]?.path;
      if (first !== undefined) focusItem(idPrefix, first);
    }
  };

  const differences = save.kind === 'conflict' ? save.differences : unsettled;
  const corrections = useMemo(() => shown.problems.filter((problem) => problem.blocking), [shown.problems]);
  const itemAt = useCallback((path: string) => findItem(draft.state().shown.items, path), [draft]);
  const jump = useCallback((path: string) => focusItem(idPrefix, path), [idPrefix]);
  const next = shown.gaps[0]?.path ?? corrections.find((problem) => problem.path !== '')?.path;
  return (
    <section className="stack" aria-labelledby={`${idPrefix}-title`}>
      <div className="stack-tight">
        <div id={`${idPrefix}-title`} lang={formLanguage}><FocusHeading>{shown.title}</FocusHeading></div>
        <p className="small muted number">{words.answered(shown.counts.answered, shown.counts.questions)}</p>
      </div>
      {!readOnly && (
        <>
          <PopulationNote population={population} automatic={shown.counts.automatic} onReadAgain={() => void draft.populate()} />
          {calculatorMissing && <Notice tone="warn"><p>{words.engineMissing}</p></Notice>}
          {joined && <Notice tone="info" live="polite"><p>{messages.merge.joined(joined.count, joined.by)}</p></Notice>}
          {unsettled.length > 0 && <UnsettledNote count={unsettled.length} onCompare={() => setComparing(true)} />}
          {dropped > 0 && <Notice tone="warn"><p>{messages.save.dropped(dropped)}</p></Notice>}
          <ToDo gaps={shown.gaps} corrections={corrections} itemAt={itemAt} onJump={jump} />
        </>
      )}
      <FieldProvider value={field}>
        <div className="stack questions"><FormParts shown={shown} /></div>
      </FieldProvider>
      <FormFacts draft={draft} />
      {failure && <FailureNotice failure={failure} onRetry={() => void complete()} />}
      {!readOnly && (
        <div className="action-bar sticky stack-tight">
          <SaveNote save={save} onSave={() => void draft.save()} onCompare={() => setComparing(true)} />
          {draft.view.adaptive && <NextQuestion draft={draft} items={shown.items} blocked={next !== undefined} problems={said} onProblems={setSaid} onJump={jump} onCompleted={onCompleted} />}
          {next === undefined && !draft.view.adaptive && <p id={`${idPrefix}-statement`} className="small">{messages.attestation.asked} <q>{messages.attestation.statement}</q></p>}
          {next === undefined
            ? !draft.view.adaptive && <Button fullWidth loading={completing} disabled={population.kind === 'reading' || differences.length > 0} aria-describedby={`${idPrefix}-statement`} onClick={() => void complete()}>{words.complete}</Button>
            : <Button fullWidth variant="light" onClick={() => jump(next)}>{shown.gaps.length > 0 ? words.nextGap : words.nextProblem}</Button>}
        </div>
      )}
      {comparing && differences.length > 0 && (
        <Suspense>
          <MergeDialog
            differences={differences}
            onClose={() => setComparing(false)}
            onSettle={(choices) => {
              setComparing(false);
              void draft.settle(choices);
            }}
          />
        </Suspense>
      )}
      {open && <SourceDrawer call={call} question={open.question} evidence={open.evidence} onClose={() => setOpen(undefined)} />}
    </section>
  );
}

/** Who made the form and who filled it in (DTR display duties). */
function FormFacts({ draft }: { readonly draft: FormDraft }): ReactNode {
  const { questionnaire, response } = draft.view;
  const words = messages.form.facts;
  return (
    <details className="small">
      <summary>{words.title}</summary>
      <dl className="facts details-body">
        <dt>{words.source}</dt><dd>{questionnaire.publisher ?? words.unknown}</dd>
        <dt>{words.version}</dt><dd>{questionnaire.version ?? words.unknown}</dd>
        {response.authored !== undefined && <><dt>{words.authored}</dt><dd>{showDate(response.authored)}</dd></>}
        {response.author && <><dt>{words.author}</dt><dd>{response.author.display ?? response.author.reference}</dd></>}
      </dl>
    </details>
  );
}

function findItem(items: readonly ShownItem[], path: string): ShownItem | undefined {
  for (const item of items) {
    if (item.path === path) return item;
    const inside = findItem([...item.items, ...item.answers.flatMap((answer) => answer.items)], path);
    if (inside !== undefined) return inside;
  }
  return undefined;
}
