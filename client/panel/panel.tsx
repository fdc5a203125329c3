import { useEffect, useMemo, useState, type ReactNode } from 'react';
import type { CaseView, PanelSession } from '#prior-auth/panel-api.ts';
import type { PanelLaunch } from '#prior-auth/panel-launch-api.ts';
import type { Failure } from '../ui/call-json.ts';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { LanguageSwitch } from '../ui/language-switch.tsx';
import { Loading } from '../ui/loading.tsx';
import { Notice } from '../ui/tone.tsx';
import { CaseScreen } from './case-screen.tsx';
import { ChooseOrder } from './choose-order.tsx';
import { messages } from './messages.ts';
import type { PanelAddress } from './panel-address.ts';
import { launchCalls, openPanelCall, type PanelCall, type PanelSessionProof } from './panel-call.ts';
import { applyStyle } from './smart-style.ts';
import { StartAtEhr } from './start-at-ehr.tsx';

/** The SMART panel beside the chart: one order's way from the payer's questions to its decision. */
export function Panel({ address }: { readonly address: PanelAddress }): ReactNode {
  const [expired, setExpired] = useState(false);
  const proof = useProof(address, () => setExpired(true));
  return (
    <main className="panel" aria-label={messages.title}>
      {expired && (
        <Notice tone="warn" live="assertive">
          <h1>{messages.expired.title}</h1>
          <p>{messages.expired.text}</p>
          <p className="strong">{messages.expired.next}</p>
        </Notice>
      )}
      {address.sessionId === undefined
        ? <StartAtEhr />
        : proof === undefined ? !expired && <Waiting /> : <Session proof={proof} expired={expired} onExpired={() => setExpired(true)} />}
    </main>
  );
}

/** Undefined while the ticket is exchanged. Each ticket is exchanged once, however often React mounts the screen. */
function useProof({ sessionId, ticket }: PanelAddress, onRefused: () => void): PanelSessionProof | undefined {
  const [proof, setProof] = useState<PanelSessionProof | undefined>(() => (sessionId !== undefined && ticket === undefined ? { sessionId } : undefined));
  const claiming = useMemo(() => (ticket === undefined ? undefined : claimOnce(ticket)), [ticket]);
  useEffect(() => {
    let current = true;
    void claiming?.then((reply) => {
      if (!current) return;
      if (reply.kind === 'ok' && reply.value.sessionId === sessionId) setProof(reply.value);
      else onRefused();
    });
    return () => { current = false; };
    // oxlint-disable-next-line react/exhaustive-deps -- onRefused is another function at each drawing and does always the same
  }, [claiming, sessionId]);
  return proof;
}

const claims = new Map<string, ReturnType<typeof launchCalls.claim>>();

function claimOnce(ticket: string): ReturnType<typeof launchCalls.claim> {
  const claim = claims.get(ticket) ?? launchCalls.claim(ticket);
  claims.set(ticket, claim);
  return claim;
}

function Waiting(): ReactNode {
  return <><h1>{messages.title}</h1><Loading>{messages.opening}</Loading></>;
}

function Session({ proof, expired, onExpired }: { readonly proof: PanelSessionProof; readonly expired: boolean; readonly onExpired: () => void }): ReactNode {
  const [attempt, setAttempt] = useState(0);
  // oxlint-disable-next-line react/exhaustive-deps -- onExpired is another function at each drawing and does always the same
  const call = useMemo(() => openPanelCall(proof, onExpired), [proof]);
  return <Opened key={attempt} proof={proof} call={call} expired={expired} onAgain={() => setAttempt((count) => count + 1)} />;
}

type Opening =
  | { readonly kind: 'opening' }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'choose'; readonly launch: PanelLaunch }
  | { readonly kind: 'open'; readonly launch: PanelLaunch; readonly session: PanelSession; readonly view: CaseView };

function Opened({ proof, call, expired, onAgain }: { readonly proof: PanelSessionProof; readonly call: PanelCall; readonly expired: boolean; readonly onAgain: () => void }): ReactNode {
  const [opening, setOpening] = useState<Opening>({ kind: 'opening' });
  useEffect(() => {
    let current = true;
    void Promise.all([launchCalls.readLaunch(proof), call('readSession', {}), call('readCase', {})]).then(([launch, session, view]) => {
      if (!current) return;
      if (launch.kind === 'failed') return setOpening({ kind: 'failed', failure: launch.failure });
      applyStyle(launch.value.style);
      if (launch.value.kind === 'choose') setOpening({ kind: 'choose', launch: launch.value });
      else if (session.kind === 'failed') setOpening({ kind: 'failed', failure: session.failure });
      else if (view.kind === 'failed') setOpening({ kind: 'failed', failure: view.failure });
      else setOpening({ kind: 'open', launch: launch.value, session: session.value, view: view.value });
    });
    return () => { current = false; };
  }, [call, proof]);
  if (opening.kind === 'open' || opening.kind === 'choose') {
    return (
      <>
        <NotGrantedNote launch={opening.launch} />
        {opening.kind === 'open' ? <CaseScreen call={call} proof={proof} session={opening.session} first={opening.view} expired={expired} /> : <ChooseOrder proof={proof} onChosen={onAgain} />}
        {/* A page without a cookie loses its session when it loads again: it keeps the browser's language. */}
        {proof.secret === undefined && <div><LanguageSwitch /></div>}
      </>
    );
  }
  if (expired) return null;
  return opening.kind === 'opening' ? <Waiting /> : <><h1>{messages.title}</h1><FailureNotice failure={opening.failure} onRetry={onAgain} /></>;
}

/** Which rights the EHR did not give, and what does not work therefore. */
function NotGrantedNote({ launch: { notGranted } }: { readonly launch: PanelLaunch }): ReactNode {
  if (notGranted.length === 0) return null;
  const words = messages.notGranted;
  return (
    <details className="small">
      <summary>{words.title}</summary>
      <ul>{notGranted.map(({ scope, cannot }) => <li key={scope}><code>{scope}</code>: {words.cannot(scope, cannot)}</li>)}</ul>
      <p>{words.next}</p>
    </details>
  );
}
