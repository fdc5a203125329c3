/* The ARIA combobox pattern: the keyboard stays in the input, which names the active option; no HTML element does this. */
/* oxlint-disable jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/no-noninteractive-element-to-interactive-role, jsx-a11y/prefer-tag-over-role, jsx-a11y/role-has-required-aria-props */
import { useEffect, useId, useRef, useState, type ReactNode } from 'react';
import type { Reply } from '../../../ui/call-json.ts';
import { messages } from '../../messages.ts';

export interface Found<T> {
  readonly matches: readonly { readonly key: string; readonly label: string; readonly hint?: string; readonly value: T }[];
  readonly more: boolean;
}

export interface SearchComboboxProps<T> {
  readonly id: string;
  /** Set when no visible label points at `id`. */
  readonly label?: string | undefined;
  readonly describedBy: string;
  readonly invalid: boolean;
  readonly required: boolean;
  readonly placeholder?: string | undefined;
  /** What is chosen, in words. */
  readonly chosen: string;
  readonly search: (filter: string) => Promise<Reply<Found<T>>>;
  /** `undefined`: the text was emptied. */
  readonly onPick: (value: T | undefined) => void;
  /** Words that are an answer by themselves, as they are typed. Without it, what is not picked is no answer and goes when the focus goes. */
  readonly onText?: ((text: string) => void) | undefined;
}

type Search<T> = { readonly kind: 'closed' } | { readonly kind: 'searching' } | { readonly kind: 'failed' } | ({ readonly kind: 'found' } & Found<T>);

const TYPING_PAUSE_MS = 200;

/** Type to search, arrows and Enter to pick (ARIA combobox with a list). */
export function SearchCombobox<T>({ id, label, describedBy, invalid, required, placeholder, chosen, search, onPick, onText }: SearchComboboxProps<T>): ReactNode {
  const words = messages.form.search;
  const [typed, setTyped] = useState<string>();
  const [result, setResult] = useState<Search<T>>({ kind: 'closed' });
  const [active, setActive] = useState(0);
  const listId = useId();
  const asked = useRef(0);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  const ask = (filter: string, pause: number): void => {
    const turn = (asked.current += 1);
    clearTimeout(timer.current);
    setActive(0);
    setResult({ kind: 'searching' });
    timer.current = setTimeout(() => {
      void search(filter).then((reply) => {
        // A late answer to an older question is thrown away.
        if (turn === asked.current) setResult(reply.kind === 'ok' ? { kind: 'found', ...reply.value } : { kind: 'failed' });
      });
    }, pause);
  };
  const close = (): void => {
    asked.current += 1;
    clearTimeout(timer.current);
    setTyped(undefined);
    setResult({ kind: 'closed' });
  };
  const pick = (value: T): void => {
    close();
    onPick(value);
  };
  const type_ = (text: string): void => {
    setTyped(text);
    if (text === '') onPick(undefined);
    else onText?.(text);
    ask(text, TYPING_PAUSE_MS);
  };
  const matches = result.kind === 'found' ? result.matches : [];
  const current = matches[active];
  const status = result.kind === 'closed' ? '' : result.kind === 'searching' ? words.searching : result.kind === 'failed' ? words.failed
    : matches.length === 0 ? words.none : `${words.found(matches.length)}${result.more ? `. ${words.more}` : ''}`;

  return (
    <div className="search" onBlur={(event) => { if (!event.currentTarget.contains(event.relatedTarget)) close(); }}>
      <input
        id={id}
        className="control"
        type="text"
        role="combobox"
        autoComplete="off"
        aria-autocomplete="list"
        aria-expanded={matches.length > 0}
        aria-controls={listId}
        aria-activedescendant={current === undefined ? undefined : `${listId}-${active}`}
        aria-label={label}
        aria-describedby={`${describedBy} ${listId}-status`.trim()}
        aria-invalid={invalid || undefined}
        aria-required={required || undefined}
        placeholder={placeholder ?? words.hint}
        value={typed ?? chosen}
        onChange={(event) => type_(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
            event.preventDefault();
            if (result.kind === 'closed' || result.kind === 'failed') ask(typed ?? '', 0);
            else if (matches.length > 0) setActive((active + (event.key === 'ArrowDown' ? 1 : matches.length - 1)) % matches.length);
          } else if (event.key === 'Enter' && current !== undefined) {
            event.preventDefault();
            pick(current.value);
          } else if (event.key === 'Escape' && result.kind !== 'closed') {
            event.stopPropagation();
            close();
          }
        }}
      />
      <ul id={listId} role="listbox" aria-label={words.hint} className="search-list" hidden={matches.length === 0}>
        {matches.map((match, index) => (
          <li key={match.key} id={`${listId}-${index}`} role="option" aria-selected={index === active} onMouseDown={(event) => event.preventDefault()} onClick={() => pick(match.value)}>
            {match.label}{match.hint !== undefined && <span className="small muted"> {match.hint}</span>}
          </li>
        ))}
      </ul>
      <output className="small muted" id={`${listId}-status`}>{status}</output>
    </div>
  );
}
