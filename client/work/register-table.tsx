import type { ReactNode } from 'react';
import type { WorklistRow } from '#prior-auth/worklist-api.ts';
import { showDate } from '../ui/fhir-date.ts';
import { Badge } from '../ui/tone.tsx';
import { messages } from './messages.ts';

/** What payers authorized, what is left of it, what ends soon. */
export function RegisterTable({ rows, onOpen }: { readonly rows: readonly WorklistRow[]; readonly onOpen: (caseId: string) => void }): ReactNode {
  const { columns } = messages.register;
  return (
    <table className="cases" aria-label={messages.register.title}>
      <thead><tr>{Object.values(columns).map((column) => <th key={column} scope="col">{column}</th>)}</tr></thead>
      <tbody>
        {rows.flatMap((row) => row.authorizations.map((one) => (
          <tr key={`${row.caseId} ${one.sequence}`} data-case={row.caseId}>
            <th scope="row"><button type="button" className="link-button strong open-case" onClick={() => onOpen(row.caseId)}><span className="visually-hidden">{messages.openCase('')}</span>{row.patientName}</button></th>
            <td data-column={columns.service}>{one.service}</td>
            <td data-column={columns.payer}>{row.payerName}</td>
            <td data-column={columns.number} className="number">{one.number ?? <span className="muted small">{messages.register.noNumber}</span>}</td>
            <td data-column={columns.valid}>
              <span className="row">
                <span className="small number">{one.validity?.start === undefined ? '' : `${showDate(one.validity.start)} – `}{one.validity?.end === undefined ? messages.register.noEnd : showDate(one.validity.end)}</span>
                {one.status !== 'in-force' && <Badge tone={one.status === 'ends-soon' ? 'warn' : 'plain'}>{messages.register.statuses[one.status]}</Badge>}
              </span>
            </td>
            <td data-column={columns.units} className="number">{messages.register.units(one.used, one.authorized?.value, one.authorized?.unit)}</td>
          </tr>
        )))}
      </tbody>
    </table>
  );
}
