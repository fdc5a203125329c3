import { useEffect, useMemo, useState, type ReactNode } from 'react';
import type { CaseView, PanelSession } from '#prior-auth/panel-api.ts';
import type { Failure } from '../ui/call-json.ts';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { Loading } from '../ui/loading.tsx';
import { Notice } from '../ui/tone.tsx';
import { CaseScreen } from './case-screen.tsx';
import { messages } from './messages.ts';
import { openPanelCall, type PanelCall } from './panel-call.ts';
import { readSessionId } from './session-id.ts';

/** The SMART panel beside the chart: one order's way from the payer's questions to its decision. */
export function Panel(): ReactNode {
  const [sessionId] = useState(() => readSessionId(window.location.search));
  const [expired, setExpired] = useState(false);
  const [attempt, setAttempt] = useState(0);
  const call = useMemo(() => (sessionId === undefined ? undefined : openPanelCall(sessionId, () => setExpired(true))), [sessionId]);
  return (
    <main className="panel" aria-label={messages.title}>
      {expired && (
        <Notice tone="warn" live="assertive">
          <h1>{messages.expired.title}</h1>
          <p>{messages.expired.text}</p>
          <p className="strong">{messages.expired.next}</p>
        </Notice>
      )}
      {call === undefined
        ? <Notice tone="info"><h1>{messages.noSession.title}</h1><p>{messages.noSession.text}</p><p>{messages.noSession.next}</p></Notice>
        : <Opened key={attempt} call={call} expired={expired} onRetry={() => setAttempt((count) => count + 1)} />}
    </main>
  );
}

type Opening =
  | { readonly kind: 'opening' }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'open'; readonly session: PanelSession; readonly view: CaseView };

function Opened({ call, expired, onRetry }: { readonly call: PanelCall; readonly expired: boolean; readonly onRetry: () => void }): ReactNode {
  const [opening, setOpening] = useState<Opening>({ kind: 'opening' });
  useEffect(() => {
    let current = true;
    void Promise.all([call('readSession', {}), call('readCase', {})]).then(([session, view]) => {
      if (!current) return;
      if (session.kind === 'failed') setOpening({ kind: 'failed', failure: session.failure });
      else if (view.kind === 'failed') setOpening({ kind: 'failed', failure: view.failure });
      else setOpening({ kind: 'open', session: session.value, view: view.value });
    });
    return () => { current = false; };
  }, [call]);
  if (opening.kind === 'open') return <CaseScreen call={call} session={opening.session} first={opening.view} expired={expired} />;
  if (expired) return null;
  return (
    <>
      <h1>{messages.title}</h1>
      {opening.kind === 'opening' ? <Loading>{messages.opening}</Loading> : <FailureNotice failure={opening.failure} onRetry={onRetry} />}
    </>
  );
}
