import { CARD_TYPE_CODES } from '#fhir/generated/code-sets.ts';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import type { CrdVersion } from '../hook-call.ts';
import { actionFaults, hasEmpty, shapeOf, targetOf } from './action-rules.ts';
import { type AnswerFault, faultsOf, isLoose, isText, type Loose, looseList, type Rule } from './fault.ts';

/* Cards: CDS Hooks 2.0 §2.4 and the response types of CRD. */

export interface CardInAnswer {
  readonly card: Loose;
  readonly version: CrdVersion;
  /** "Type/id" of what the call is about. */
  readonly sent: ReadonlySet<string>;
  /** "Type/id" of the drafts that a suggestion may change or remove. */
  readonly drafts: ReadonlySet<string>;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const ASSOCIATED = 'davinci-crd.associated-resource';
const CRD_TOPICS: { readonly [V in CrdVersion]: string } = { '2.0': CRD_URLS.codesTemp, '2.2': CRD_URLS.cardTypes };

const topicOf = ({ card }: CardInAnswer): Loose => (isLoose(card['source']) && isLoose(card['source']['topic']) ? card['source']['topic'] : {});
const suggestionsOf = ({ card }: CardInAnswer): readonly Loose[] => looseList(card['suggestions']);
const linksOf = ({ card }: CardInAnswer): readonly Loose[] => looseList(card['links']);
const actionsOf = (suggestion: Loose): readonly Loose[] => looseList(suggestion['actions']);
const isList = (value: unknown): boolean => value === undefined || (Array.isArray(value) && value.length > 0 && value.every(isLoose));

const CARD_RULES: readonly Rule<CardInAnswer>[] = [
  { id: 'summary', says: 'a summary of fewer than 140 characters', broken: ({ card: { summary } }) => !isText(summary) || summary.length >= 140 },
  { id: 'indicator', says: 'indicator info, warning or critical', broken: ({ card: { indicator } }) => !['info', 'warning', 'critical'].includes(String(indicator)) },
  { id: 'source', says: 'a source with a label', broken: ({ card: { source } }) => !isLoose(source) || !isText(source['label']) },
  { id: 'topic', says: 'a topic with system and code', broken: (c) => !isText(topicOf(c)['system']) || !isText(topicOf(c)['code']) },
  {
    id: 'topic-code', says: "a topic in CRD's code system is one of its card types, in the system of this version", guide: ['2.2'],
    broken: (c) => Object.values(CRD_TOPICS).includes(String(topicOf(c)['system'])) && (topicOf(c)['system'] !== CRD_TOPICS[c.version] || !CARD_TYPE_CODES.some((code) => code === topicOf(c)['code'])),
  },
  { id: 'coverage-information-card', says: 'no card on coverage information', guide: ['2.2'], broken: (c) => topicOf(c)['code'] === 'coverage-info' },
  { id: 'uuid', says: 'a UUID on the card and on each suggestion', guide: ['2.2'], broken: (c) => [c.card, ...suggestionsOf(c)].some(({ uuid }) => !UUID.test(String(uuid))) },
  { id: 'detail', says: 'instructions have a detail', guide: ['2.2'], broken: (c) => suggestionsOf(c).length === 0 && linksOf(c).length === 0 && !isText(c.card['detail']) },
  { id: 'lists', says: 'links, suggestions and override reasons are lists with members', broken: ({ card }) => ![card['links'], card['suggestions'], card['overrideReasons']].every(isList) },
  { id: 'links', says: 'a link has label, web address and type; appContext only with smart', broken: (c) => linksOf(c).some(({ label, url, type, appContext }) => !isText(label) || !/^https?:\/\/\S+$/.test(String(url)) || !['absolute', 'smart'].includes(String(type)) || (appContext !== undefined && (type !== 'smart' || !isText(appContext)))) },
  { id: 'links-of-one-type', says: 'all links of a card are of one type', broken: (c) => new Set(linksOf(c).map(({ type }) => type)).size > 1 },
  { id: 'links-or-suggestions', says: 'links or suggestions, not both', broken: (c) => linksOf(c).length > 0 && suggestionsOf(c).length > 0 },
  { id: 'selection-behavior', says: 'selectionBehavior at-most-one or any, with suggestions only', broken: (c) => (suggestionsOf(c).length > 0 ? !['at-most-one', 'any'].includes(String(c.card['selectionBehavior'])) : c.card['selectionBehavior'] !== undefined) },
  { id: 'suggestions', says: 'a suggestion has a label and actions', broken: (c) => suggestionsOf(c).some((suggestion) => !isText(suggestion['label']) || !Array.isArray(suggestion['actions']) || suggestion['actions'].length === 0 || !suggestion['actions'].every(isLoose)) },
  { id: 'recommended', says: 'several recommended suggestions only with any', broken: (c) => c.card['selectionBehavior'] !== 'any' && suggestionsOf(c).filter(({ isRecommended }) => isRecommended === true).length > 1 },
  { id: 'response-type', says: 'the suggestions are of one response type of CRD', broken: (c) => { const shapes = new Set(suggestionsOf(c).map((suggestion) => shapeOf(actionsOf(suggestion), c.version))); return shapes.has(undefined) || shapes.size > 1; } },
  { id: 'one-coverage-suggestion', says: 'a change of coverage is the only suggestion', broken: (c) => suggestionsOf(c).length > 1 && suggestionsOf(c).some((suggestion) => shapeOf(actionsOf(suggestion), c.version) === 'update-coverage') },
  { id: 'drafts', says: 'what is changed or removed is a draft of the call', broken: (c) => suggestionsOf(c).flatMap(actionsOf).some((action) => (action['type'] === 'update' || action['type'] === 'delete') && !targetOf(action)?.startsWith('Coverage/') && !c.drafts.has(targetOf(action) ?? '')) },
  { id: 'override-reasons', says: 'an override reason has system, code and display', broken: ({ card }) => looseList(card['overrideReasons']).some(({ system, code, display }) => !isText(system) || !isText(code) || !isText(display)) },
  { id: 'associated-resource', says: 'associated resources are of the call, written as this version does', broken: (c) => !associatedFit(c) },
  { id: 'nothing-empty', says: 'no field is null or empty', broken: ({ card: { suggestions, ...rest } }) => hasEmpty(rest) || looseList(suggestions).some(({ actions: _checked, ...suggestion }) => hasEmpty(suggestion)) },
];

export function cardFaults(inAnswer: Omit<CardInAnswer, 'card'> & { readonly card: unknown }): readonly AnswerFault[] {
  const card = isLoose(inAnswer.card) ? inAnswer.card : {};
  const actions = looseList(card['suggestions']).flatMap(actionsOf).flatMap((action) => actionFaults(action, inAnswer.version));
  return [...faultsOf(CARD_RULES, { ...inAnswer, card }, inAnswer.version), ...actions];
}

function associatedFit({ card: { extension }, version, sent }: CardInAnswer): boolean {
  const associated = isLoose(extension) ? extension[ASSOCIATED] : undefined;
  if (associated === undefined) return true;
  if (!Array.isArray(associated)) return false;
  return associated.every((each: unknown) => {
    const reference = version === '2.0' ? each : isLoose(each) ? each['reference'] : undefined;
    return typeof reference === 'string' && sent.has(reference);
  });
}
