import type { Questionnaire, QuestionnaireItem, QuestionnaireResponse, QuestionnaireResponseItemAnswer, ValueSet } from '@medplum/fhirtypes';
import type { AnswerOrigin } from './answer-origin.ts';

/*
 * What a screen needs to show one payer form. `openForm` (open-form.ts) makes a Form; the screen draws `view()`,
 * calls the editing methods, and saves `response()`. There is no second copy of the answers: what `view()` shows is what `response()` saves.
 */

export type ItemType = QuestionnaireItem['type'];

/** Exactly one of the value[x] of a FHIR answer. */
export type AnswerValue = Pick<
  QuestionnaireResponseItemAnswer,
  | 'valueBoolean' | 'valueDecimal' | 'valueInteger' | 'valueDate' | 'valueDateTime' | 'valueTime' | 'valueString'
  | 'valueUri' | 'valueAttachment' | 'valueCoding' | 'valueQuantity' | 'valueReference'
>;

export interface FormAuthor {
  /** "Practitioner/123". */
  readonly reference: string;
  readonly display?: string;
  /** NUCC provider taxonomy code of the role, when known. */
  readonly roleCode?: string;
}

/**
 * A FHIRPath evaluator, passed in so that a screen can load it late. `variables` are without the percent sign.
 * `context` is %context: the QuestionnaireResponse, or one item of it (which has no resourceType).
 * Must return plain JSON values (dates as strings) and throw on a bad expression.
 */
export type EvaluateFhirPath = (expression: string, context: unknown, variables: Readonly<Record<string, unknown>>) => readonly unknown[];

export interface OpenFormOptions {
  readonly questionnaire: Questionnaire;
  /** The saved or pre-filled response. Its root metadata and foreign extensions are kept. */
  readonly response: QuestionnaireResponse;
  readonly author: FormAuthor;
  /** YYYY-MM-DD in the user's place. */
  readonly today: string;
  /** ISO instant with offset written as `authored` at each `response()`. Default: the response's own. */
  readonly now?: () => string;
  /** Without it, FHIRPath expressions are left alone: items stay enabled and calculated values stay as saved. */
  readonly evaluate?: EvaluateFhirPath;
  /** Expanded value sets of the package; contained ones are found in the questionnaire itself. */
  readonly valueSets?: readonly ValueSet[];
  /** The response as the record last filled it in: what `restore` puts back. */
  readonly populated?: QuestionnaireResponse;
  /** Launch context for FHIRPath (patient, order, …), when the screen has it. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

export interface Form {
  /** The visible form. The same object is returned until something changes (fit for useSyncExternalStore). */
  view(): ShownForm;
  /** All visible items in order, flat: groups before their children. */
  items(): readonly ShownItem[];
  /** Required, enabled and without an answer, in the order of the form. */
  gaps(): readonly Gap[];
  /** Calls back after every change; returns the unsubscribe function. */
  subscribe(listener: () => void): () => void;
  /** Sets answer `index` (0 for an item that does not repeat). `undefined` removes it. A value equal to the present one changes nothing, not even its origin. */
  setAnswer(path: string, index: number, value: AnswerValue | undefined): void;
  /** Adds one more answer to a repeating question. */
  addAnswer(path: string, value: AnswerValue): void;
  removeAnswer(path: string, index: number): void;
  /** Adds an instance of a repeating group. `path` is that of any instance. */
  addGroup(path: string): void;
  /** Removes the instance at `path`. The last one is emptied instead. */
  removeGroup(path: string): void;
  /** Removes every answer of the item, or of everything in the group. What came from the record does not come back at the next population. */
  clear(path: string): void;
  /** Puts back what the record filled in, in place of a person's change. */
  restore(path: string): void;
  /** Signs the form (path '') or a question that asks for it. `statement` is what the person attests; any later change of what was signed takes the signature away. */
  sign(path: string, given: { readonly name: string; readonly statement: string }): void;
  /** Takes the signature of the form (path '') or of a question away. */
  unsign(path: string): void;
  /** The response as it stands, status in-progress (or as saved), answers of disabled items left out. */
  response(): QuestionnaireResponse;
  complete(): Completion;
}

export type Completion =
  | { readonly kind: 'completed'; readonly response: QuestionnaireResponse }
  | { readonly kind: 'incomplete'; readonly gaps: readonly Gap[]; readonly problems: readonly AnswerProblem[] };

export interface ShownForm {
  readonly title: string;
  readonly items: readonly ShownItem[];
  readonly gaps: readonly Gap[];
  /** Everything wrong with what is visible, `required` excluded (those are gaps). */
  readonly problems: readonly AnswerProblem[];
  /** Questions visible, answered, and answered by the record. */
  /** sdc-questionnaire-entryMode: sequential shows one part after the other and does not go back; prior-edit may go back; random shows all. */
  readonly entryMode: 'sequential' | 'prior-edit' | 'random';
  /** Who the payer wants to fill the form in; FHIR resource types. */
  readonly performerTypes: readonly string[];
  /** The payer wants the form signed, or it is signed. */
  readonly signature?: ShownSignature;
  readonly counts: { readonly questions: number; readonly answered: number; readonly automatic: number };
}

export interface ShownSignature {
  readonly required: boolean;
  /** What kind of signature the payer asks for. */
  readonly kind?: string;
  readonly signed?: { readonly name: string; readonly when: string };
}

/** An address that a person may open; nothing of it is ever fetched by the program. */
export interface SupportLink { readonly url: string; readonly label?: string }

/** Content of the form itself, as a data: URL. */
export interface ItemMedia { readonly contentType: string; readonly url: string; readonly title: string }

export interface ShownItem {
  /** Address of this item instance: linkIds joined by "/", with "[n]" after a repeating group or a repeating question with nested items. Key of the `sources` map. */
  readonly path: string;
  readonly linkId: string;
  readonly type: ItemType;
  readonly prefix?: string;
  readonly label: string;
  /** rendering-xhtml of the text; must be sanitised before it is shown. */
  readonly labelXhtml?: string;
  /** Words for lists and jumps, when the label is long. */
  readonly shortText?: string;
  /** Words of a nested help item (itemControl help, flyover or instructions, or a display child). */
  readonly help?: string;
  /** Words for the empty input (itemControl prompt). */
  readonly prompt?: string;
  /** Unit after a number (itemControl unit). */
  readonly unitText?: string;
  /** Words at the two ends of a slider. */
  readonly lowerLabel?: string;
  readonly upperLabel?: string;
  /** How the answer should look, for example nnn-nnnn. */
  readonly entryFormat?: string;
  /** Words for the free answer of an open choice. */
  readonly openLabel?: string;
  readonly displayCategory?: string;
  readonly usageMode?: string;
  readonly collapsible?: 'default-open' | 'default-closed';
  /** Canonical of a form that finds the answer (lookupQuestionnaire). */
  readonly lookupQuestionnaire?: string;
  readonly supportLinks: readonly SupportLink[];
  readonly media?: ItemMedia;
  /** An item type of no R4 form; the question takes text. */
  readonly unknownType?: string;
  readonly required: boolean;
  readonly readOnly: boolean;
  readonly repeats: boolean;
  /** questionnaire-itemControl code: radio-button, drop-down, check-box, … */
  readonly control?: string;
  readonly horizontal?: boolean;
  readonly options: readonly AnswerOption[];
  /** The value set of the question is not all here: its codes have to be searched for. */
  readonly searchOptions: boolean;
  /** open-choice: other words than the options are allowed, as valueString. */
  readonly openOptions: boolean;
  readonly units: readonly UnitOption[];
  readonly constraints: AnswerConstraints;
  /** Resource types a reference may point at. Empty: any. */
  readonly referenceTypes: readonly string[];
  readonly referenceProfiles: readonly string[];
  readonly signature?: ShownSignature;
  /** The record filled this in and a person changed it: `restore` puts it back. */
  readonly restorable?: boolean;
  readonly answers: readonly ShownAnswer[];
  readonly problems: readonly AnswerProblem[];
  /** Children of a group. Children of a question hang under each answer. */
  readonly items: readonly ShownItem[];
  /** Position of a repeating group's instance and how many there are. */
  readonly instance?: { readonly index: number; readonly count: number };
}

export interface ShownAnswer {
  readonly index: number;
  readonly value: AnswerValue;
  readonly origin: AnswerOrigin;
  /** Who last changed it; absent for `auto`. */
  readonly author?: { readonly reference: string; readonly display?: string };
  readonly items: readonly ShownItem[];
}

export interface AnswerOption {
  readonly value: AnswerValue;
  readonly label: string;
  /** rendering-xhtml; must be sanitised before it is shown. */
  readonly labelXhtml?: string;
  /** ordinalValue or itemWeight, written with the answer. */
  readonly weight?: number;
  readonly media?: ItemMedia;
  readonly exclusive: boolean;
  readonly initial: boolean;
}

export interface UnitOption {
  readonly system?: string;
  readonly code: string;
  readonly label: string;
}

export interface AnswerConstraints {
  /** Numbers for decimal, integer and quantity; ISO text for date, dateTime and time. */
  readonly min?: number | string;
  readonly max?: number | string;
  /** Unit of `min` and `max` of a quantity; a quantity in another unit is not compared. */
  readonly rangeUnit?: string;
  readonly sliderStep?: number;
  readonly mimeTypes?: readonly string[];
  /** Megabytes of 1024 x 1024 bytes. */
  readonly maxSizeMb?: number;
  readonly maxLength?: number;
  readonly minLength?: number;
  readonly regex?: string;
  readonly maxDecimalPlaces?: number;
  readonly minOccurs?: number;
  readonly maxOccurs?: number;
}

export const ANSWER_PROBLEM_CODES = [
  'type', 'range', 'length', 'pattern', 'decimal-places', 'not-an-option', 'unit', 'occurs', 'reference-type', 'expression', 'oscillation', 'constraint', 'file-type', 'file-size', 'unfilled',
] as const;
export type AnswerProblemCode = (typeof ANSWER_PROBLEM_CODES)[number];

export interface AnswerProblem {
  /** Item path; empty for the form as a whole. */
  readonly path: string;
  /** Which answer, when it is about one. */
  readonly index?: number;
  readonly code: AnswerProblemCode;
  /** Plain words for staff; never the answer itself. */
  readonly message: string;
  /** False: shown, but the form may be completed all the same (a payer's expression that cannot run must not stop the case). */
  readonly blocking: boolean;
}

export interface Gap {
  /** Set when a signature is missing; `path` is empty for that of the form. */
  readonly signature?: true;
  readonly path: string;
  readonly linkId: string;
  readonly label: string;
}
