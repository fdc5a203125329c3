import type { Questionnaire, QuestionnaireItem, QuestionnaireResponse, QuestionnaireResponseItem, QuestionnaireResponseItemAnswer } from '@medplum/fhirtypes';
import { readInformationOrigin } from '#fhir/dtr/information-origin.ts';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';
import { pickValue, sameValue } from './answer-value.ts';
import { ANSWER_CLEARED } from './extension-urls.ts';
import { encodeLinkId } from './form-state.ts';

/** Whose answer: of the one who merges, or of the one who saved in the meantime. */
export type Side = 'mine' | 'theirs';

/** One side of a conflict. No answers: that side emptied the question. */
export interface ConflictSide {
  readonly answers: readonly QuestionnaireResponseItemAnswer[];
  readonly author?: { readonly reference: string; readonly display?: string };
  /** ISO instant at which that side's response was last changed. */
  readonly at?: string;
}

/** Both sides changed the same answer, each differently. */
export interface AnswerConflict {
  /** Address of the question, as in a ShownItem. */
  readonly path: string;
  readonly linkId: string;
  readonly label: string;
  readonly mine: ConflictSide;
  readonly theirs: ConflictSide;
  /** What the merged response holds: as chosen, else a person's answer before one of the record, else mine. */
  readonly taken: Side;
}

export interface MergedResponses {
  /** Root elements are those of `mine`. */
  readonly response: QuestionnaireResponse;
  readonly conflicts: readonly AnswerConflict[];
  /** Questions whose answers came from `theirs` alone, in the order of the form. */
  readonly fromTheirs: readonly { readonly path: string; readonly label: string }[];
}

export interface MergeInput {
  readonly questionnaire: Questionnaire;
  /** What both sides began with. */
  readonly base: QuestionnaireResponse;
  readonly mine: QuestionnaireResponse;
  readonly theirs: QuestionnaireResponse;
  /** By conflict path. */
  readonly choices?: Readonly<Record<string, Side>>;
}

type Item = QuestionnaireResponseItem;
type Answer = QuestionnaireResponseItemAnswer;
interface Three<T> { readonly base: readonly T[]; readonly mine: readonly T[]; readonly theirs: readonly T[] }
interface Merging extends MergeInput {
  readonly definitions: ReadonlyMap<string, { readonly order: number; readonly repeats: boolean; readonly group: boolean; readonly label: string }>;
  readonly conflicts: AnswerConflict[];
  readonly fromTheirs: { path: string; label: string }[];
}

/**
 * Joins two sets of answers that grew from the same one. What one side changed is taken; what both changed differently is a conflict.
 * No answer that either side gave is lost: it is in the response or in the conflicts. Answers of a repeating question and instances of a
 * repeating group are joined, so that two people may each add their own.
 */
export function mergeResponses(input: MergeInput): MergedResponses {
  const definitions = new Map<string, { order: number; repeats: boolean; group: boolean; label: string }>();
  const define = (items: readonly QuestionnaireItem[]): void => {
    for (const { linkId, repeats, type, text, item } of items) {
      definitions.set(linkId, { order: definitions.size, repeats: repeats ?? false, group: type === 'group', label: text ?? linkId });
      define(item ?? []);
    }
  };
  define(input.questionnaire.item ?? []);
  const merging: Merging = { ...input, definitions, conflicts: [], fromTheirs: [] };
  const item = mergeItems(merging, { base: input.base.item ?? [], mine: input.mine.item ?? [], theirs: input.theirs.item ?? [] }, '');
  const { item: _item, ...root } = input.mine;
  return { response: { ...root, ...(item.length > 0 ? { item } : {}) }, conflicts: merging.conflicts, fromTheirs: merging.fromTheirs };
}

function mergeItems(merging: Merging, three: Three<Item>, parentPath: string): Item[] {
  const orderOf = (linkId: string): number => merging.definitions.get(linkId)?.order ?? Number.MAX_SAFE_INTEGER;
  const linkIds = [...new Set([...three.mine, ...three.theirs, ...three.base].map(({ linkId }) => linkId))].sort((a, b) => orderOf(a) - orderOf(b));
  return linkIds.flatMap((linkId) => {
    const own = eachSide(three, (items) => items.filter((item) => item.linkId === linkId));
    const isQuestion = [...own.mine, ...own.theirs, ...own.base].some(({ answer }) => answer !== undefined);
    const isGroup = merging.definitions.get(linkId)?.group ?? !isQuestion;
    return isGroup && !isQuestion ? mergeGroup(merging, linkId, own, parentPath) : mergeQuestion(merging, linkId, own, parentPath);
  });
}

function mergeQuestion(merging: Merging, linkId: string, three: Three<Item>, parentPath: string): Item[] {
  const path = parentPath + encodeLinkId(linkId);
  const definition = merging.definitions.get(linkId);
  // Children written beside instead of under the answer are taken as those of the first one, as the engine does.
  const answers = eachSide(three, (items) => items.flatMap((item) => (item.answer ?? []).map((answer, index) => (index === 0 && item.item ? { ...answer, item: [...(answer.item ?? []), ...item.item] } : answer))));
  const repeats = definition?.repeats ?? [answers.base, answers.mine, answers.theirs].some(({ length }) => length > 1);
  const answer = repeats ? mergeSeveral(merging, linkId, answers, path) : mergeOne(merging, linkId, answers, three, path);
  const shell = three.mine[0] && !isSameShell(three.mine[0], three.base[0]) ? three.mine[0] : (three.theirs[0] ?? three.mine[0]);
  if (!shell) return [];
  const { answer: _answer, item: _item, extension, ...rest } = shell;
  const isCleared = three.mine.some(hasCleared) || three.theirs.some(hasCleared);
  const kept = (extension ?? []).filter(({ url }) => url !== ANSWER_CLEARED);
  const marks = [...kept, ...(answer.length === 0 && isCleared ? [{ url: ANSWER_CLEARED, valueBoolean: true }] : [])];
  if (answer.length === 0 && marks.length === 0) return [];
  return [{ ...rest, ...(marks.length > 0 ? { extension: marks } : {}), ...(answer.length > 0 ? { answer } : {}) }];
}

/** A question with one answer. */
function mergeOne(merging: Merging, linkId: string, { base, mine, theirs }: Three<Answer>, items: Three<Item>, path: string): Answer[] {
  if (isSameList(mine, theirs)) return mine.map((answer, index) => mergeNested(merging, { base: base.slice(index, index + 1), mine: [answer], theirs: theirs.slice(index, index + 1) }, `${path}/`));
  const label = merging.definitions.get(linkId)?.label ?? items.mine[0]?.text ?? items.theirs[0]?.text ?? linkId;
  if (isSameDeep(theirs, base)) return [...mine];
  if (isSameDeep(mine, base)) {
    merging.fromTheirs.push({ path, label });
    return [...theirs];
  }
  const taken = merging.choices?.[path] ?? (!isOfPerson(mine) && isOfPerson(theirs) ? 'theirs' : 'mine');
  merging.conflicts.push({ path, linkId, label, mine: sideOf(merging.mine, mine), theirs: sideOf(merging.theirs, theirs), taken });
  return [...(taken === 'mine' ? mine : theirs)];
}

/** A repeating question: what either side took away goes, what either side added comes. */
function mergeSeveral(merging: Merging, linkId: string, { base, mine, theirs }: Three<Answer>, path: string): Answer[] {
  const [baseOfMine, baseOfTheirs] = [matchAnswers(base, mine), matchAnswers(base, theirs)];
  const merged: Answer[] = [];
  for (const [index, answer] of mine.entries()) {
    const begun = baseOfMine.indexOf(index);
    const other = begun >= 0 ? (baseOfTheirs[begun] ?? -1) : -1;
    // Taken away by the other side, unless this side answered something below it.
    if (begun >= 0 && other < 0 && isSameDeep([answer], [base[begun] ?? {}])) continue;
    const theirOwn = other >= 0 ? other : theirs.findIndex((each, position) => !baseOfTheirs.includes(position) && sameValue(pickValue(each), pickValue(answer)));
    merged.push(mergeNested(merging, { base: begun >= 0 ? base.slice(begun, begun + 1) : [], mine: [answer], theirs: theirOwn >= 0 ? theirs.slice(theirOwn, theirOwn + 1) : [] }, `${path}[${merged.length}]/`));
  }
  const before = merged.length;
  for (const [index, answer] of theirs.entries()) {
    const begun = baseOfTheirs.indexOf(index);
    if (begun >= 0 && ((baseOfMine[begun] ?? -1) >= 0 || isSameDeep([answer], [base[begun] ?? {}]))) continue;
    if (!merged.slice(0, before).some((each) => sameValue(pickValue(each), pickValue(answer)))) merged.push(answer);
  }
  if (merged.length > before) merging.fromTheirs.push({ path, label: merging.definitions.get(linkId)?.label ?? linkId });
  return merged;
}

/** For each answer of the base the place of the same value on a side, or -1. */
function matchAnswers(base: readonly Answer[], side: readonly Answer[]): readonly number[] {
  const free = new Set(side.keys());
  return base.map((answer) => {
    const found = [...free].find((index) => sameValue(pickValue(side[index] ?? {}), pickValue(answer))) ?? -1;
    free.delete(found);
    return found;
  });
}

/** The same answer on both sides: its origin from whoever changed it, its children merged. */
function mergeNested(merging: Merging, { base: [base], mine: [mine], theirs: [theirs] }: Three<Answer>, path: string): Answer {
  const answer = mine && (!theirs || (base && !isSameDeep([bare(mine)], [bare(base)]))) ? mine : (theirs ?? mine ?? {});
  const { item: _item, ...rest } = answer;
  const item = mergeItems(merging, { base: base?.item ?? [], mine: mine?.item ?? [], theirs: theirs ? (theirs.item ?? []) : (base?.item ?? []) }, path);
  return { ...rest, ...(item.length > 0 ? { item } : {}) };
}

function mergeGroup(merging: Merging, linkId: string, three: Three<Item>, parentPath: string): Item[] {
  const own = parentPath + encodeLinkId(linkId);
  const repeats = merging.definitions.get(linkId)?.repeats ?? [three.base, three.mine, three.theirs].some(({ length }) => length > 1);
  if (!repeats) return [mergeInstance(merging, { base: three.base[0], mine: three.mine[0], theirs: three.theirs[0] }, `${own}/`)].filter((item) => item.linkId !== '');
  const [ofMine, ofTheirs] = [matchInstances(three.base, three.mine), matchInstances(three.base, three.theirs)];
  const merged: Item[] = [];
  const add = (instance: { base: Item | undefined; mine: Item | undefined; theirs: Item | undefined }): void => void merged.push(mergeInstance(merging, instance, `${own}[${merged.length}]/`));
  for (const [index, base] of three.base.entries()) {
    const [mine, theirs] = [three.mine[ofMine[index] ?? -1], three.theirs[ofTheirs[index] ?? -1]];
    // An entry that was empty and that each side began differently is two entries.
    const begunTwice = mine && theirs && isEmpty(base) && !isEmpty(mine) && !isEmpty(theirs) && !isSameDeep([mine], [theirs]);
    if (begunTwice) {
      add({ base, mine, theirs: base });
      add({ base, mine: base, theirs });
    } else if (mine && theirs) add({ base, mine, theirs });
    // Removed by one side: it stays only if the other changed it.
    else if (mine && !isSameDeep([mine], [base])) add({ base, mine, theirs: base });
    else if (theirs && !isSameDeep([theirs], [base])) add({ base, mine: base, theirs });
  }
  const [added, theirAdded] = [three.mine.filter((_item, index) => !ofMine.includes(index)), three.theirs.filter((_item, index) => !ofTheirs.includes(index))];
  for (const mine of added) add({ base: undefined, mine, theirs: undefined });
  for (const theirs of theirAdded) if (!added.some((mine) => isSameDeep([mine], [theirs]))) add({ base: undefined, mine: undefined, theirs });
  return merged;
}

/** For each instance of the base its place on a side, or -1. Equal ones match first; the others by their order between those. */
function matchInstances(base: readonly Item[], side: readonly Item[]): readonly number[] {
  const matches = base.map(() => -1);
  let from = 0;
  for (const [index, instance] of base.entries()) {
    const found = side.findIndex((each, place) => place >= from && isSameDeep([each], [instance]));
    if (found < 0) continue;
    matches[index] = found;
    from = found + 1;
  }
  let previous = -1;
  for (const [index, match] of matches.entries()) {
    const next = matches.slice(index + 1).find((each) => each >= 0) ?? side.length;
    if (match < 0 && previous + 1 < next && side.length >= base.length - 1) matches[index] = previous + 1;
    previous = Math.max(previous, matches[index] ?? -1);
  }
  return matches;
}

function mergeInstance(merging: Merging, { base, mine, theirs }: { readonly base: Item | undefined; readonly mine: Item | undefined; readonly theirs: Item | undefined }, path: string): Item {
  const { item: _item, ...rest } = mine ?? theirs ?? base ?? { linkId: '' };
  // A side without the group has not touched it.
  const item = mergeItems(merging, { base: base?.item ?? [], mine: (mine ?? base)?.item ?? [], theirs: (theirs ?? base)?.item ?? [] }, path);
  return { ...rest, ...(item.length > 0 ? { item } : {}) };
}

function sideOf(response: QuestionnaireResponse, answers: readonly Answer[]): ConflictSide {
  const [first] = answers;
  const origin = first && readInformationOrigin(first);
  const named = first?.extension?.find(({ url }) => url === DTR_URLS.informationOrigin)?.extension?.find(({ url }) => url === 'author')?.extension?.find(({ url }) => url === 'practitioner')?.valueReference?.display;
  const reference = origin?.practitioner ?? (origin?.source === 'auto' ? undefined : response.author?.reference);
  const display = named ?? (reference === response.author?.reference ? response.author?.display : undefined);
  return { answers, ...(reference ? { author: { reference, ...(display ? { display } : {}) } } : {}), ...(response.authored ? { at: response.authored } : {}) };
}

const eachSide = <T, U>({ base, mine, theirs }: Three<T>, make: (side: readonly T[]) => readonly U[]): Three<U> => ({ base: make(base), mine: make(mine), theirs: make(theirs) });
const hasCleared = ({ extension }: Item): boolean => extension?.some(({ url }) => url === ANSWER_CLEARED) ?? false;
const isSameList = (a: readonly Answer[], b: readonly Answer[]): boolean => a.length === b.length && a.every((answer, index) => sameValue(pickValue(answer), pickValue(b[index] ?? {})));
const isSameDeep = (a: readonly (Answer | Item)[], b: readonly (Answer | Item)[]): boolean => sameValue({ valueAttachment: { ...contentOf(a) } }, { valueAttachment: { ...contentOf(b) } });
const isSameShell = (a: Item, b: Item | undefined): boolean => b !== undefined && isSameDeep([a], [b]) && hasCleared(a) === hasCleared(b);
const bare = ({ item: _item, ...rest }: Answer): Answer => rest;

/** A person typed or changed it; an emptied question was emptied by a person. */
function isOfPerson(answers: readonly Answer[]): boolean {
  return answers.every((answer) => ['manual', 'override'].includes(readInformationOrigin(answer)?.source ?? ''));
}

/** What is answered, without who answered and how the questions were worded. */
function contentOf(list: readonly (Answer | Item)[]): Readonly<Record<string, unknown>> {
  const strip = (one: Answer | Item): unknown =>
    'linkId' in one
      ? { linkId: one.linkId, answer: (one.answer ?? []).map(strip), item: (one.item ?? []).filter((item) => !isEmpty(item)).map(strip) }
      : { ...pickValue(one), item: (one.item ?? []).filter((item) => !isEmpty(item)).map(strip) };
  return { list: list.map(strip) };
}

function isEmpty({ answer, item }: Item): boolean {
  return (answer ?? []).length === 0 && (item ?? []).every(isEmpty);
}
