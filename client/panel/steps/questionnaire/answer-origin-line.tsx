import type { ReactNode } from 'react';
import type { ShownAnswer, ShownItem } from '#prior-auth/questionnaire/form.ts';
import { Icon, type IconName } from '../../../ui/icon.tsx';
import { messages } from '../../messages.ts';
import { useField } from './field-context.tsx';

const ICONS: Readonly<Record<ShownAnswer['origin'], IconName>> = { auto: 'record', override: 'pencil', manual: 'person' };

/** Where an answer came from. A tap opens what the record says. */
export function AnswerOriginLine({ item, answer, id }: { readonly item: ShownItem; readonly answer: ShownAnswer; readonly id: string }): ReactNode {
  const { sources, userReference, showSources } = useField();
  const evidence = sources[item.path] ?? [];
  const words = originWords(answer, userReference);
  const inside = <><Icon name={ICONS[answer.origin]} /><span>{words}</span></>;
  if (evidence.length === 0) return <span className="origin" id={id}>{inside}</span>;
  const open = (): void => showSources(item.label, evidence);
  if (answer.origin === 'auto') {
    return <button type="button" className="origin origin-open" id={id} onClick={open}>{inside}<span className="visually-hidden">. {messages.origin.showSource(item.label)}</span></button>;
  }
  return (
    <span className="row">
      <span className="origin" id={id}>{inside}</span>
      <button type="button" className="origin origin-open" onClick={open}><Icon name="record" /><span>{messages.origin.recordSays}</span><span className="visually-hidden">: {item.label}</span></button>
    </span>
  );
}

export function originWords(answer: Pick<ShownAnswer, 'origin' | 'author'>, userReference: string): string {
  const words = messages.origin;
  if (answer.origin === 'auto') return words.auto;
  const byYou = answer.author === undefined || answer.author.reference === userReference;
  const name = answer.author?.display ?? words.someone;
  if (answer.origin === 'override') return byYou ? words.overrideYou : words.overrideOther(name);
  return byYou ? words.manualYou : words.manualOther(name);
}
