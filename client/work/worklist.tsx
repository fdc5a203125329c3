import { Button } from '@mantine/core';
import { useCallback, useEffect, useState, type ReactNode } from 'react';
import type { CaseStateKind } from '#prior-auth/case.ts';
import type { WorklistPage } from '#prior-auth/worklist-api.ts';
import { shared } from '../messages.ts';
import { ColorSchemeSwitch } from '../ui/color-scheme-switch.tsx';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { showTime } from '../ui/fhir-date.ts';
import { LanguageSwitch } from '../ui/language-switch.tsx';
import { Loading } from '../ui/loading.tsx';
import { Notice } from '../ui/tone.tsx';
import { useLoad } from '../ui/use-load.ts';
import { CaseDrawer } from './case-drawer.tsx';
import { CaseTable } from './case-table.tsx';
import { Filters } from './filters.tsx';
import { messages } from './messages.ts';
import { closeSession, readPage, readSession, type WorklistQuery } from './work-call.ts';

const REFRESH_MS = 10_000;
const TYPING_PAUSE_MS = 300;
const FIRST: WorklistQuery = { state: undefined, q: '', sort: 'clock', handedOver: false, after: undefined };

/** Every case of the practice, its state and its clock. */
export function Worklist(): ReactNode {
  const session = useLoad(readSession);
  return (
    <>
      <a className="skip-link" href="#cases">{messages.skip}</a>
      <header className="top-bar">
        <h1 className="grow">{messages.title}</h1>
        {session.value && <span className="small muted">{messages.signedInAs(session.value.user.name)}</span>}
        <a href="/">{messages.toEhr}</a>
        {session.value && <Button size="xs" variant="default" onClick={() => void closeSession().then(() => window.location.assign('/work/login?again'))}>{shared.signOut}</Button>}
        <LanguageSwitch />
        <ColorSchemeSwitch />
      </header>
      <main id="cases" tabIndex={-1} className="worklist stack">
        {session.failure && (session.failure.status === 401
          ? <Notice tone="info" live="polite"><p>{messages.toSignIn}</p><p><a href="/work/login">{messages.signInLink}</a></p></Notice>
          : <FailureNotice failure={session.failure} onRetry={session.reload} />)}
        {session.value === undefined && session.loading && <Loading>{messages.loading}</Loading>}
        {session.value && <Cases />}
      </main>
    </>
  );
}

function Cases(): ReactNode {
  const [query, setQuery] = useState(FIRST);
  const [typed, setTyped] = useState('');
  const [pageNumber, setPageNumber] = useState(1);
  const [openCase, setOpenCase] = useState<string>();
  const [refreshedAt, setRefreshedAt] = useState(0);
  const load = useCallback(async () => {
    const reply = await readPage(query);
    if (reply.kind === 'ok') setRefreshedAt(Date.now());
    return reply;
  }, [query]);
  const { value: page, failure, loading, reload } = useLoad(load);

  useEffect(() => {
    const renew = (): void => { if (document.visibilityState === 'visible') reload(); };
    const timer = setInterval(renew, REFRESH_MS);
    document.addEventListener('visibilitychange', renew);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', renew);
    };
  }, [reload]);

  const ask = useCallback((change: Partial<WorklistQuery>) => {
    setQuery((before) => ({ ...before, after: undefined, ...change }));
    setPageNumber((before) => (change.after === undefined ? 1 : before + 1));
  }, []);

  useEffect(() => {
    const q = typed.trim();
    if (q === query.q) return;
    const timer = setTimeout(() => ask({ q }), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, query.q, ask]);

  const showAll = (): void => {
    setTyped('');
    ask({ state: undefined, handedOver: false, q: '' });
  };

  return (
    <>
      <Filters query={query} counts={page?.counts ?? {}} handedOver={page?.handedOver ?? 0} typed={typed} onType={setTyped} onChange={ask} />
      {failure && (page === undefined
        ? <FailureNotice failure={failure} onRetry={reload} />
        : <Notice tone="warn" live="polite"><p>{messages.refreshFailed}</p><div><Button size="xs" variant="default" onClick={reload}>{shared.retry}</Button></div></Notice>)}
      {page === undefined && loading && <Loading>{messages.loading}</Loading>}
      {page && page.rows.length === 0 && <Empty query={query} page={page} onShowAll={showAll} />}
      {page && page.rows.length > 0 && <CaseTable rows={page.rows} onOpen={setOpenCase} />}
      {page && (
        <div className="row-apart">
          <output className="small muted">{messages.count(query.handedOver ? page.handedOver : total(query.state, page))} · {messages.page(pageNumber)}</output>
          <span className="row">
            {query.after !== undefined && <Button size="xs" variant="default" onClick={() => ask({})}>{messages.newer}</Button>}
            {page.next !== null && <Button size="xs" variant="default" onClick={() => ask({ after: page.next ?? undefined })}>{messages.older}</Button>}
          </span>
          <span className="small muted number">{messages.refreshed(showTime(refreshedAt))}</span>
        </div>
      )}
      {openCase !== undefined && <CaseDrawer caseId={openCase} onClose={() => setOpenCase(undefined)} />}
    </>
  );
}

function total(state: CaseStateKind | undefined, { counts }: WorklistPage): number {
  return state === undefined ? Object.values(counts).reduce((sum, count) => sum + count, 0) : (counts[state] ?? 0);
}

function Empty({ query, page, onShowAll }: { readonly query: WorklistQuery; readonly page: WorklistPage; readonly onShowAll: () => void }): ReactNode {
  const none = query.q === '' && total(undefined, page) === 0;
  const words = none ? messages.empty : messages.nothingFound;
  return (
    <div className="card stack empty">
      <h2>{words.title}</h2>
      <p>{words.text}</p>
      <div>{none ? <a href="/">{words.action}</a> : <Button variant="default" onClick={onShowAll}>{words.action}</Button>}</div>
    </div>
  );
}
