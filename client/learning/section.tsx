import { useId, type ReactNode } from 'react';
import { Badge } from '../ui/tone.tsx';
import { messages } from './messages.ts';

interface SectionProps {
  readonly title: string;
  /** Its figures are of simulated decisions. */
  readonly simulated?: boolean;
  readonly children: ReactNode;
}

export function Section({ title, simulated = false, children }: SectionProps): ReactNode {
  const id = useId();
  return (
    <section className="card stack" aria-labelledby={id}>
      <div className="row">
        <h2 id={id}>{title}</h2>
        {simulated && <Badge tone="warn">{messages.simulated}</Badge>}
      </div>
      {children}
    </section>
  );
}

interface FiguresTableProps {
  readonly caption: string;
  readonly head: readonly string[];
  /** The first cell is the row's header. */
  readonly rows: readonly (readonly ReactNode[])[];
}

/** On a narrow screen each row is a card with the column's name before each cell. */
export function FiguresTable({ caption, head, rows }: FiguresTableProps): ReactNode {
  return (
    <table className="figures">
      <caption className="visually-hidden">{caption}</caption>
      <thead><tr>{head.map((word) => <th key={word} scope="col">{word}</th>)}</tr></thead>
      <tbody>{rows.map((cells, row) => <tr key={row}>{cells.map((cell, column) => (column === 0 ? <th key={column} scope="row">{cell}</th> : <td key={column} data-column={head[column]}><div>{cell}</div></td>))}</tr>)}</tbody>
    </table>
  );
}

/** The figures of a chart, for whoever does not read it with the eyes. */
export function AsTable(props: FiguresTableProps): ReactNode {
  return <details><summary className="small">{messages.asTable}</summary><div className="details-body"><FiguresTable {...props} /></div></details>;
}
