import type { Questionnaire, QuestionnaireResponse, ValueSet } from '@medplum/fhirtypes';
import type { EvidenceReference } from '../coverage-requirement/requirement.ts';
import { sameValue, toAnswerValue } from './answer-value.ts';
import type { AnswerValue, EvaluateFhirPath, FormAuthor } from './form.ts';
import { type ItemState, newAnswer, newInstance, readState, rootOf, walkStates, writeItems } from './form-state.ts';
import { readDefinitions } from './item-definition.ts';
import { settle } from './settle.ts';

/** What the record says for one linkId, as plain JSON (see `toAnswerValue`), with the resources it came from. */
export interface PopulatedValue {
  readonly values: readonly unknown[];
  readonly sources: readonly EvidenceReference[];
}

export interface PrepopulateInput {
  readonly questionnaire: Questionnaire;
  /** The payer's draft, or the response as last saved. */
  readonly draft: QuestionnaireResponse;
  /** By item path or linkId; a path goes first. */
  readonly values: Readonly<Record<string, PopulatedValue>>;
  /** Path of a repeating group -> how many rows the record has for it. Not the groups of which it says nothing. */
  readonly rows?: Readonly<Record<string, number>>;
  /** What the record filled in the last time; tells what a person took away since. */
  readonly populated?: QuestionnaireResponse | undefined;
  /** Launch context and results of queries, for calculated values. */
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly author: FormAuthor;
  /** YYYY-MM-DD. */
  readonly today: string;
  readonly valueSets?: readonly ValueSet[];
  readonly evaluate?: EvaluateFhirPath;
}

/** What became of one question. */
export interface MergeOutcome {
  readonly path: string;
  readonly linkId: string;
  readonly kind:
    | 'filled' | 'replaced' | 'unchanged'
    /** The record had nothing; the draft's or the earlier automatic value stays (a vanished source must not blank a form). */
    | 'kept-earlier'
    /** A person overrode it before. */
    | 'kept-override'
    /** A person answered it before the record did; it counts as an override from now on. */
    | 'manual-became-override' | 'kept-manual'
    /** A person emptied it, or took away some of its answers. */
    | 'kept-empty' | 'kept-fewer'
    /** A person changed the rows of its group: they stay as they are. */
    | 'kept-rows'
    | 'nothing-found'
    /** The record's value is no possible answer of this question. */
    | 'unfit';
}

export interface Prepopulated {
  readonly response: QuestionnaireResponse;
  readonly outcomes: readonly MergeOutcome[];
  /** Item path -> where its automatic answer came from. */
  readonly sources: Readonly<Record<string, readonly EvidenceReference[]>>;
}

/** Merges what the record says into a draft, by previous origin (DTR 2.0.1 and 2.2.0 population rules; the table is in docs/questionnaires.md). */
export function prepopulate(input: PrepopulateInput): Prepopulated {
  const { questionnaire, draft, values, author, rows = {} } = input;
  const definitions = readDefinitions(questionnaire, input.valueSets);
  const states = readState(definitions, draft.item ?? []);
  const before = new Map([...walkStates(readState(definitions, input.populated?.item ?? []))].map(({ path, state, instance }) => [instance === undefined ? path : groupPath(path), state]));
  const outcomes: MergeOutcome[] = [];
  const sources: Record<string, readonly EvidenceReference[]> = {};
  const keptRows: string[] = [];
  for (const { path, state, instance } of walkStates(states)) {
    const { definition } = state;
    const kept = keptRows.some((group) => path.startsWith(`${group}[`));
    if (definition.type === 'group') {
      // At its first instance; the walk goes on over those that are added here.
      if (instance === 0 && definition.repeats && !kept && rows[groupPath(path)] !== undefined && !fitRows(state, rows[groupPath(path)] ?? 0, input.populated ? before.get(groupPath(path)) : undefined)) keptRows.push(groupPath(path));
      continue;
    }
    if (definition.type === 'display') continue;
    const found = values[path] ?? values[definition.linkId];
    const kind = kept ? 'kept-rows' : found ? mergeAnswers(state, found.values, before.get(path)) : state.answers.length === 0 ? setInitial(state) : undefined;
    if (kind === undefined) continue;
    outcomes.push({ path, linkId: definition.linkId, kind });
    const fromRecord = kind === 'filled' || kind === 'replaced' || kind === 'unchanged';
    if (found && fromRecord && found.sources.length > 0) sources[path] = found.sources;
  }
  const root = rootOf(draft);
  const write = { keepCleared: true, unknownAuthor: { reference: author.reference } };
  settle({ questionnaire, states, root, write, evaluate: input.evaluate, variables: { today: input.today, ...input.variables } });
  const item = writeItems(states, write);
  return { response: { ...root, ...(item.length > 0 ? { item } : {}) }, outcomes, sources };
}

function groupPath(instancePath: string): string {
  return instancePath.replace(/\[\d+\]$/, '');
}

/**
 * Gives a repeating group as many instances as the record has rows, at least one. False when a person worked on the rows since the record filled
 * them in, or before it first did: then none comes, goes or changes, so that a row that was taken away does not come back.
 */
function fitRows(state: ItemState, count: number, before: ItemState | undefined): boolean {
  const inner = state.instances.flatMap(({ items }) => [...walkStates(items)].map((place) => place.state));
  const touched = inner.some(({ cleared, answers }) => cleared || answers.some(({ origin }) => origin !== 'auto'));
  if (touched || (before && before.instances.length !== state.instances.length)) return false;
  // A source that vanished does not blank the form.
  if (count === 0) return true;
  while (state.instances.length < count) state.instances.push(newInstance(state.definition));
  state.instances.splice(count);
  return true;
}

function mergeAnswers(state: ItemState, results: readonly unknown[], before: ItemState | undefined): MergeOutcome['kind'] {
  const { definition, answers } = state;
  const wanted = results.flatMap((result): AnswerValue[] => {
    const value = toAnswerValue(definition, result);
    return value ? [value] : [];
  });
  const fitting = definition.repeats ? wanted : wanted.slice(0, 1);
  if (state.cleared && answers.length === 0) return 'kept-empty';
  if (answers.some(({ origin }) => origin === 'override')) return 'kept-override';
  if (answers.some(({ origin }) => origin === 'manual')) {
    if (fitting.length === 0) return 'kept-manual';
    for (const answer of answers) {
      answer.origin = 'override';
      delete answer.received;
    }
    return 'manual-became-override';
  }
  if (answers.length > 0 && before && answers.length < before.answers.length) return 'kept-fewer';
  if (fitting.length === 0) {
    if (results.length > 0) return 'unfit';
    return answers.length > 0 ? 'kept-earlier' : 'nothing-found';
  }
  if (answers.length === fitting.length && fitting.every((value, index) => sameValue(value, answers[index]?.value ?? {}))) return 'unchanged';
  const earlier = answers.length;
  state.answers = fitting.map((value) => newAnswer(definition, value, 'auto'));
  return earlier > 0 ? 'replaced' : 'filled';
}

/** initial[x] and initialSelected, for a question that nothing else fills. */
function setInitial(state: ItemState): MergeOutcome['kind'] | undefined {
  const { initial, options, repeats } = state.definition;
  if (state.cleared) return undefined;
  const values = initial.length > 0 ? initial : options.filter((option) => option.initial).map(({ value }) => value);
  if (values.length === 0) return undefined;
  state.answers = (repeats ? values : values.slice(0, 1)).map((value) => newAnswer(state.definition, value, 'auto'));
  return 'filled';
}
