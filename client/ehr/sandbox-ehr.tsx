import { Button } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { shared } from '../messages.ts';
import { ColorSchemeSwitch } from '../ui/color-scheme-switch.tsx';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { LanguageSwitch } from '../ui/language-switch.tsx';
import { Loading } from '../ui/loading.tsx';
import { useLoad } from '../ui/use-load.ts';
import { ChartScreen } from './chart-screen.tsx';
import { ehr } from './ehr-api.ts';
import { messages } from './messages.ts';
import { PanelFrame } from './panel-frame.tsx';
import { PatientList } from './patient-list.tsx';
import { SignIn } from './sign-in.tsx';
import { useOpenPatient } from './use-open-patient.ts';

/** The practice's own record: who asks for an order, and where the panel stands beside the chart. */
export function SandboxEhr(): ReactNode {
  const session = useLoad(ehr.session);
  const [patientId, openPatient] = useOpenPatient();
  const [launchUrl, setLaunchUrl] = useState<string>();
  const user = session.failure?.status === 401 ? undefined : session.value?.user;
  const signOut = async (): Promise<void> => {
    await ehr.logout();
    setLaunchUrl(undefined);
    openPatient(undefined);
    session.reload();
  };
  const open = (id: string | undefined): void => {
    setLaunchUrl(undefined);
    openPatient(id);
  };
  return (
    <div className="ehr" data-panel={launchUrl !== undefined || undefined}>
      <div className="ehr-desk">
        <a className="skip-link" href="#main">{messages.skip}</a>
        <header className="top-bar">
          <span className="name grow">{messages.title}</span>
          {user && <span className="small"><span className="strong">{user.name}</span> <span className="muted">{user.role}</span></span>}
          <a href="/work/">{messages.worklist}</a>
          {user && <a href="/ehr/apps">{messages.apps}</a>}
          {user && <Button size="xs" variant="default" onClick={() => void signOut()}>{shared.signOut}</Button>}
          <LanguageSwitch />
          <ColorSchemeSwitch />
        </header>
        <main id="main" tabIndex={-1} className="ehr-main stack">
          {session.loading && session.value === undefined && session.failure === undefined && <Loading>{messages.loading}</Loading>}
          {session.failure && session.failure.status !== 401 && <FailureNotice failure={session.failure} onRetry={session.reload} />}
          {session.failure?.status === 401 && <SignIn onSignedIn={session.reload} />}
          {user && (patientId === undefined
            ? <PatientList onOpen={open} />
            : <ChartScreen key={patientId} patientId={patientId} onBack={() => open(undefined)} onLaunch={setLaunchUrl} onSessionEnded={session.reload} />)}
        </main>
      </div>
      {launchUrl !== undefined && <PanelFrame key={launchUrl} launchUrl={launchUrl} onClose={() => setLaunchUrl(undefined)} />}
    </div>
  );
}
