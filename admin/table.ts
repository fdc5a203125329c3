import { type Html, html } from './html.ts';

export interface Column {
  readonly name: string;
  /** Holds words of ours only: none is ever broken in two. */
  readonly words?: true;
}

export interface Row {
  readonly heading: Html | string;
  /** Of the columns after the first. */
  readonly cells: readonly (Html | string | number)[];
}

/** On a narrow screen each row is a card whose cells carry their column's name (STYLE of html.ts); the roles say that it is a table all the same. */
export function table(caption: string, columns: readonly Column[], rows: readonly Row[]): Html {
  const [, ...others] = columns;
  const written = rows.map(({ heading, cells }) => html`<tr role="row"><th scope="row" role="rowheader">${heading}</th>${others.map((column, i) => cell(column, cells[i] ?? ''))}</tr>
`);
  return html`<div class="wide" tabindex="0" role="region" aria-label="${caption}"><table role="table"><caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(({ name }) => html`<th scope="col" role="columnheader">${name}</th>`)}</tr></thead>
<tbody role="rowgroup">${written}</tbody></table></div>`;
}

function cell({ name, words }: Column, content: Html | string | number): Html {
  return words ? html`<td role="cell" class="words" data-label="${name}">${content}</td>` : html`<td role="cell" data-label="${name}">${content}</td>`;
}
