import type { ReactNode } from 'react';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { Loading } from '../ui/loading.tsx';
import { Notice } from '../ui/tone.tsx';
import { useLoad } from '../ui/use-load.ts';
import { messages } from './messages.ts';
import { launchCalls } from './panel-call.ts';

/** The panel without a session: from a chart, or by signing in at a registered EHR and choosing patient and order there (standalone launch). */
export function StartAtEhr(): ReactNode {
  const { value, failure, reload } = useLoad(launchCalls.listEhrs);
  const words = messages.noSession;
  return (
    <>
      <Notice tone="info"><h1>{words.title}</h1><p>{words.text}</p><p>{words.next}</p></Notice>
      {failure && <FailureNotice failure={failure} onRetry={reload} />}
      {value === undefined && failure === undefined && <Loading>{words.loading}</Loading>}
      {value !== undefined && value.ehrs.length > 0 && (
        <section className="card stack" aria-labelledby="start-at-ehr">
          <h2 id="start-at-ehr">{words.standalone}</h2>
          <ul className="stack-tight">{value.ehrs.map(({ name, startUrl }) => <li key={startUrl}><a href={startUrl}>{words.signInAt(name)}</a></li>)}</ul>
        </section>
      )}
    </>
  );
}
