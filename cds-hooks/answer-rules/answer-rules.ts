import type { Resource } from '@medplum/fhirtypes';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import { type CrdVersion, type Hook, PRIMARY_HOOKS } from '../hook-call.ts';
import { actionFaults, carriesCoverageInformation, shapeOf, targetOf } from './action-rules.ts';
import { cardFaults } from './card-rules.ts';
import { asksForDocuments, coverageInformationFaults } from './coverage-information-rules.ts';
import { type AnswerFault, isLoose, type Loose, looseList } from './fault.ts';

/** What an answer is held against. */
export interface AnswerContext {
  readonly hook: Hook;
  readonly version: CrdVersion;
  /** What the call is about, as it came, by "Type/id". */
  readonly sent: ReadonlyMap<string, Resource>;
  /** "Type/id" of the drafts that a suggestion may change or remove. */
  readonly drafts: ReadonlySet<string>;
  /** false: the client has switched coverage information off. */
  readonly coverageInformation: boolean;
}

export interface FaultInAnswer extends AnswerFault {
  readonly part: 'card' | 'system-action' | 'answer';
  /** Of the card or system action. */
  readonly index: number;
}

/** Every rule of CDS Hooks and CRD that the answer breaks in its version, with the card or action that breaks it. */
export function answerFaults(answer: unknown, context: AnswerContext): readonly FaultInAnswer[] {
  const { cards, systemActions } = isLoose(answer) ? answer : {};
  const { version, drafts } = context;
  const sent = new Set(context.sent.keys());
  const cardList: readonly unknown[] = Array.isArray(cards) ? cards : [];
  const actionList: readonly unknown[] = Array.isArray(systemActions) ? systemActions : [];
  const ofCards = cardList.flatMap((card, index) => cardFaults({ card, version, sent, drafts }).map((fault) => ({ ...fault, part: 'card' as const, index })));
  const ofActions = actionList.flatMap((action, index) => systemActionFaults(action, index, actionList, context).map((fault) => ({ ...fault, part: 'system-action' as const, index })));
  return [...ofCards, ...repeatedIds(cardList), ...ofActions, ...wholeFaults(cards, systemActions, actionList, context)];
}

/** Faults of the coverage-information that the answer put on one resource; what the client sent with it is not this answer's. */
function systemActionFaults(action: unknown, index: number, all: readonly unknown[], { hook, version, sent }: AnswerContext): readonly AnswerFault[] {
  if (!isLoose(action)) return [{ rule: 'action-type', says: 'an action is an object', guide: true }];
  const faults = [...actionFaults(action, version)];
  const target = targetOf(action);
  const before = target === undefined ? undefined : sent.get(target);
  const shape = shapeOf([action], version);
  if (carriesCoverageInformation(action)) {
    faults.push(...coverageInformationFaults(action['resource'], version, isNew(before)));
    if (!PRIMARY_HOOKS.has(hook) && asksForDocuments(action['resource'], isNew(before))) faults.push({ rule: 'secondary-hook', says: 'a secondary hook asks for no documents', guide: true });
    if (action['type'] !== 'update') faults.push({ rule: 'coverage-information-update', says: 'coverage-information comes as an update', guide: true });
    if (!before || !isLoose(action['resource'])) faults.push({ rule: 'of-the-call', says: 'coverage-information is on a resource of the call', guide: true });
    else if (!onlyCoverageInformationDiffers(before as unknown as Loose, action['resource'])) faults.push({ rule: 'nothing-else-changed', says: 'nothing but coverage-information is changed', guide: true });
  } else if (shape !== 'update-coverage' && shape !== 'form-completion' && !isQuestionnaire(action)) {
    faults.push({ rule: 'system-action-type', says: 'a system action is coverage-information, a form or a change of coverage', guide: true });
  }
  const first = all.findIndex((each) => isLoose(each) && each['type'] === 'update' && targetOf(each) === target);
  if (action['type'] === 'update' && first !== index) faults.push({ rule: 'one-update', says: 'one system action for each resource', guide: true });
  return faults;
}

/** The cards whose uuid, or that of a suggestion, an earlier one has. */
function repeatedIds(cards: readonly unknown[]): readonly FaultInAnswer[] {
  const seen = new Set<unknown>();
  return cards.flatMap((card, index) => {
    const ids = [card, ...looseList(isLoose(card) ? card['suggestions'] : undefined)].flatMap((each) => (isLoose(each) && each['uuid'] !== undefined ? [each['uuid']] : []));
    const repeated = ids.some((id, i) => seen.has(id) || ids.indexOf(id) !== i);
    for (const id of ids) seen.add(id);
    return repeated ? [{ rule: 'unique-uuid', says: 'no uuid comes twice', guide: true, part: 'card' as const, index }] : [];
  });
}

function wholeFaults(cards: unknown, systemActions: unknown, actions: readonly unknown[], { hook, sent, coverageInformation }: AnswerContext): readonly FaultInAnswer[] {
  const ofAnswer = (rule: string, says: string): FaultInAnswer => ({ rule, says, guide: true, part: 'answer', index: 0 });
  const faults: FaultInAnswer[] = [];
  if (!Array.isArray(cards)) faults.push(ofAnswer('cards', 'an answer has cards, be it none'));
  if (systemActions !== undefined && !Array.isArray(systemActions)) faults.push(ofAnswer('system-actions', 'systemActions is a list'));
  const informs = actions.some((action) => isLoose(action) && carriesCoverageInformation(action));
  if (informs && !coverageInformation) faults.push(ofAnswer('switched-off', 'no coverage-information for a client that has switched it off'));
  if (PRIMARY_HOOKS.has(hook) && coverageInformation && !informs && ![...sent.values()].some(carriesAlready)) faults.push(ofAnswer('primary-hook', 'a primary hook is answered with coverage-information'));
  return faults;
}

function carriesAlready(resource: Resource): boolean {
  return looseList((resource as unknown as Loose)['extension']).some(({ url }) => url === CRD_URLS.coverageInformation);
}

function isNew(before: Resource | undefined): (extension: Loose) => boolean {
  const sent = new Set(looseList((before as unknown as Loose | undefined)?.['extension']).map((extension) => JSON.stringify(extension)));
  return sent.size === 0 ? () => true : (extension) => !sent.has(JSON.stringify(extension));
}

function isQuestionnaire({ type, resource, extension }: Loose): boolean {
  return type === 'create' && isLoose(resource) && resource['resourceType'] === 'Questionnaire' && isLoose(extension) && 'davinci-crd.if-none-exist' in extension;
}

function onlyCoverageInformationDiffers(before: Loose, after: Loose): boolean {
  const others = (resource: Loose): string => JSON.stringify(looseList(resource['extension']).filter(({ url }) => url !== CRD_URLS.coverageInformation));
  const keys = new Set([...Object.keys(before), ...Object.keys(after)].filter((key) => key !== 'extension'));
  return others(before) === others(after) && [...keys].every((key) => before[key] === after[key] || JSON.stringify(before[key]) === JSON.stringify(after[key]));
}
