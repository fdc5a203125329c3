import { referenceTo } from '#fhir/base/reference.ts';
import { newCardId } from './card-id.ts';
import type { DeterminedFocus } from './determined-focus.ts';
import type { Card, Topic } from './hook-answer.ts';
import type { AnswerWriter } from './versions/answer-writer.ts';

/** What all cards on one order, appointment or encounter share. */
export interface CardSubject {
  readonly focus: DeterminedFocus;
  readonly writer: AnswerWriter;
}

export interface CardText {
  /** What the card is counted as in feedback: an own name, or "policy-id/response-id". */
  readonly kind: string;
  readonly summary: string;
  /** Paragraphs of Markdown; what comes from the record has gone through `plain`. */
  readonly detail: readonly string[];
  readonly indicator: Card['indicator'];
  readonly topic: Topic;
  readonly extension?: Card['extension'];
  readonly overrideReasons?: Card['overrideReasons'];
  /** Who speaks, where it is not the payer. */
  readonly speaker?: string;
}

/** The label of cards that say nothing on the payer's behalf. */
export const OWN_LABEL = 'Open Prior Auth';

/** CDS Hooks 2.0: fewer than 140 characters. */
const MAX_SUMMARY = 139;

/** A card with payer, topic, order and policy. Several orders may be in one call, so its text names the one it is about. */
export function frameCard({ focus, writer }: CardSubject, { kind, summary, detail, indicator, topic, extension, overrideReasons, speaker }: CardText): Card {
  const { service, payerName, otherPayers } = focus;
  const code = service?.codings[0]?.code;
  const reference = referenceTo(focus.focus);
  return {
    uuid: newCardId(kind),
    summary: cut(summary, MAX_SUMMARY),
    detail: [...(service ? [`**${plain(service.display)}**${code && code !== service.display ? ` (${plain(code)})` : ''}`] : []), ...detail, ...(otherPayers.length > 0 ? [`The patient is also insured with ${otherPayers.map(plain).join(', ')}: this speaks for ${plain(payerName)} only.`] : []), ...sourceLine(focus)].join('\n\n'),
    indicator,
    source: { label: speaker ?? payerName, topic },
    ...(overrideReasons ? { overrideReasons } : {}),
    extension: { ...(reference === undefined ? {} : { 'davinci-crd.associated-resource': writer.associatedResources([reference]) }), ...extension },
  };
}

function sourceLine({ determination: { applicable } }: DeterminedFocus): readonly string[] {
  return applicable ? [`Policy: ${applicable.policy.title}, revision ${applicable.revision.revision}. Based on ${applicable.revision.source.title}.`] : [];
}

/** Text of a record, so that it cannot act as Markdown or HTML. */
export function plain(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').replace(/[\\`*_[\]<>#|~]/g, (character) => `\\${character}`);
}

/** Cut between characters, never within one. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const kept = text.slice(0, length - 1);
  return `${/[\uD800-\uDBFF]$/.test(kept) ? kept.slice(0, -1) : kept}…`;
}
