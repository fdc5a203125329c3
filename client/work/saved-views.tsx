import { Button } from '@mantine/core';
import { useState, type FormEvent, type ReactNode } from 'react';
import type { WorklistQuery } from '#prior-auth/worklist-api.ts';
import type { Failure } from '../ui/call-json.ts';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { useLoad } from '../ui/use-load.ts';
import { textOf } from './form-text.ts';
import { messages } from './messages.ts';
import { readViews, removeView, saveView } from './work-call.ts';

/** Filters by name: one's own, and those that colleagues share. */
export function SavedViews({ query, onShow }: { readonly query: WorklistQuery; readonly onShow: (query: WorklistQuery) => void }): ReactNode {
  const words = messages.views;
  const { value, reload } = useLoad(readViews);
  const [chosen, setChosen] = useState('');
  const [failure, setFailure] = useState<Failure>();
  const view = value?.views.find(({ id }) => id === chosen);
  const show = (id: string): void => {
    setChosen(id);
    const found = value?.views.find((one) => one.id === id);
    if (found) onShow(found.query);
  };
  const save = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    const reply = await saveView({ name: textOf(data, 'view-name'), shared: data.get('shared') === 'on', query });
    if (reply.kind === 'failed') return setFailure(reply.failure);
    setFailure(undefined);
    setChosen(reply.value.id);
    form.reset();
    reload();
  };
  const remove = async (id: string): Promise<void> => {
    const reply = await removeView(id);
    if (reply.kind === 'failed') return setFailure(reply.failure);
    setChosen('');
    reload();
  };
  return (
    <details>
      <summary>{words.title}{value && value.views.length > 0 && <> ({value.views.length})</>}</summary>
      <div className="filters details-body">
        {value && value.views.length > 0 && (
          <div className="field filter-choice">
            <label htmlFor="view">{words.choose}</label>
            <select id="view" className="control" value={chosen} onChange={({ target }) => show(target.value)}>
              <option value="">{words.none}</option>
              {value.views.map((one) => <option key={one.id} value={one.id}>{one.mine ? one.name : words.of(one.name, one.ownerName)}{one.mine && one.shared ? ` · ${words.isShared}` : ''}</option>)}
            </select>
          </div>
        )}
        {view?.mine && <Button size="xs" variant="default" onClick={() => void remove(view.id)}>{words.remove}</Button>}
        <form className="row" onSubmit={(event) => void save(event)}>
          <div className="field"><label htmlFor="view-name">{words.name}</label><input id="view-name" name="view-name" className="control" required maxLength={80} autoComplete="off" /></div>
          <label className="row"><input type="checkbox" name="shared" /> {words.share}</label>
          <Button size="xs" variant="default" type="submit">{words.save}</Button>
        </form>
      </div>
      {failure && <FailureNotice failure={failure} />}
    </details>
  );
}
