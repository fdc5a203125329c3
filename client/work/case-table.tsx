import type { ReactNode } from 'react';
import type { WorklistRow } from '#prior-auth/worklist-api.ts';
import { toneWords } from '../messages.ts';
import { ClockBadge } from '../ui/clock-badge.tsx';
import { showDate } from '../ui/fhir-date.ts';
import { Badge } from '../ui/tone.tsx';
import { useNow } from '../ui/use-now.ts';
import { messages } from './messages.ts';
import { StateBadge } from './state-badge.tsx';

/** A table on a desk, cards on a phone: the same markup, so that nothing is read twice. */
export function CaseTable({ rows, onOpen }: { readonly rows: readonly WorklistRow[]; readonly onOpen: (caseId: string) => void }): ReactNode {
  const now = useNow();
  const { columns } = messages;
  return (
    <table className="cases" aria-label={messages.title}>
      <thead>
        <tr>{Object.values(columns).map((column) => <th key={column} scope="col">{column}</th>)}</tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.caseId}>
            <th scope="row"><button type="button" className="link-button strong" onClick={() => onOpen(row.caseId)}><span className="visually-hidden">{messages.openCase('')}</span>{row.patientName}</button></th>
            <td data-column={columns.service}><span>{row.service} <span className="muted small number">{row.serviceCode ?? messages.noCode}</span></span></td>
            <td data-column={columns.payer}>{row.payerName}</td>
            <td data-column={columns.state}><span className="row"><StateBadge state={row.state} />{row.handedOver && <Badge tone="waiting">{messages.handedTo(row.handedOver.takenBy ?? row.handedOver.to)}</Badge>}</span></td>
            <td data-column={columns.decision}>{row.decision === null ? <span className="muted small">{messages.noDecision}</span> : <Badge tone={row.decision.tone}>{toneWords[row.decision.tone]}</Badge>}</td>
            <td data-column={columns.clock}>{row.clock === null ? <span className="muted small">{messages.noClock}</span> : <ClockBadge clock={row.clock} now={now} />}</td>
            <td data-column={columns.updated} className="small muted number">{showDate(row.updatedAt)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
