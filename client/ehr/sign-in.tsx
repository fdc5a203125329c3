import { Button } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import type { Failure } from '../ui/call-json.ts';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { Loading } from '../ui/loading.tsx';
import { useLoad } from '../ui/use-load.ts';
import { ehr } from './ehr-api.ts';
import { messages } from './messages.ts';

export function SignIn({ onSignedIn }: { readonly onSignedIn: () => void }): ReactNode {
  const words = messages.signIn;
  const { value, failure, loading, reload } = useLoad(ehr.users);
  const [signingIn, setSigningIn] = useState<string>();
  const [refused, setRefused] = useState<Failure>();
  const signIn = async (id: string): Promise<void> => {
    setSigningIn(id);
    const reply = await ehr.login(id);
    setSigningIn(undefined);
    if (reply.kind === 'ok') onSignedIn();
    else setRefused(reply.failure);
  };
  return (
    <section className="card stack sign-in">
      <div className="stack-tight">
        <h1>{words.title}</h1>
        <p className="muted">{messages.about}</p>
        <p className="muted">{words.text}</p>
      </div>
      {loading && value === undefined && <Loading>{messages.loading}</Loading>}
      {failure && <FailureNotice failure={failure} onRetry={reload} />}
      {refused && <FailureNotice failure={refused} />}
      {value?.users.length === 0 && <p>{words.none} {words.noneNext}</p>}
      <ul className="stack">
        {value?.users.map((user) => (
          <li key={user.id}>
            <Button fullWidth variant="default" justify="flex-start" className="wrapping-button person" loading={signingIn === user.id} onClick={() => void signIn(user.id)}>
              <span className="person-words"><span className="strong">{user.name}</span><span className="small muted">{user.role}</span></span>
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
