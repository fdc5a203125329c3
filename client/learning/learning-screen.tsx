import { Button } from '@mantine/core';
import { useCallback, useState, type FormEvent, type ReactNode } from 'react';
import type { LearningSession } from '#prior-auth/learning-api.ts';
import { shared } from '../messages.ts';
import { ColorSchemeSwitch } from '../ui/color-scheme-switch.tsx';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { LanguageSwitch } from '../ui/language-switch.tsx';
import { Loading } from '../ui/loading.tsx';
import { Notice } from '../ui/tone.tsx';
import { useLoad } from '../ui/use-load.ts';
import { forgetToken, hasToken, keepToken, readSession } from './learning-call.ts';
import { messages } from './messages.ts';
import { Overview } from './overview.tsx';

/** Models, what is measured of them, and who may change them. */
export function LearningScreen(): ReactNode {
  const [known, setKnown] = useState(hasToken);
  const signOut = useCallback(() => {
    forgetToken();
    setKnown(false);
  }, []);
  return known ? <SignedIn onSignOut={signOut} /> : <Page><SignIn onToken={() => setKnown(true)} wrong={false} /></Page>;
}

function Page({ session, onSignOut, children }: { readonly session?: LearningSession | undefined; readonly onSignOut?: () => void; readonly children: ReactNode }): ReactNode {
  return (
    <>
      <a className="skip-link" href="#models">{messages.skip}</a>
      <header className="top-bar">
        <h1 className="grow">{messages.title}</h1>
        {session && <span className="small muted">{messages.signedInAs(session.who, messages.roles[session.role])}</span>}
        <a href="/work/">{messages.toWork}</a>
        {onSignOut && <Button size="xs" variant="default" onClick={onSignOut}>{shared.signOut}</Button>}
        <LanguageSwitch />
        <ColorSchemeSwitch />
      </header>
      <main id="models" tabIndex={-1} className="learning stack">{children}</main>
    </>
  );
}

function SignedIn({ onSignOut }: { readonly onSignOut: () => void }): ReactNode {
  const session = useLoad(readSession);
  if (session.failure?.status === 401) return <Page><SignIn wrong onToken={session.reload} /></Page>;
  return (
    <Page session={session.value} onSignOut={onSignOut}>
      {session.failure && <FailureNotice failure={session.failure} onRetry={session.reload} />}
      {session.value === undefined && session.loading && <Loading>{messages.loading}</Loading>}
      {session.value && <Overview session={session.value} />}
    </Page>
  );
}

function SignIn({ wrong, onToken }: { readonly wrong: boolean; readonly onToken: () => void }): ReactNode {
  const words = messages.signIn;
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const token = new FormData(event.currentTarget).get('token');
    if (typeof token !== 'string' || token.trim() === '') return;
    keepToken(token.trim());
    onToken();
  };
  return (
    <form className="card stack sign-in" onSubmit={submit}>
      <h2>{words.title}</h2>
      <p className="muted">{words.explained}</p>
      {wrong && <Notice tone="bad" live="assertive"><p>{words.wrong}</p></Notice>}
      <div className="field">
        <label htmlFor="token">{words.token}</label>
        <input id="token" name="token" type="password" className="control" autoComplete="current-password" required maxLength={500} />
      </div>
      <div><Button type="submit">{words.submit}</Button></div>
    </form>
  );
}
