import { useCallback, type ReactNode } from 'react';
import type { EvidenceReference } from '#prior-auth/coverage-requirement/requirement.ts';
import { Drawer } from '../../../ui/drawer.tsx';
import { FailureNotice } from '../../../ui/failure-notice.tsx';
import { showDate } from '../../../ui/fhir-date.ts';
import { Loading } from '../../../ui/loading.tsx';
import { useLoad } from '../../../ui/use-load.ts';
import { messages } from '../../messages.ts';
import type { PanelCall } from '../../panel-call.ts';

interface SourceDrawerProps {
  readonly call: PanelCall;
  readonly question: string;
  readonly evidence: readonly EvidenceReference[];
  readonly onClose: () => void;
}

/** What the record says, where an answer came from. */
export function SourceDrawer({ call, question, evidence, onClose }: SourceDrawerProps): ReactNode {
  return (
    <Drawer title={messages.source.title} onClose={onClose}>
      <p className="muted">{question}</p>
      {evidence.map((one) => <Source key={one.reference} call={call} evidence={one} />)}
    </Drawer>
  );
}

function Source({ call, evidence }: { readonly call: PanelCall; readonly evidence: EvidenceReference }): ReactNode {
  const words = messages.source;
  const { value, failure, loading, reload } = useLoad(useCallback(() => call('readSource', { reference: evidence.reference }), [call, evidence.reference]));
  return (
    <section className="stack source">
      <div className="stack-tight">
        <h3>{evidence.display}</h3>
        <p className="small muted">{evidence.date === undefined ? words.undated : words.dated(showDate(evidence.date))} · {evidence.reference.split('/')[0]}</p>
      </div>
      {loading && value === undefined && <Loading>{words.loading}</Loading>}
      {failure && <FailureNotice failure={failure} onRetry={reload} />}
      {value && (
        <>
          {value.summary.length === 0 ? <p>{words.empty}</p> : (
            <dl className="facts">
              {value.summary.map((line, index) => <div key={`${line.label} ${index}`} className="contents"><dt>{line.label}</dt><dd className="unhurried">{showDate(line.value)}</dd></div>)}
            </dl>
          )}
          <details><summary className="small">{words.raw}</summary><pre className="json">{JSON.stringify(value.resource, null, 2)}</pre></details>
        </>
      )}
    </section>
  );
}
