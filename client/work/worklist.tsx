import { Button } from '@mantine/core';
import { useCallback, useState, type ReactNode } from 'react';
import { shared } from '../messages.ts';
import { ColorSchemeSwitch } from '../ui/color-scheme-switch.tsx';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { LanguageSwitch } from '../ui/language-switch.tsx';
import { Loading } from '../ui/loading.tsx';
import { Notice } from '../ui/tone.tsx';
import { useLoad } from '../ui/use-load.ts';
import { Cases } from './cases.tsx';
import { messages } from './messages.ts';
import { closeSession, readSession } from './work-call.ts';

/** Every case of the practice, its state and its clock. */
export function Worklist(): ReactNode {
  const session = useLoad(readSession);
  const [register, setRegister] = useState(false);
  const show = useCallback((next: boolean) => () => setRegister(next), []);
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
        {session.value && (
          <>
            <nav className="row" aria-label={messages.tabs.title}>
              <button type="button" className="state-filter" aria-pressed={!register} onClick={show(false)}>{messages.tabs.cases}</button>
              <button type="button" className="state-filter" aria-pressed={register} onClick={show(true)}>{messages.tabs.register}</button>
            </nav>
            <Cases key={register ? 'register' : 'cases'} register={register} me={session.value.user.reference} />
          </>
        )}
      </main>
    </>
  );
}
