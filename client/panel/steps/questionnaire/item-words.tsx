import type { ReactNode } from 'react';
import type { AnswerProblem, ItemMedia, ShownItem } from '#prior-auth/questionnaire/form.ts';
import { problemWords } from '../../../messages.ts';
import { messages } from '../../messages.ts';
import { useField } from './field-context.tsx';
import { InputProblem } from './input-problem.tsx';
import { SafeXhtml } from './safe-xhtml.tsx';

/** questionnaire-item-control: those that change how an item is shown here, and those whose plain form says the same. */
const KNOWN_CONTROLS: readonly string[] = [
  'list', 'table', 'htable', 'gtable', 'grid', 'atable', 'tab-container', 'page', 'header', 'footer', 'inline', 'prompt', 'unit', 'lower', 'upper', 'flyover', 'help', 'legal', 'instructions',
  'autocomplete', 'drop-down', 'check-box', 'lookup', 'radio-button', 'slider', 'spinner', 'text-box', 'text-area',
];

export function ItemLabel({ item }: { readonly item: ShownItem }): ReactNode {
  const { formLanguage } = useField();
  return <span lang={formLanguage}>{item.prefix !== undefined && <span className="muted">{item.prefix} </span>}{item.labelXhtml === undefined ? item.label : <SafeXhtml xhtml={item.labelXhtml} plain={item.label} />}</span>;
}

/** Everything that is to be read before answering: help, form of the answer, what the program does not know of the form. */
export function Help({ item, id }: { readonly item: ShownItem; readonly id: string }): ReactNode {
  const lines = helpLines(item);
  return lines.length === 0 ? null : <div className="small muted stack-tight" id={id}>{lines.map((line) => <p key={line} className="unhurried">{line}</p>)}</div>;
}

export function helpLines(item: ShownItem): readonly string[] {
  const words = messages.form;
  return [
    item.help,
    item.entryFormat === undefined ? undefined : words.format(item.entryFormat),
    item.constraints.mimeTypes === undefined ? undefined : words.fileTypes(item.constraints.mimeTypes.join(', ')),
    item.referenceTypes.length === 0 ? undefined : words.references.types(item.referenceTypes.join(', ')),
    item.referenceProfiles.length === 0 ? undefined : words.references.profiles(item.referenceProfiles.map(lastPart).join(', ')),
    item.lookupQuestionnaire === undefined ? undefined : words.lookup(lastPart(item.lookupQuestionnaire)),
    item.unknownType === undefined ? undefined : words.unknownType(item.unknownType),
    item.control === undefined || KNOWN_CONTROLS.includes(item.control) ? undefined : words.unknownControl(item.control),
  ].filter((line) => line !== undefined);
}

/** Links of the payer: opened by a person in a new tab, fetched by nobody else. */
export function SupportLinks({ item }: { readonly item: ShownItem }): ReactNode {
  return item.supportLinks.map(({ url, label }) => (
    <a key={url} className="small" href={url} target="_blank" rel="noopener noreferrer">{label === undefined ? messages.form.supportLink : messages.form.supportLinkOf(label)}</a>
  ));
}

/** Media that the form itself carries; captions are the payer's to give. */
/* oxlint-disable jsx-a11y/media-has-caption */
export function Media({ media, label }: { readonly media: ItemMedia | undefined; readonly label: string }): ReactNode {
  if (media === undefined) return null;
  const title = media.title === '' ? label : media.title;
  if (media.contentType.startsWith('audio/')) return <audio className="item-media" controls src={media.url} aria-label={title} />;
  if (media.contentType.startsWith('video/')) return <video className="item-media" controls src={media.url} aria-label={title} />;
  return <img className="item-media" src={media.url} alt={title} />;
}

/** Without what the input itself says of words that it cannot read. */
export function Problems({ item, id }: { readonly item: ShownItem; readonly id: string }): ReactNode {
  const { readOnly } = useField();
  const saidByInput = ({ code, index }: AnswerProblem): boolean => code === 'type' && !readOnly && !item.readOnly && item.options.length === 0 && item.type !== 'boolean' && item.answers[index ?? 0]?.value.valueString !== undefined;
  const problems = item.problems.filter((problem) => !saidByInput(problem));
  if (problems.length === 0) return null;
  return <div id={id} className="stack-tight">{problems.map((problem) => <InputProblem key={`${problem.code} ${problem.index} ${problem.message}`}>{problemWords(problem, item.constraints)}</InputProblem>)}</div>;
}

function lastPart(canonical: string): string {
  return canonical.split('|')[0]?.split('/').at(-1) ?? canonical;
}
