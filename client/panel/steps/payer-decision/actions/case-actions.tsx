import { Button } from '@mantine/core';
import { useId, useState, type ReactNode } from 'react';
import { type CaseAction, mayDo } from '#prior-auth/case-action.ts';
import type { CaseView } from '#prior-auth/panel-api.ts';
import type { Failure, Reply } from '../../../../ui/call-json.ts';
import { FailureNotice } from '../../../../ui/failure-notice.tsx';
import { messages } from '../../../messages.ts';
import type { PanelCall } from '../../../panel-call.ts';
import { ChangeDrawer } from './change-drawer.tsx';
import { ConfirmDrawer } from './confirm-drawer.tsx';
import { ManualDrawer } from './manual-drawer.tsx';
import { RecordDecisionDrawer } from './record-decision-drawer.tsx';
import { UseDrawer } from './use-drawer.tsx';

interface CaseActionsProps {
  readonly call: PanelCall;
  readonly view: CaseView;
  readonly onChanged: (view: CaseView) => void;
}

type Opened = 'withdraw' | 'cancel' | 'switchBack' | 'manual' | 'record' | 'change' | 'use';

/** What a person may do now (`mayDo`), and nothing else. What cannot be taken back is asked twice. */
export function CaseActions({ call, view, onChanged }: CaseActionsProps): ReactNode {
  const words = messages.actions;
  const [opened, setOpened] = useState<Opened>();
  const [busy, setBusy] = useState<string>();
  const [failure, setFailure] = useState<Failure>();
  const may = (action: CaseAction): boolean => mayDo(view.case, action).kind === 'may';
  const isByHand = view.case.state.kind === 'manual';
  const body = { caseVersion: view.case.version };
  const run = async (name: string, ask: () => Promise<Reply<CaseView>>): Promise<void> => {
    setBusy(name);
    setFailure(undefined);
    const reply = await ask();
    setBusy(undefined);
    setOpened(undefined);
    if (reply.kind === 'ok') return onChanged(reply.value);
    setFailure(reply.failure);
    // Somebody was before us: the screen shows what is now.
    const newest = reply.failure.status === 409 ? await call('readCase', {}) : undefined;
    if (newest?.kind === 'ok') onChanged(newest.value);
  };
  const taken = (next: CaseView): void => { setOpened(undefined); setFailure(undefined); onChanged(next); };
  const drawer = { call, view, onTaken: taken, onClose: () => setOpened(undefined) };

  const steps: readonly (Step | false)[] = [
    may('resend') && { ...words.resend, run: () => call('resendRequest', body) },
    may('hold') && { ...words.hold, run: () => call('holdRequest', body) },
    may('release') && { ...words.release, run: () => call('releaseRequest', body) },
    may('withdraw') && { ...words.withdraw, open: 'withdraw' },
    may('check-now') && { ...words.checkNow, run: () => call('checkNow', body) },
    may('record-decision') && { ...words.record, open: 'record' },
    isByHand && { do: words.manual.change, why: words.manual.referenceHint, open: 'manual' },
    may('switch-to-manual') && { ...words.manual, open: 'manual' },
    may('switch-back') && { ...words.switchBack, open: 'switchBack' },
    may('record-use') && (view.authorizations?.length ?? 0) > 0 && { ...words.use, open: 'use' },
    may('renew') && { ...words.renew, run: () => call('renewAuthorization', body) },
    may('request-again') && { ...words.requestAgain, run: () => call('requestAgain', body) },
    may('change-request') && { ...words.change, open: 'change' },
    may('cancel-request') && { ...words.cancel, open: 'cancel' },
  ];
  const shown = steps.filter((step) => step !== false);
  if (shown.length === 0) return failure ? <FailureNotice failure={failure} /> : null;
  return (
    <section className="stack" aria-labelledby="actions-title">
      <h3 id="actions-title">{words.title}</h3>
      {failure && <FailureNotice failure={failure} />}
      <ul className="action-list">
        {shown.map((step) => <ActionLine key={step.do} step={step} busy={busy} onPress={() => (step.open === undefined ? void run(step.do, step.run) : setOpened(step.open))} />)}
      </ul>
      {opened === 'withdraw' && <ConfirmDrawer text={words.withdraw.confirm} doIt={words.withdraw.do} busy={busy !== undefined} onClose={drawer.onClose} onConfirm={() => void run('withdraw', () => call('withdrawRequest', body))} />}
      {opened === 'cancel' && <ConfirmDrawer danger text={words.cancel.confirm} doIt={words.cancel.do} busy={busy !== undefined} onClose={drawer.onClose} onConfirm={() => void run('cancel', () => call('cancelRequest', body))} />}
      {opened === 'switchBack' && <ConfirmDrawer text={words.switchBack.confirm} doIt={words.switchBack.do} busy={busy !== undefined} onClose={drawer.onClose} onConfirm={() => void run('switchBack', () => call('switchBack', body))} />}
      {opened === 'manual' && <ManualDrawer {...drawer} />}
      {opened === 'record' && <RecordDecisionDrawer {...drawer} />}
      {opened === 'change' && <ChangeDrawer {...drawer} />}
      {opened === 'use' && <UseDrawer {...drawer} />}
    </section>
  );
}

type Step = { readonly do: string; readonly why: string } & ({ readonly open: Opened; readonly run?: never } | { readonly open?: never; readonly run: () => Promise<Reply<CaseView>> });

function ActionLine({ step, busy, onPress }: { readonly step: Step; readonly busy: string | undefined; readonly onPress: () => void }): ReactNode {
  const id = useId();
  return (
    <li>
      <Button size="xs" variant="default" className="wrapping-button" loading={busy === step.do} disabled={busy !== undefined} aria-describedby={id} onClick={onPress}>{step.do}</Button>
      <p className="small muted" id={id}>{step.why}</p>
    </li>
  );
}

/** Every drawer of an action. */
export interface ActionDrawerProps {
  readonly call: PanelCall;
  readonly view: CaseView;
  readonly onTaken: (view: CaseView) => void;
  readonly onClose: () => void;
}
