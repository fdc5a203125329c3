import type { Questionnaire, QuestionnaireResponse, ValueSet } from '@medplum/fhirtypes';
import type { EvidenceReference } from '../coverage-requirement/requirement.ts';
import { sameValue, toAnswerValue } from './answer-value.ts';
import type { AnswerValue, EvaluateFhirPath, FormAuthor } from './form.ts';
import { type ItemState, newAnswer, readState, rootOf, walkStates, writeItems } from './form-state.ts';
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
  /** By linkId. */
  readonly values: Readonly<Record<string, PopulatedValue>>;
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
    /** A person emptied it. */
    | 'kept-empty'
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
  const { questionnaire, draft, values, author } = input;
  const states = readState(readDefinitions(questionnaire, input.valueSets), draft.item ?? []);
  const outcomes: MergeOutcome[] = [];
  const sources: Record<string, readonly EvidenceReference[]> = {};
  for (const { path, state } of walkStates(states)) {
    const { definition } = state;
    if (definition.type === 'group' || definition.type === 'display') continue;
    const found = values[definition.linkId];
    const kind = found ? mergeAnswers(state, found.values) : state.answers.length === 0 ? setInitial(state) : undefined;
    if (kind === undefined) continue;
    outcomes.push({ path, linkId: definition.linkId, kind });
    const fromRecord = kind === 'filled' || kind === 'replaced' || kind === 'unchanged';
    if (found && fromRecord && found.sources.length > 0) sources[path] = found.sources;
  }
  const root = rootOf(draft);
  const write = { keepCleared: true, unknownAuthor: { reference: author.reference } };
  settle({ questionnaire, states, root, write, evaluate: input.evaluate, variables: { today: input.today } });
  const item = writeItems(states, write);
  return { response: { ...root, ...(item.length > 0 ? { item } : {}) }, outcomes, sources };
}

function mergeAnswers(state: ItemState, results: readonly unknown[]): MergeOutcome['kind'] {
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
  if (fitting.length === 0) {
    if (results.length > 0) return 'unfit';
    return answers.length > 0 ? 'kept-earlier' : 'nothing-found';
  }
  if (answers.length === fitting.length && fitting.every((value, index) => sameValue(value, answers[index]?.value ?? {}))) return 'unchanged';
  const before = answers.length;
  state.answers = fitting.map((value) => newAnswer(definition, value, 'auto'));
  return before > 0 ? 'replaced' : 'filled';
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
