import { Button } from '@mantine/core';
import { useCallback, useEffect, useState, type ReactNode } from 'react';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { PanelSession } from '#prior-auth/panel-api.ts';
import type { Failure } from '../../../ui/call-json.ts';
import { FailureNotice } from '../../../ui/failure-notice.tsx';
import { FocusHeading } from '../../../ui/focus-heading.tsx';
import { Loading } from '../../../ui/loading.tsx';
import { Notice } from '../../../ui/tone.tsx';
import { messages } from '../../messages.ts';
import type { PanelCall } from '../../panel-call.ts';
import { loadEvaluator, needsFhirPath } from './fhirpath-evaluator.ts';
import { FormDraft } from './form-draft.ts';
import { FormScreen } from './form-screen.tsx';
import { FormsOverview } from './forms-overview.tsx';

interface QuestionnaireStepProps {
  readonly call: PanelCall;
  readonly session: PanelSession;
  /** The request has left: the answers can be read, not changed. */
  readonly readOnly: boolean;
  /** Only this form: the payer asked for it after the request had left. */
  readonly only?: string | undefined;
  readonly onSaved: () => void;
  readonly onCompleted: (completed: PriorAuthCase) => void;
  readonly onGoOn: () => void;
}

/** The payer's forms of this case. */
export function QuestionnaireStep(props: QuestionnaireStepProps): ReactNode {
  const [attempt, setAttempt] = useState(0);
  return <Forms key={attempt} {...props} onRetry={() => setAttempt((count) => count + 1)} />;
}

function Forms({ call, session, readOnly, only, onSaved, onCompleted, onGoOn, onRetry }: QuestionnaireStepProps & { readonly onRetry: () => void }): ReactNode {
  const [drafts, setDrafts] = useState<readonly FormDraft[]>();
  const [notices, setNotices] = useState<readonly string[]>([]);
  const [failure, setFailure] = useState<Failure>();
  const [open, setOpen] = useState(0);
  const [calculatorMissing, setCalculatorMissing] = useState(false);

  useEffect(() => {
    let current = true;
    let opened: readonly FormDraft[] = [];
    void call('listForms', {}).then((reply) => {
      if (!current) return;
      if (reply.kind === 'failed') return setFailure(reply.failure);
      const { reference, name, roleCode } = session.user;
      const author = { reference, display: name, ...(roleCode === undefined ? {} : { roleCode }) };
      opened = reply.value.forms.filter(({ formId }) => only === undefined || formId === only).map((form) => new FormDraft(call, form, author));
      setDrafts(opened);
      setNotices(reply.value.notices ?? []);
      if (readOnly) return;
      for (const draft of opened) if (draft.view.population.status === 'not-started') void draft.populate();
      const calculating = opened.filter((draft) => needsFhirPath(draft.view.questionnaire));
      if (calculating.length > 0) {
        loadEvaluator().then(
          (evaluate) => { if (current) calculating.forEach((draft) => draft.calculateWith(evaluate)); },
          () => setCalculatorMissing(true),
        );
      }
    });
    return () => {
      current = false;
      for (const draft of opened) {
        void draft.save();
        draft.close();
      }
    };
  }, [call, session, readOnly, only]);

  const completed = useCallback((done: PriorAuthCase) => {
    const next = drafts?.findIndex((draft) => !draft.completed) ?? -1;
    if (done.state.kind === 'questionnaire' && next >= 0) setOpen(next);
    onCompleted(done);
  }, [drafts, onCompleted]);

  if (failure) return <FailureNotice failure={failure} onRetry={onRetry} />;
  if (drafts === undefined) return <Loading>{messages.opening}</Loading>;
  const draft = drafts[open];
  if (draft === undefined) {
    return (
      <section className="stack">
        <FocusHeading>{messages.steps.questionnaire}</FocusHeading>
        {notices.length > 0 && <Notice tone="warn">{notices.map((words) => <p key={words}>{words}</p>)}</Notice>}
        <p>{messages.form.none} {messages.form.noneNext}</p>
        <Button onClick={onGoOn}>{messages.steps.review}</Button>
      </section>
    );
  }
  return (
    <div className="stack">
      {drafts.length > 1 && <FormsOverview drafts={drafts} open={open} onOpen={setOpen} />}
      <FormScreen key={draft.view.formId} draft={draft} call={call} session={session} readOnly={readOnly} calculatorMissing={calculatorMissing} onSaved={onSaved} onCompleted={completed} />
    </div>
  );
}
