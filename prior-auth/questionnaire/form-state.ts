import type { Extension, QuestionnaireResponse, QuestionnaireResponseItem, QuestionnaireResponseItemAnswer } from '@medplum/fhirtypes';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';
import { readInformationOrigin, writeInformationOrigin } from '#fhir/dtr/information-origin.ts';
import type { AnswerOrigin } from './answer-origin.ts';
import { isSameCode, pickValue, VALUE_KEYS, valueKeyOf } from './answer-value.ts';
import { ANSWER_CLEARED, RESPONSE_EXTENSIONS } from './extension-urls.ts';
import type { AnswerOption, AnswerValue } from './form.ts';
import type { ItemDefinition } from './item-definition.ts';

/** The answers of a form while it is worked on. Every item has a state; groups have instances, questions have answers. */
export interface ItemState {
  readonly definition: ItemDefinition;
  enabled: boolean;
  cleared: boolean;
  answers: AnswerState[];
  instances: GroupInstance[];
  /** What the form's expressions say of the item itself, found anew at each change. */
  ruled: RuledLook;
  signature?: Extension;
  /** Everything of the response item that the engine does not read. */
  readonly kept: object;
}

export interface RuledLook {
  readonly label?: string;
  readonly required?: boolean;
  readonly readOnly?: boolean;
  /** The options offered now; absent when no rule takes any away. */
  readonly options?: readonly AnswerOption[];
}

export interface AnswerState {
  value: AnswerValue;
  origin: AnswerOrigin;
  author?: AnswerAuthor;
  /** information-origin as received; written back while nobody touches the answer. */
  received?: Extension;
  kept: object;
  readonly items: readonly ItemState[];
}

export interface AnswerAuthor { readonly reference: string; readonly display?: string; readonly roleCode?: string }
export interface GroupInstance { readonly kept: object; readonly items: readonly ItemState[] }

export function readState(definitions: readonly ItemDefinition[], items: readonly QuestionnaireResponseItem[]): ItemState[] {
  return definitions.map((definition) => readItem(definition, items.filter((item) => item.linkId === definition.linkId)));
}

function readItem(definition: ItemDefinition, found: readonly QuestionnaireResponseItem[]): ItemState {
  const state: ItemState = { definition, enabled: true, cleared: false, answers: [], instances: [], ruled: {}, kept: {} };
  if (definition.type === 'group') {
    const instances = definition.repeats ? found : found.slice(0, 1);
    state.instances = (instances.length > 0 ? instances : [{ linkId: definition.linkId }]).map((item) => readInstance(definition, item));
    return state;
  }
  const [first] = found;
  const signature = first?.extension?.find(({ url }) => url === RESPONSE_EXTENSIONS.signature);
  const answers = found.flatMap((item) => item.answer ?? []).filter((answer) => valueKeyOf(answer) !== undefined);
  return {
    ...state,
    cleared: first?.extension?.some(({ url, valueBoolean }) => url === ANSWER_CLEARED && valueBoolean === true) ?? false,
    ...(signature ? { signature } : {}),
    kept: first ? keepOthers(first, [ANSWER_CLEARED, RESPONSE_EXTENSIONS.signature]) : {},
    // Children written beside instead of under the answer are taken as those of the first one.
    answers: (definition.repeats ? answers : answers.slice(0, 1)).map((answer, index) => readAnswer(definition, answer, index === 0 ? first?.item : undefined)),
  };
}

function readInstance(definition: ItemDefinition, item: QuestionnaireResponseItem): GroupInstance {
  return { kept: keepOthers(item, []), items: readState(definition.items, item.item ?? []) };
}

function readAnswer(definition: ItemDefinition, answer: QuestionnaireResponseItemAnswer, beside: readonly QuestionnaireResponseItem[] | undefined): AnswerState {
  const received = answer.extension?.find(({ url }) => url === DTR_URLS.informationOrigin);
  const origin = readInformationOrigin(answer);
  const reference = origin?.practitioner;
  const display = received?.extension?.find(({ url }) => url === 'author')?.extension?.find(({ url }) => url === 'practitioner')?.valueReference?.display;
  return {
    value: pickValue(answer),
    origin: readOriginCode(origin?.source),
    ...(reference ? { author: { reference, ...(display ? { display } : {}) } } : {}),
    ...(received ? { received } : {}),
    kept: keepOthers(answer, [DTR_URLS.informationOrigin]),
    items: readState(definition.items, answer.item ?? beside ?? []),
  };
}

/** 2.2.0 splits `auto` in two. An answer without origin was put there by the payer's draft, so by no person. */
function readOriginCode(source: string | undefined): AnswerOrigin {
  return source === 'manual' || source === 'override' ? source : 'auto';
}

const ENGINE_KEYS: readonly string[] = ['linkId', 'text', 'item', 'answer', 'extension', ...VALUE_KEYS];

function keepOthers(element: { readonly extension?: Extension[] | undefined }, ownUrls: readonly string[]): object {
  const others = Object.fromEntries(Object.entries(element).filter(([key]) => !ENGINE_KEYS.includes(key)));
  const extension = (element.extension ?? []).filter(({ url }) => !ownUrls.includes(url ?? ''));
  return extension.length > 0 ? { ...others, extension } : others;
}

export function newAnswer(definition: ItemDefinition, value: AnswerValue, origin: AnswerOrigin, author?: AnswerAuthor): AnswerState {
  return { value, origin, ...(author ? { author } : {}), kept: {}, items: freshState(definition.items) };
}

export function newInstance(definition: ItemDefinition): GroupInstance {
  return { kept: {}, items: freshState(definition.items) };
}

/** Items that come into being while the form is open begin with the form's own initial[x]. */
function freshState(definitions: readonly ItemDefinition[]): ItemState[] {
  const states = readState(definitions, []);
  for (const { state } of walkStates(states)) {
    const { definition } = state;
    const initial = definition.initial.length > 0 ? definition.initial : definition.options.filter((option) => option.initial).map(({ value }) => value);
    state.answers = (definition.repeats ? initial : initial.slice(0, 1)).map((value) => newAnswer(definition, value, 'auto'));
  }
  return states;
}

export interface WriteOptions {
  /** Drafts remember what a person emptied. */
  readonly keepCleared: boolean;
  /** Author for a person's answer whose author nobody recorded (DTR dtrx-1 wants one). */
  readonly unknownAuthor: AnswerAuthor;
}

/** Enabled items only, in questionnaire order. Groups are always written, so that a draft without answers still has items (DTR: item 1..*). */
export function writeItems(states: readonly ItemState[], options: WriteOptions): QuestionnaireResponseItem[] {
  return states.flatMap((state) => (state.enabled ? writeItem(state, options) : []));
}

export function writeItem(state: ItemState, options: WriteOptions): QuestionnaireResponseItem[] {
  const { definition } = state;
  if (definition.type === 'display') return [];
  const text = state.ruled.label ?? definition.label;
  const head = { linkId: definition.linkId, ...(text ? { text } : {}) };
  if (definition.type === 'group') {
    return state.instances.map((instance) => {
      const item = writeItems(instance.items, options);
      return { ...instance.kept, ...head, ...(item.length > 0 ? { item } : {}) };
    });
  }
  if (state.answers.length === 0) {
    const kept: { extension?: Extension[] } = state.kept;
    return state.cleared && options.keepCleared
      ? [{ ...kept, ...head, extension: [...(kept.extension ?? []), { url: ANSWER_CLEARED, valueBoolean: true }] }]
      : [];
  }
  const kept: { extension?: Extension[] } = state.kept;
  const extension = [...(kept.extension ?? []), ...(state.signature ? [state.signature] : [])];
  return [{ ...kept, ...head, ...(extension.length > 0 ? { extension } : {}), answer: state.answers.map((answer) => writeAnswer(state, answer, options)) }];
}

function writeAnswer(state: ItemState, answer: AnswerState, options: WriteOptions): QuestionnaireResponseItemAnswer {
  const kept: { extension?: Extension[] } = answer.kept;
  const item = writeItems(answer.items, options);
  const extension = [...(kept.extension ?? []), ...ofOption(state, answer), answer.received ?? writeOrigin(answer, options)];
  return { ...kept, extension, ...answer.value, ...(item.length > 0 ? { item } : {}) };
}

/** ordinalValue and itemAnswerMedia of the chosen option go with the answer (DTR 2.0.1 must-support on the answer). */
function ofOption({ definition }: ItemState, { value, kept }: AnswerState): Extension[] {
  if (!value.valueCoding) return [];
  const { extension = [] }: { readonly extension?: Extension[] } = kept;
  const { valueCoding } = value;
  const { weight } = definition.options.find((option) => option.value.valueCoding && isSameCode(option.value.valueCoding, valueCoding)) ?? {};
  return weight === undefined || extension.some(({ url }) => url === RESPONSE_EXTENSIONS.ordinalValue) ? [] : [{ url: RESPONSE_EXTENSIONS.ordinalValue, valueDecimal: weight }];
}


function writeOrigin({ origin, author }: AnswerState, { unknownAuthor }: WriteOptions): Extension {
  if (origin === 'auto') return writeInformationOrigin({ source: 'auto' });
  const { reference, display, roleCode } = author ?? unknownAuthor;
  return writeInformationOrigin({ source: origin, practitioner: reference, ...(display ? { display } : {}), ...(roleCode ? { roleCode } : {}) });
}

/** Everything of the response but its items. */
export function rootOf(response: QuestionnaireResponse): Omit<QuestionnaireResponse, 'item'> {
  const { item: _item, ...root } = response;
  return root;
}

/** Each item instance with its path, in order, children after their parents; disabled ones included. */
export function* walkStates(states: readonly ItemState[], parentPath = ''): Generator<{ readonly path: string; readonly state: ItemState; readonly instance?: number }> {
  for (const state of states) {
    const { definition } = state;
    const path = parentPath + encodeLinkId(definition.linkId);
    if (definition.type === 'group') {
      for (const [index, instance] of state.instances.entries()) {
        const instancePath = definition.repeats ? `${path}[${index}]` : path;
        yield { path: instancePath, state, instance: index };
        yield* walkStates(instance.items, `${instancePath}/`);
      }
    } else {
      yield { path, state };
      for (const [index, answer] of state.answers.entries()) yield* walkStates(answer.items, childPath(path, definition, index));
    }
  }
}

export function childPath(path: string, definition: ItemDefinition, answerIndex: number): string {
  return definition.repeats ? `${path}[${answerIndex}]/` : `${path}/`;
}

export function encodeLinkId(linkId: string): string {
  return linkId.replace(/[%/[\]]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
