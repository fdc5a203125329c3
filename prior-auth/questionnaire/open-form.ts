import type { QuestionnaireResponse } from '@medplum/fhirtypes';
import { originAfterEdit } from './answer-origin.ts';
import { answerProblems } from './answer-problems.ts';
import { sameValue, valueKeyOf } from './answer-value.ts';
import type { AnswerProblem, AnswerValue, Completion, Form, Gap, OpenFormOptions, ShownForm, ShownItem } from './form.ts';
import { type ItemState, newAnswer, newInstance, readState, rootOf, walkStates, writeItems } from './form-state.ts';
import { readDefinitions } from './item-definition.ts';
import { settle } from './settle.ts';
import { flatten, showItems } from './show-form.ts';

/** Opens a payer form for editing. What is wrong with the form itself is in `view().problems`; a path that does not exist is a RangeError. */
export function openForm(options: OpenFormOptions): Form {
  const { questionnaire, response, author, evaluate, variables = {} } = options;
  const states = readState(readDefinitions(questionnaire, options.valueSets), response.item ?? []);
  const me = { reference: author.reference, ...(author.display ? { display: author.display } : {}) };
  const root = rootOf(response);
  const listeners = new Set<() => void>();
  let edited = false;
  let shown: ShownForm | undefined;
  let formProblems: AnswerProblem[] = [];

  const settleForm = () => {
    const write = { keepCleared: true, unknownAuthor: me };
    formProblems = settle({ questionnaire, states, root, write, evaluate, variables: { today: options.today, ...variables } });
  };
  settleForm();

  const change = (work: () => void) => {
    work();
    edited = true;
    settleForm();
    shown = undefined;
    for (const listener of listeners) listener();
  };

  const at = (path: string) => {
    for (const place of walkStates(states)) if (place.path === path) return place;
    throw new RangeError(`No item at ${path}`);
  };
  const questionAt = (path: string): ItemState => {
    const { state } = at(path);
    if (state.definition.type === 'group' || state.definition.type === 'display') throw new RangeError(`${path} takes no answers`);
    if (state.definition.readOnly) throw new RangeError(`${path} is read-only`);
    return state;
  };

  const setAnswer = (path: string, index: number, value: AnswerValue | undefined) => {
    const state = questionAt(path);
    const present = state.answers[index];
    const given = value && !isEmpty(value) ? value : undefined;
    if (!given) {
      if (present) change(() => removeAt(state, index));
      return;
    }
    if (present && sameValue(present.value, given)) return;
    if (!present && !(Number.isInteger(index) && index >= 0 && (state.definition.repeats || index === 0))) throw new RangeError(`${path} takes one answer`);
    change(() => {
      if (present) {
        present.origin = originAfterEdit(present.origin);
        present.value = given;
        present.author = me;
        delete present.received;
      } else {
        state.answers.push(newAnswer(state.definition, given, originAfterEdit(undefined), me));
      }
      keepExclusive(state, given);
      state.cleared = false;
    });
  };

  const view = (): ShownForm => {
    if (shown) return shown;
    const items = showItems(states, '', formProblems);
    const gaps = findGaps(items);
    const all = flatten(items);
    const questions = all.filter(({ type }) => type !== 'group' && type !== 'display');
    shown = {
      title: questionnaire.title ?? questionnaire.name ?? '',
      items,
      gaps,
      problems: [...formProblems.filter(({ path }) => path === ''), ...all.flatMap(({ problems }) => problems)],
      counts: {
        questions: questions.length,
        answered: questions.filter(({ answers }) => answers.length > 0).length,
        automatic: questions.filter(({ answers }) => answers.some(({ origin }) => origin === 'auto')).length,
      },
    };
    return shown;
  };

  const write = (status: QuestionnaireResponse['status'], keepCleared: boolean): QuestionnaireResponse => {
    const item = writeItems(states, { keepCleared, unknownAuthor: me });
    const authored = edited ? options.now?.() : undefined;
    return { ...root, status, ...(edited ? { author: me } : {}), ...(authored ? { authored } : {}), ...(item.length > 0 ? { item } : {}) };
  };

  const complete = (): Completion => {
    const { gaps } = view();
    const problems = [...allProblems(states), ...formProblems].filter(({ blocking }) => blocking);
    if (gaps.length > 0 || problems.length > 0) return { kind: 'incomplete', gaps, problems };
    return { kind: 'completed', response: write('completed', false) };
  };

  return {
    view,
    items: () => flatten(view().items),
    gaps: () => view().gaps,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    setAnswer,
    addAnswer(path, value) {
      const state = questionAt(path);
      if (!state.definition.repeats && state.answers.length > 0) throw new RangeError(`${path} takes one answer`);
      setAnswer(path, state.answers.length, value);
    },
    removeAnswer: (path, index) => setAnswer(path, index, undefined),
    addGroup(path) {
      const { state } = at(path);
      if (state.definition.type !== 'group' || !state.definition.repeats) throw new RangeError(`${path} does not repeat`);
      change(() => state.instances.push(newInstance(state.definition)));
    },
    removeGroup(path) {
      const { state, instance } = at(path);
      if (state.definition.type !== 'group' || instance === undefined) throw new RangeError(`${path} is no group`);
      change(() => {
        if (state.instances.length > 1) state.instances.splice(instance, 1);
        else for (const { state: inner } of walkStates(state.instances[0]?.items ?? [])) empty(inner);
      });
    },
    clear(path) {
      const { state, instance } = at(path);
      change(() => {
        if (instance === undefined) empty(state);
        else for (const { state: inner } of walkStates(state.instances[instance]?.items ?? [])) empty(inner);
      });
    },
    response: () => write(edited || response.status !== 'completed' ? 'in-progress' : 'completed', true),
    complete,
  };
}

function isEmpty(value: AnswerValue): boolean {
  const key = valueKeyOf(value);
  return key === undefined || (typeof value[key] === 'string' && value[key].trim() === '');
}

/** What a person empties stays empty at the next population. */
function empty(state: ItemState): void {
  if (state.answers.length > 0 && !state.definition.readOnly) {
    state.cleared = true;
    state.answers = [];
  }
}

function removeAt(state: ItemState, index: number): void {
  state.answers.splice(index, 1);
  if (state.answers.length === 0) state.cleared = true;
}

/** questionnaire-optionExclusive: such an option stands alone. */
function keepExclusive(state: ItemState, given: AnswerValue): void {
  const exclusive = state.definition.options.filter((option) => option.exclusive);
  if (exclusive.length === 0) return;
  const isExclusive = (value: AnswerValue) => exclusive.some((option) => sameValue(option.value, value));
  state.answers = state.answers.filter(({ value }) => sameValue(value, given) || (!isExclusive(given) && !isExclusive(value)));
}

function findGaps(items: readonly ShownItem[]): Gap[] {
  return items.flatMap((item): Gap[] => {
    const gap = { path: item.path, linkId: item.linkId, label: item.label };
    if (item.type === 'group') {
      const inner = findGaps(item.items);
      const hollow = item.required && inner.length === 0 && !flatten(item.items).some(({ answers }) => answers.length > 0);
      return hollow ? [gap] : inner;
    }
    if (item.required && item.answers.length === 0 && item.type !== 'display') return [gap];
    return item.answers.flatMap((answer) => findGaps(answer.items));
  });
}

function allProblems(states: readonly ItemState[]): AnswerProblem[] {
  return [...walkStates(states)].flatMap(({ path, state }) => (state.enabled && state.definition.type !== 'group' ? answerProblems(path, state) : []));
}
