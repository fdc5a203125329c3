import { Button } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { type CaseAction, mayDo } from '#prior-auth/case-action.ts';
import type { WorklistAction, WorklistCase } from '#prior-auth/worklist-api.ts';
import type { Failure } from '../ui/call-json.ts';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { language } from '../ui/language.ts';
import { Notice } from '../ui/tone.tsx';
import { TouchAndAssign } from './bulk-bar.tsx';
import { messages } from './messages.ts';
import { takeSteps } from './work-call.ts';

const HERE = ['hold', 'release', 'resend', 'withdraw', 'check-now', 'switch-to-manual', 'switch-back', 'request-again', 'renew'] as const;
/** Those that need the patient's chart. */
const IN_CHART = ['submit', 'answer-ask', 'change-request', 'add-orders'] as const satisfies readonly CaseAction[];

/** What may follow, as buttons; what needs the chart, in words. */
export function CaseActions({ found, onChanged }: { readonly found: WorklistCase; readonly onChanged: () => void }): ReactNode {
  const words = messages.actionsOf;
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const [undo, setUndo] = useState<WorklistAction>();
  const [done, setDone] = useState(false);
  const [asking, setAsking] = useState(false);
  const take = async (action: WorklistAction): Promise<void> => {
    setBusy(true);
    const reply = await takeSteps([{ caseId: found.case.id, action }]);
    setBusy(false);
    const result = reply.kind === 'ok' ? reply.value.results[0] : undefined;
    if (reply.kind === 'failed') setFailure(reply.failure);
    else if (result?.kind === 'refused') setFailure({ status: 409, code: result.code, message: result.message });
    else setFailure(undefined);
    setDone(result?.kind === 'done');
    setUndo(result?.kind === 'done' ? result.undo : undefined);
    if (result?.kind === 'done') onChanged();
  };
  const may = (action: CaseAction): boolean => mayDo(found.case, action, language).kind === 'may';
  const inChart = IN_CHART.filter(may);
  return (
    <section className="stack" aria-label={words.title}>
      <h3>{words.title}</h3>
      {HERE.some(may) && <div className="row">{HERE.filter(may).map((kind) => <Button key={kind} size="xs" variant="default" disabled={busy} onClick={() => void take({ kind })}>{messages.actions[kind]}</Button>)}</div>}
      {may('cancel-request') && !asking && <div><Button size="xs" variant="default" disabled={busy} onClick={() => setAsking(true)}>{messages.actions['cancel-request']}</Button></div>}
      {asking && may('cancel-request') && <Notice tone="warn" live="polite"><p>{words.sure}</p><span className="row"><Button size="xs" disabled={busy} onClick={() => { setAsking(false); void take({ kind: 'cancel-request' }); }}>{words.yes}</Button><Button size="xs" variant="default" onClick={() => setAsking(false)}>{words.no}</Button></span></Notice>}
      <div className="stack"><TouchAndAssign busy={busy} onTake={(action) => void take(action)} /></div>
      {done && !failure && <Notice tone="info" live="polite"><p>{words.done}</p>{undo && <div><Button size="xs" variant="default" disabled={busy} onClick={() => void take(undo)}>{messages.bulk.undo}</Button></div>}</Notice>}
      {failure && <FailureNotice failure={failure} />}
      {inChart.length > 0 && <p className="small muted">{words.inChart} {inChart.map((action) => words.chart[action]).join(', ')}.</p>}
    </section>
  );
}
