import { Button } from '@mantine/core';
import { useMemo, useState, type ReactNode } from 'react';
import type { ShownForm, ShownItem } from '#prior-auth/questionnaire/form.ts';
import { messages } from '../../messages.ts';
import { FieldProvider, focusItem, nextPartId, placeId, useField } from './field-context.tsx';
import { ItemList } from './item-field.tsx';
import { SignatureField } from './signature-field.tsx';

/** The questions, all at once or in the payer's order (entryMode), who should answer them, and the signature at the end. */
export function FormParts({ shown }: { readonly shown: ShownForm }): ReactNode {
  const { readOnly, idPrefix } = useField();
  const { entryMode, items, performerTypes, signature } = shown;
  return (
    <>
      {performerTypes.length > 0 && <p className="small muted">{messages.form.performers(performerTypes.join(', '))}</p>}
      {entryMode === 'random' || readOnly || items.length < 2 ? <ItemList items={items} /> : <InOrder shown={shown} oneWay={entryMode === 'sequential'} />}
      {signature && <SignatureField signature={signature} path="" id={placeId(idPrefix, '')} of={shown.title} />}
    </>
  );
}

/** Shown up to the part that is answered now. What was gone past stays on the screen; in sequential mode it can only be read. */
function InOrder({ shown: { items, gaps, problems }, oneWay }: { readonly shown: ShownForm; readonly oneWay: boolean }): ReactNode {
  const field = useField();
  const words = messages.form;
  const [position, setPosition] = useState(0);
  const at = Math.min(position, items.length - 1);
  const current = items[at];
  const locked = useMemo(() => ({ ...field, readOnly: true }), [field]);
  const past = items.slice(0, at);
  const open = current === undefined ? undefined : [...gaps, ...problems.filter(({ blocking }) => blocking)].find(({ path }) => isWithin(path, current));
  const goOn = (): void => {
    if (oneWay && open !== undefined) return focusItem(field.idPrefix, open.path);
    setPosition(at + 1);
  };
  return (
    <>
      <p className="small muted">{oneWay ? words.oneWay : words.inOrder} {words.partOf(at + 1, items.length)}</p>
      {oneWay ? <FieldProvider value={locked}><ItemList items={past} /></FieldProvider> : <ItemList items={past} />}
      {current && <ItemList items={[current]} />}
      {at < items.length - 1 && <div id={nextPartId(field.idPrefix)} tabIndex={-1}><Button variant="light" onClick={goOn}>{words.nextPart}</Button></div>}
    </>
  );
}

function isWithin(path: string, { path: part }: ShownItem): boolean {
  return path === part || path.startsWith(`${part}/`) || path.startsWith(`${part}[`);
}
