import type { Extension, Questionnaire, QuestionnaireResponse } from '@medplum/fhirtypes';
import { originAfterEdit } from './answer-origin.ts';
import { sameValue, valueKeyOf } from './answer-value.ts';
import type { AnswerProblem, AnswerValue, Completion, Form, OpenFormOptions, ShownForm, ShownItem } from './form.ts';
import { RESPONSE_EXTENSIONS } from './extension-urls.ts';
import { type AnswerState, type ItemState, newAnswer, newInstance, readState, rootOf, walkStates, writeItems } from './form-state.ts';
import { readDefinitions, readSignatureType } from './item-definition.ts';
import { extensionNamed, extensionsNamed } from './read-extension.ts';
import { settle } from './settle.ts';
import { findGaps, flatten, showItems } from './show-form.ts';
import { showSignature, writeSignature } from './signature.ts';

/** Opens a payer form for editing. What is wrong with the form itself is in `view().problems`; a path that does not exist is a RangeError. */
export function openForm(options: OpenFormOptions): Form {
  const { questionnaire, response, author, evaluate, variables = {} } = options;
  const definitions = readDefinitions(questionnaire, options.valueSets);
  const states = readState(definitions, response.item ?? []);
  const populated = populatedAnswers(definitions, options.populated);
  const me = { reference: author.reference, ...(author.display ? { display: author.display } : {}) };
  const meInRole = { ...me, ...(author.roleCode ? { roleCode: author.roleCode } : {}) };
  const { extension: rootExtensions = [], ...root } = rootOf(response);
  const otherExtensions = rootExtensions.filter(({ url }) => url !== RESPONSE_EXTENSIONS.signature);
  const signatureType = readSignatureType(extensionNamed(questionnaire, 'signatureRequired'));
  // More questions may come, and each would take the signature away: the payer's word ends an adaptive form.
  const signatureStops = extensionNamed(questionnaire, 'adaptive') === undefined;
  let signatures = rootExtensions.filter(({ url }) => url === RESPONSE_EXTENSIONS.signature);
  const listeners = new Set<() => void>();
  let edited = false;
  let shown: ShownForm | undefined;
  let formProblems: AnswerProblem[] = [];

  const settleForm = () => {
    const write = { keepCleared: true, unknownAuthor: meInRole };
    formProblems = settle({ questionnaire, states, root: { ...root, ...(rootExtensions.length > 0 ? { extension: rootExtensions } : {}) }, write, evaluate, variables: { today: options.today, ...variables } });
  };
  settleForm();

  /** `path`: what is changed; signatures on it and around it no longer hold. */
  const change = (path: string, work: () => void) => {
    work();
    edited = true;
    signatures = [];
    for (const place of walkStates(states)) if (path === place.path || path.startsWith(`${place.path}/`) || path.startsWith(`${place.path}[`)) delete place.state.signature;
    refresh();
  };

  const refresh = () => {
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
    if (state.ruled.readOnly ?? state.definition.readOnly) throw new RangeError(`${path} is read-only`);
    return state;
  };

  const setAnswer = (path: string, index: number, value: AnswerValue | undefined) => {
    const state = questionAt(path);
    const present = state.answers[index];
    const given = value && !isEmpty(value) ? value : undefined;
    if (!given) {
      if (present) change(path, () => removeAt(state, index));
      return;
    }
    if (present && sameValue(present.value, given)) return;
    if (!present && !(Number.isInteger(index) && index >= 0 && (state.definition.repeats || index === 0))) throw new RangeError(`${path} takes one answer`);
    change(path, () => {
      if (present) {
        present.kept = withoutOptionExtensions(present.kept);
        present.origin = originAfterEdit(present.origin);
        present.value = given;
        present.author = meInRole;
        delete present.received;
      } else {
        state.answers.push(newAnswer(state.definition, given, originAfterEdit(undefined), meInRole));
      }
      keepExclusive(state, given);
      state.cleared = false;
    });
  };

  const isRestorable = (path: string, { answers, ruled, definition }: ItemState): boolean => {
    const before = populated.get(path);
    if (!before || (ruled.readOnly ?? definition.readOnly)) return false;
    return answers.length !== before.length || answers.some(({ value, origin }, index) => origin !== 'auto' || !sameValue(value, before[index]?.value ?? {}));
  };

  /** Of the form as a whole, and of items that are not to be seen: a rule of the payer's that does not hold must be told somewhere. */
  const hiddenProblems = (items: readonly ShownItem[]): AnswerProblem[] => {
    const visible = new Set(items.map(({ path }) => path));
    return formProblems.filter(({ path, code }) => path === '' || (code === 'constraint' && !visible.has(path))).map((problem) => ({ ...problem, path: '' }));
  };

  const view = (): ShownForm => {
    if (shown) return shown;
    const items = showItems(states, '', { formProblems, isRestorable });
    const signature = showSignature(signatureType, signatures[0]);
    const title = questionnaire.title ?? questionnaire.name ?? '';
    const gaps = [...findGaps(items), ...(signatureStops && signature?.required && !signature.signed ? [{ signature: true as const, path: '', linkId: '', label: title }] : [])];
    const all = flatten(items);
    const questions = all.filter(({ type }) => type !== 'group' && type !== 'display');
    shown = {
      title,
      entryMode: entryModeOf(questionnaire),
      performerTypes: extensionsNamed(questionnaire, 'performerType').flatMap(({ valueCode }) => valueCode ?? []),
      ...(signature ? { signature } : {}),
      items,
      gaps,
      problems: [...hiddenProblems(all), ...all.flatMap(({ problems }) => problems)],
      counts: {
        questions: questions.length,
        answered: questions.filter(({ answers }) => answers.length > 0).length,
        automatic: questions.filter(({ answers }) => answers.some(({ origin }) => origin === 'auto')).length,
      },
    };
    return shown;
  };

  const write = (status: QuestionnaireResponse['status'], keepCleared: boolean): QuestionnaireResponse => {
    const item = writeItems(states, { keepCleared, unknownAuthor: meInRole });
    const authored = edited ? options.now?.() : undefined;
    const extension = [...otherExtensions, ...signatures];
    return { ...root, ...(extension.length > 0 ? { extension } : {}), status, ...(edited ? { author: me } : {}), ...(authored ? { authored } : {}), ...(item.length > 0 ? { item } : {}) };
  };

  const complete = (): Completion => {
    const { gaps, problems: all } = view();
    const problems = all.filter(({ blocking }) => blocking);
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
      change(path, () => state.instances.push(newInstance(state.definition)));
    },
    removeGroup(path) {
      const { state, instance } = at(path);
      if (state.definition.type !== 'group' || instance === undefined) throw new RangeError(`${path} is no group`);
      change(path, () => {
        if (state.instances.length > 1) state.instances.splice(instance, 1);
        else for (const { state: inner } of walkStates(state.instances[0]?.items ?? [])) empty(inner);
      });
    },
    clear(path) {
      const { state, instance } = at(path);
      change(path, () => {
        if (instance === undefined) empty(state);
        else for (const { state: inner } of walkStates(state.instances[instance]?.items ?? [])) empty(inner);
      });
    },
    restore(path) {
      const state = questionAt(path);
      if (!isRestorable(path, state)) throw new RangeError(`Nothing to put back at ${path}`);
      change(path, () => {
        state.answers = (populated.get(path) ?? []).map((answer) => ({ ...newAnswer(state.definition, answer.value, 'auto'), kept: answer.kept, ...(answer.received ? { received: answer.received } : {}) }));
        state.cleared = false;
      });
    },
    sign(path, { name, statement }) {
      const when = options.now?.() ?? response.authored;
      if (when === undefined) throw new RangeError('A signature needs a time');
      if (path === '') {
        change(path, () => undefined);
        signatures = [writeSignature({ type: signatureType, signer: me, name, statement, when })];
      } else {
        const state = questionAt(path);
        change(path, () => undefined);
        state.signature = writeSignature({ type: state.definition.signatureType, signer: me, name, statement, when });
      }
      refresh();
    },
    unsign: (path) => change(path, () => undefined),
    response: () => write(edited || response.status !== 'completed' ? 'in-progress' : 'completed', true),
    complete,
  };
}

const ENTRY_MODES = ['sequential', 'prior-edit', 'random'] as const;

function entryModeOf(questionnaire: Questionnaire): ShownForm['entryMode'] {
  const given = extensionNamed(questionnaire, 'entryMode')?.valueCode;
  return ENTRY_MODES.find((mode) => mode === given) ?? 'random';
}

/** By path: what the record filled in. */
function populatedAnswers(definitions: ReturnType<typeof readDefinitions>, populated: QuestionnaireResponse | undefined): ReadonlyMap<string, readonly AnswerState[]> {
  const places = populated ? [...walkStates(readState(definitions, populated.item ?? []))] : [];
  return new Map(places.flatMap(({ path, state: { answers } }) => (answers.length > 0 && answers.every(({ origin }) => origin === 'auto') ? [[path, answers] as const] : [])));
}

/** ordinalValue and media belong to the option that was chosen before. */
function withoutOptionExtensions(kept: { readonly extension?: readonly Extension[] }): object {
  const { extension, ...others } = kept;
  const left = (extension ?? []).filter(({ url }) => url !== RESPONSE_EXTENSIONS.ordinalValue && url !== RESPONSE_EXTENSIONS.itemAnswerMedia);
  return left.length > 0 ? { ...others, extension: left } : others;
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
