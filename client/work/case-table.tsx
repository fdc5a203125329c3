import type { ReactNode } from 'react';
import type { WorklistRow } from '#prior-auth/worklist-api.ts';
import { toneWords } from '../messages.ts';
import { ClockBadge } from '../ui/clock-badge.tsx';
import { showDate } from '../ui/fhir-date.ts';
import { Badge } from '../ui/tone.tsx';
import { useNow } from '../ui/use-now.ts';
import { calendarDay } from './filters.tsx';
import { messages } from './messages.ts';
import { StateBadge } from './state-badge.tsx';

interface CaseTableProps {
  readonly rows: readonly WorklistRow[];
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (caseIds: readonly string[], on: boolean) => void;
  readonly onOpen: (caseId: string) => void;
}

/** A table on a desk, cards on a phone: the same markup, so that nothing is read twice. */
export function CaseTable({ rows, selected, onSelect, onOpen }: CaseTableProps): ReactNode {
  const now = useNow();
  const { columns } = messages;
  const all = rows.every(({ caseId }) => selected.has(caseId));
  return (
    <table className="cases" aria-label={messages.title}>
      <thead>
        <tr>
          <td className="select-cell"><input type="checkbox" aria-label={messages.selectAll} checked={all} onChange={() => onSelect(rows.map(({ caseId }) => caseId), !all)} /></td>
          {Object.values(columns).map((column) => <th key={column} scope="col">{column}</th>)}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.caseId} data-case={row.caseId} data-selected={selected.has(row.caseId) || undefined}>
            <td className="select-cell"><input type="checkbox" aria-label={messages.selectCase(row.patientName)} checked={selected.has(row.caseId)} onChange={({ target }) => onSelect([row.caseId], target.checked)} /></td>
            <th scope="row"><button type="button" className="link-button strong open-case" onClick={() => onOpen(row.caseId)}><span className="visually-hidden">{messages.openCase('')}</span>{row.patientName}</button></th>
            <td data-column={columns.service}><span>{row.service} <span className="muted small number">{row.serviceCode ?? messages.noCode}</span></span></td>
            <td data-column={columns.payer}>{row.payerName}</td>
            <td data-column={columns.state}>
              <span className="row">
                {row.wantsMore && <Badge tone="warn">{row.wantsMore.due === null ? messages.wantsMore : messages.wantsMoreBy(showDate(row.wantsMore.due))}</Badge>}
                {row.decision !== null && row.decision.tone !== 'waiting' ? <Badge tone={row.decision.tone}>{toneWords[row.decision.tone]}</Badge> : <StateBadge state={row.state} />}
                {row.handedOver && <Badge tone="waiting">{messages.handedTo(row.handedOver.takenBy ?? row.handedOver.to)}</Badge>}
              </span>
            </td>
            <td data-column={columns.clock}>{row.clock === null ? <span className="muted small">{messages.noClock}</span> : <ClockBadge clock={row.clock} now={now} />}</td>
            <td data-column={columns.touch}><Touch row={row} /></td>
            <td data-column={columns.updated} className="small muted number">{showDate(row.updatedAt)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Touch({ row }: { readonly row: WorklistRow }): ReactNode {
  if (row.nextTouch === null && row.assignedTo === null) return <span className="muted small">{messages.noTouch}</span>;
  return (
    <span className="row">
      {row.nextTouch !== null && (row.nextTouch <= calendarDay() ? <Badge tone="warn">{showDate(row.nextTouch)}</Badge> : <span className="small number">{showDate(row.nextTouch)}</span>)}
      {row.assignedTo !== null && <span className="small">{row.assignedTo.name}</span>}
    </span>
  );
}
