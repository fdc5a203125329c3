import { Button } from '@mantine/core';
import { useCallback, useEffect, useRef, useState, type ReactNode } from 'react';
import type { WorklistPage, WorklistQuery } from '#prior-auth/worklist-api.ts';
import { shared } from '../messages.ts';
import type { Failure } from '../ui/call-json.ts';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { showTime } from '../ui/fhir-date.ts';
import { Loading } from '../ui/loading.tsx';
import { Notice } from '../ui/tone.tsx';
import { useLoad } from '../ui/use-load.ts';
import { BulkBar } from './bulk-bar.tsx';
import { CaseDrawer } from './case-drawer.tsx';
import { CaseTable } from './case-table.tsx';
import { Filters, type QueryChange } from './filters.tsx';
import { messages } from './messages.ts';
import { Outages } from './outages.tsx';
import { RegisterTable } from './register-table.tsx';
import { SavedViews } from './saved-views.tsx';
import { ShortcutsDialog } from './shortcuts-dialog.tsx';
import { useLive } from './use-live.ts';
import { type Shortcut, useShortcuts } from './use-shortcuts.ts';
import { downloadCsv, readPage } from './work-call.ts';

const TYPING_PAUSE_MS = 300;
const MOST_SELECTED = 200;
const FIRST: WorklistQuery = { sort: 'clock' };
const REGISTER: WorklistQuery = { sort: 'ends', endsBy: 'any' };

/** The list of cases, or the register of authorizations. */
export function Cases({ register, me }: { readonly register: boolean; readonly me: string }): ReactNode {
  const [query, setQuery] = useState(register ? REGISTER : FIRST);
  const [after, setAfter] = useState<string>();
  const [pageNumber, setPageNumber] = useState(1);
  const [typed, setTyped] = useState('');
  const [selected, setSelected] = useState<ReadonlyMap<string, string>>(new Map());
  const [openCase, setOpenCase] = useState<string>();
  const [turn, setTurn] = useState(0);
  const [help, setHelp] = useState(false);
  const [exportFailure, setExportFailure] = useState<Failure>();
  const [refreshedAt, setRefreshedAt] = useState(0);
  const [news, setNews] = useState('');
  const last = useRef('');
  const load = useCallback(async () => {
    const reply = await readPage({ ...query, ...(after === undefined ? {} : { after }) });
    if (reply.kind === 'ok') {
      setRefreshedAt(Date.now());
      const now = linesOf(reply.value);
      // Who does not see the list is told that other cases stand in it, or the same in another state, and no more often than that.
      if (last.current !== '' && last.current !== now) setNews(messages.changed(reply.value.found.count, showTime(Date.now())));
      last.current = now;
    }
    return reply;
  }, [query, after]);
  const { value: page, failure, loading, reload } = useLoad(load);
  const changed = useCallback(() => {
    reload();
    setTurn((before) => before + 1);
  }, [reload]);
  const live = useLive(changed);

  const show = useCallback((next: WorklistQuery) => {
    setQuery(next);
    setAfter(undefined);
    setPageNumber(1);
    setSelected(new Map());
  }, []);
  const change = useCallback((one: QueryChange) => show(merge(query, one)), [query, show]);
  useEffect(() => {
    const q = typed.trim();
    if (q === (query.q ?? '')) return undefined;
    const timer = setTimeout(() => change({ q: q === '' ? undefined : q }), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, query.q, change]);

  const names = new Map(page?.rows.map(({ caseId, patientName }) => [caseId, patientName]));
  const select = (caseIds: readonly string[], on: boolean): void => setSelected((before) => {
    const next = new Map(before);
    for (const caseId of caseIds) {
      if (!on) next.delete(caseId);
      else if (next.size < MOST_SELECTED) next.set(caseId, names.get(caseId) ?? caseId);
    }
    return next;
  });
  const take = (shortcut: Shortcut): void => {
    const current = document.activeElement?.closest<HTMLElement>('tr[data-case]');
    if (shortcut === 'next' || shortcut === 'previous') {
      const rows = [...document.querySelectorAll<HTMLElement>('tr[data-case]')];
      const at = current ? rows.indexOf(current) : -1;
      rows[Math.min(rows.length - 1, Math.max(0, at + (shortcut === 'next' ? 1 : -1)))]?.querySelector<HTMLElement>('.open-case')?.focus();
    } else if (shortcut === 'select' && !register && current?.dataset['case'] !== undefined) select([current.dataset['case']], !selected.has(current.dataset['case']));
    else if (shortcut === 'search') document.getElementById('search')?.focus();
    else if (shortcut === 'renew') changed();
    else if (shortcut === 'help') setHelp(true);
  };
  const shortcuts = useShortcuts(take);
  const download = async (): Promise<void> => {
    const reply = await downloadCsv(query);
    setExportFailure(reply.kind === 'failed' ? reply.failure : undefined);
  };
  const showAll = (): void => {
    setTyped('');
    show(register ? REGISTER : FIRST);
  };

  return (
    <>
      {page && <Outages outages={page.outages} payer={page.counts.payers.filter(({ value }) => value === query.payer).map(({ value: id, name }) => ({ id, name }))[0]} onChanged={changed} />}
      <Filters query={query} counts={page?.counts} me={me} typed={typed} onType={setTyped} onChange={change} />
      <div className="row-apart">
        {!register && <SavedViews query={query} onShow={(next) => { setTyped(next.q ?? ''); show(next); }} />}
        <span className="row">
          <Button size="xs" variant="default" onClick={() => void download()}>{messages.export}</Button>
          <Button size="xs" variant="default" onClick={() => setHelp(true)}>{messages.shortcuts.title}</Button>
        </span>
      </div>
      {exportFailure && <FailureNotice failure={exportFailure} />}
      {failure && (page === undefined
        ? <FailureNotice failure={failure} onRetry={reload} />
        : <Notice tone="warn" live="polite"><p>{messages.refreshFailed}</p><div><Button size="xs" variant="default" onClick={reload}>{shared.retry}</Button></div></Notice>)}
      {page === undefined && loading && <Loading>{messages.loading}</Loading>}
      <BulkBar selected={selected} onClear={() => setSelected(new Map())} onDone={changed} />
      {page && page.rows.length === 0 && <Empty none={page.counts.all === 0} register={register} onShowAll={showAll} />}
      {page && page.rows.length > 0 && (register ? <RegisterTable rows={page.rows} onOpen={setOpenCase} /> : <CaseTable rows={page.rows} selected={new Set(selected.keys())} onSelect={select} onOpen={setOpenCase} />)}
      {page && (
        <div className="row-apart">
          <span className="small muted">{page.found.more ? messages.countMore(page.found.count) : messages.count(page.found.count)} · {messages.page(pageNumber)}</span>
          <span className="row">
            {after !== undefined && <Button size="xs" variant="default" onClick={() => { setAfter(undefined); setPageNumber(1); }}>{messages.newer}</Button>}
            {page.next !== null && <Button size="xs" variant="default" onClick={() => { setAfter(page.next ?? undefined); setPageNumber((before) => before + 1); }}>{messages.older}</Button>}
          </span>
          <span className="small muted number">{messages.live[live]} · {messages.refreshed(showTime(refreshedAt))} · {messages.countedAt(showTime(Date.parse(page.counts.at)))}</span>
        </div>
      )}
      <output className="visually-hidden" aria-live="polite">{news}</output>
      {openCase !== undefined && <CaseDrawer caseId={openCase} turn={turn} onChanged={changed} onClose={() => setOpenCase(undefined)} />}
      {help && <ShortcutsDialog on={shortcuts.on} onTurn={shortcuts.setOn} onClose={() => setHelp(false)} />}
    </>
  );
}

function merge(query: WorklistQuery, change: QueryChange): WorklistQuery {
  const merged = { ...query, ...change };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined)) as unknown as WorklistQuery;
}

function linesOf({ rows }: WorklistPage): string {
  return rows.map(({ caseId, state, updatedAt }) => `${caseId} ${state} ${updatedAt}`).join();
}

function Empty({ none, register, onShowAll }: { readonly none: boolean; readonly register: boolean; readonly onShowAll: () => void }): ReactNode {
  const words = none ? messages.empty : register ? messages.register.empty : messages.nothingFound;
  return (
    <div className="card stack empty">
      <h2>{words.title}</h2>
      <p>{words.text}</p>
      <div>{none ? <a href="/">{words.action}</a> : <Button variant="default" onClick={onShowAll}>{words.action}</Button>}</div>
    </div>
  );
}
