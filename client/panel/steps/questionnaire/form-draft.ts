import type { QuestionnaireResponse, QuestionnaireResponseItem } from '@medplum/fhirtypes';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { EvidenceReference } from '#prior-auth/coverage-requirement/requirement.ts';
import type { FormView, PayerProblem, ReadProgress } from '#prior-auth/panel-api.ts';
import type { Completion, EvaluateFhirPath, Form, FormAuthor, ShownForm } from '#prior-auth/questionnaire/form.ts';
import { type AnswerConflict, mergeResponses, type Side } from '#prior-auth/questionnaire/merge-responses.ts';
import { openForm } from '#prior-auth/questionnaire/open-form.ts';
import type { Failure } from '../../../ui/call-json.ts';
import type { PanelCall } from '../../panel-call.ts';
import { localDay, localInstant } from './answer-text.ts';
import { shareUnchanged } from './share-unchanged.ts';

export type SaveState =
  | { readonly kind: 'untouched' }
  | { readonly kind: 'unsaved' }
  | { readonly kind: 'saving' }
  | { readonly kind: 'saved'; readonly at: number }
  /** Not reached, or the server has a problem that may pass: tried again by itself until it works. */
  | { readonly kind: 'waiting'; readonly failure: Failure }
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** Someone else saved a newer version, and both changed the same answers. */
  | { readonly kind: 'conflict'; readonly mine: number; readonly differences: readonly AnswerConflict[] };

export type PopulationState =
  | { readonly kind: 'reading'; readonly progress?: ReadProgress }
  | { readonly kind: 'done'; readonly warnings: readonly string[] }
  | { readonly kind: 'failed'; readonly warnings: readonly string[]; readonly failure?: Failure };

export interface DraftState {
  readonly shown: ShownForm;
  readonly save: SaveState;
  readonly population: PopulationState;
  readonly sources: Readonly<Record<string, readonly EvidenceReference[]>>;
  /** Edits that had no place in a newer version of the form. */
  readonly dropped: number;
  /** Answers that someone else changed in the record system and that contradict these. */
  readonly unsettled: readonly AnswerConflict[];
  /** Answers of someone else that the last save took in. */
  readonly joined: { readonly count: number; readonly by: string | undefined } | undefined;
}

export type CompletionOutcome =
  | { readonly kind: 'completed'; readonly case: PriorAuthCase }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'conflict' }
  | Extract<Completion, { kind: 'incomplete' }>;

export type NextOutcome =
  | Exclude<CompletionOutcome, { kind: 'conflict' }>
  | { readonly kind: 'asked' | 'conflict' }
  /** What the payer does not accept. */
  | { readonly kind: 'problems'; readonly problems: readonly PayerProblem[] };

type Edit = (form: Form) => void;
/** Stands for what a merge put into the form: to be saved, with nothing to do again. */
const MERGED: Edit = () => undefined;
const MOST_MERGES = 3;
export const AUTOSAVE_DELAY_MS = 1200;
const PROGRESS_EVERY_MS = 500;
/** Pause before each further attempt; the last one repeats. */
export const RETRY_DELAYS_MS = [2000, 4000, 8000, 15_000, 30_000] as const;

/**
 * One form while a person works on it. Edits that the server has not confirmed are kept as steps, so that they can be
 * done again on top of a newer version: after the record was read, and after somebody else's save.
 */
export class FormDraft {
  readonly #call: PanelCall;
  readonly #author: FormAuthor;
  #evaluate: EvaluateFhirPath | undefined;
  #view: FormView;
  /** The answers as the server last had them from or for this page: what changes on both sides are measured against. */
  #base: QuestionnaireResponse;
  /** The other's form while a person has to choose. */
  #theirs: FormView | undefined;
  #settled = false;
  #joined: DraftState['joined'];
  #form: Form;
  #edits: Edit[] = [];
  #dropped = 0;
  #completed: boolean;
  #save: SaveState = { kind: 'untouched' };
  #population: PopulationState;
  #busy: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempts = 0;
  /** Answers of saves whose reply never came: the server may hold one of them all the same. */
  #unanswered: string[] = [];
  #state: DraftState;
  readonly #listeners = new Set<() => void>();

  constructor(call: PanelCall, view: FormView, author: FormAuthor) {
    this.#call = call;
    this.#author = author;
    this.#view = view;
    this.#base = view.response;
    this.#completed = view.response.status === 'completed';
    this.#population = populationOf(view);
    this.#form = this.#open();
    this.#state = this.#snapshot();
  }

  readonly state = (): DraftState => this.#state;
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get view(): FormView {
    return this.#view;
  }

  /** FHIRPath arrives late; what was typed meanwhile stays. */
  calculateWith(evaluate: EvaluateFhirPath): void {
    this.#evaluate = evaluate;
    this.#openAgain();
    this.#publish();
  }

  edit(edit: Edit): void {
    const before = this.#form.view();
    edit(this.#form);
    if (this.#form.view() === before) return;
    this.#edits.push(edit);
    this.#completed = false;
    if (this.#save.kind !== 'conflict' && this.#save.kind !== 'waiting') this.#save = { kind: 'unsaved' };
    this.#publish();
    this.#saveSoon();
  }

  /** Fills in from the record. What was entered before and meanwhile stays. */
  populate(): Promise<void> {
    return this.#oneAtATime(async () => {
      if (this.#edits.length > 0) await this.#saveNow();
      if (this.#save.kind === 'waiting' || this.#save.kind === 'failed') this.#population = { kind: 'failed', warnings: [], failure: this.#save.failure };
      if (this.#edits.length > 0) return this.#publish();
      this.#population = { kind: 'reading' };
      this.#publish();
      const stopFollowing = this.#followReading();
      const reply = await this.#call('populateForm', { formId: this.#view.formId });
      stopFollowing();
      if (reply.kind === 'failed') this.#population = { kind: 'failed', warnings: [], failure: reply.failure };
      else this.#takeNewer(reply.value.form);
      this.#publish();
      this.#saveSoon();
    });
  }

  /** Asks how far the reading is while it runs; a question that is not answered changes nothing. */
  #followReading(): () => void {
    const timer = setInterval(() => {
      void this.#call('readProgress', { formId: this.#view.formId }).then((reply) => {
        if (this.#population.kind !== 'reading' || reply.kind === 'failed') return;
        this.#population = { kind: 'reading', progress: reply.value };
        this.#publish();
      });
    }, PROGRESS_EVERY_MS);
    return () => clearInterval(timer);
  }

  save(): Promise<void> {
    return this.#oneAtATime(() => this.#saveNow());
  }

  /** After a conflict, with this form or with the record system: both sides' answers, and where they contradict each other the chosen one. */
  async settle(choices: Readonly<Record<string, Side>>): Promise<void> {
    await this.#oneAtATime(async () => {
      const [mine, theirs, unsettled] = [this.#form.response(), this.#theirs, this.#view.unsettled];
      if (theirs !== undefined) {
        this.#takeMerged(theirs, mergeResponses({ questionnaire: theirs.questionnaire, base: this.#base, mine, theirs: theirs.response, choices }).response);
      } else if (unsettled !== undefined) {
        this.#settled = true;
        this.#takeMerged({ ...this.#view, response: this.#base }, mergeResponses({ questionnaire: this.#view.questionnaire, ...unsettled, mine, choices }).response);
      }
      await this.#saveNow();
    });
  }

  /** `statement`: what the person was shown to stand for. */
  async complete(statement: string): Promise<CompletionOutcome> {
    let outcome: CompletionOutcome = { kind: 'conflict' };
    await this.#oneAtATime(async () => {
      let completion = this.#form.complete();
      if (completion.kind === 'incomplete') {
        outcome = completion;
        return;
      }
      let { response } = completion;
      let edits = this.#edits.length;
      const send = () => this.#call('completeForm', { formId: this.#view.formId, version: this.#view.version, response: { ...response }, statement });
      let reply = await send();
      if (reply.kind === 'failed' && isConflict(reply.failure) && (await this.#conflictIsOwn())) reply = await send();
      if (reply.kind === 'failed' && isConflict(reply.failure) && (await this.#join(reply.failure))) {
        completion = this.#form.complete();
        if (completion.kind === 'incomplete') {
          outcome = completion;
          this.#publish();
          return this.#saveSoon();
        }
        response = completion.response;
        edits = this.#edits.length;
        reply = await send();
      }
      if (reply.kind === 'ok') {
        this.#confirm(reply.value.form, edits);
        this.#completed = this.#edits.length === 0;
        outcome = { kind: 'completed', case: reply.value.case };
      } else if (!isConflict(reply.failure)) {
        outcome = { kind: 'failed', failure: reply.failure };
      }
      this.#publish();
    });
    return outcome;
  }

  /** The payer's next questions, of an adaptive form. */
  async next(): Promise<NextOutcome> {
    let outcome: NextOutcome = { kind: 'conflict' };
    await this.#oneAtATime(async () => {
      const completion = this.#form.complete();
      if (completion.kind === 'incomplete') {
        outcome = completion;
        return;
      }
      const edits = this.#edits.length;
      const reply = await this.#call('nextQuestion', { formId: this.#view.formId, version: this.#view.version, response: { ...this.#form.response() } });
      if (reply.kind === 'failed') {
        if (isConflict(reply.failure)) await this.#join(reply.failure);
        else outcome = { kind: 'failed', failure: reply.failure };
      } else if (reply.value.problems.length > 0) {
        outcome = { kind: 'problems', problems: reply.value.problems };
      } else {
        this.#edits.splice(0, edits);
        this.#save = this.#edits.length > 0 ? { kind: 'unsaved' } : { kind: 'saved', at: Date.now() };
        this.#takeNewer(reply.value.form);
        this.#completed = reply.value.completed;
        outcome = reply.value.completed ? { kind: 'completed', case: reply.value.case } : { kind: 'asked' };
      }
      this.#publish();
      this.#saveSoon();
    });
    return outcome;
  }

  /** Completed, and nothing changed since. */
  get completed(): boolean {
    return this.#completed;
  }

  /** True while closing the page would lose something. */
  get unsaved(): boolean {
    return this.#edits.length > 0;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  async #saveNow(): Promise<void> {
    clearTimeout(this.#timer);
    let edits = this.#edits.length;
    if (edits === 0 || this.#save.kind === 'conflict') return;
    if (this.#save.kind !== 'waiting') this.#save = { kind: 'saving' };
    this.#publish();
    let response = this.#form.response();
    const send = () => this.#call('saveForm', { formId: this.#view.formId, version: this.#view.version, response: { ...response }, ...(this.#settled ? { settled: true } : {}) });
    let reply = await send();
    if (reply.kind === 'failed' && isConflict(reply.failure) && (await this.#conflictIsOwn())) reply = await send();
    for (let merges = 0; merges < MOST_MERGES && reply.kind === 'failed' && isConflict(reply.failure); merges += 1) {
      if (!(await this.#join(reply.failure))) return this.#publish();
      edits = this.#edits.length;
      response = this.#form.response();
      reply = await send();
    }
    if (reply.kind === 'ok') this.#confirm(reply.value.form, edits);
    else if (mayPass(reply.failure)) this.#wait(reply.failure, response);
    else this.#save = { kind: 'failed', failure: reply.failure };
    this.#publish();
  }

  /** Merges what someone else saved. False when a person has to choose, or their form did not come. */
  async #join(failure: Failure): Promise<boolean> {
    const theirs = failure.current ?? (await this.#readForm());
    if (theirs === undefined) {
      this.#save = { kind: 'failed', failure };
      return false;
    }
    const { response, conflicts, fromTheirs } = mergeResponses({ questionnaire: theirs.questionnaire, base: this.#base, mine: this.#form.response(), theirs: theirs.response });
    if (conflicts.length > 0) {
      this.#theirs = theirs;
      this.#save = { kind: 'conflict', mine: this.#edits.length, differences: conflicts };
      return false;
    }
    this.#joined = fromTheirs.length > 0 ? { count: fromTheirs.length, by: theirs.saved?.by.name } : undefined;
    this.#takeMerged(theirs, response);
    return true;
  }

  async #readForm(): Promise<FormView | undefined> {
    const reply = await this.#call('listForms', {});
    return reply.kind === 'ok' ? reply.value.forms.find((form) => form.formId === this.#view.formId) : undefined;
  }

  #takeMerged(theirs: FormView, response: QuestionnaireResponse): void {
    this.#theirs = undefined;
    this.#base = theirs.response;
    this.#view = { ...theirs, response };
    this.#population = populationOf(theirs);
    this.#edits = [MERGED];
    this.#save = { kind: 'unsaved' };
    this.#form = this.#open();
    this.#publish();
  }

  /** Everything stays here and is sent again, later and later. */
  #wait(failure: Failure, response: QuestionnaireResponse): void {
    this.#unanswered.push(answersIn(response));
    this.#save = { kind: 'waiting', failure };
    const pause = RETRY_DELAYS_MS[Math.min(this.#attempts, RETRY_DELAYS_MS.length - 1)];
    this.#attempts += 1;
    this.#timer = setTimeout(() => void this.save(), pause);
  }

  /** A version conflict after an answer that never came may be with my own save. Then its version is taken over and nothing is lost. */
  async #conflictIsOwn(): Promise<boolean> {
    const mine = this.#unanswered;
    if (mine.length === 0) return false;
    this.#unanswered = [];
    const stored = await this.#readForm();
    if (stored === undefined || !mine.includes(answersIn(stored.response))) return false;
    this.#base = stored.response;
    this.#view = { ...stored, response: this.#view.response };
    return true;
  }

  #confirm(saved: FormView, edits: number): void {
    this.#base = saved.response;
    this.#settled = false;
    // Later edits are done again on top of it whenever the form is opened anew.
    this.#view = saved;
    this.#edits.splice(0, edits);
    this.#attempts = 0;
    this.#unanswered = [];
    this.#save = this.#edits.length > 0 ? { kind: 'unsaved' } : { kind: 'saved', at: Date.now() };
    this.#saveSoon();
  }

  #takeNewer(view: FormView): void {
    this.#base = view.response;
    this.#view = view;
    this.#population = populationOf(view);
    this.#openAgain();
  }

  #openAgain(): void {
    this.#form = this.#open();
    const kept = this.#edits.filter((edit) => isPossible(edit, this.#form));
    this.#dropped += this.#edits.length - kept.length;
    this.#edits = kept;
  }

  #saveSoon(): void {
    if (this.#save.kind === 'waiting') return;
    clearTimeout(this.#timer);
    if (this.#edits.length === 0 || this.#save.kind === 'conflict') return;
    this.#timer = setTimeout(() => void this.save(), AUTOSAVE_DELAY_MS);
  }

  /** Saving, reading the record and completing all raise the version: never two at once. */
  #oneAtATime(work: () => Promise<void>): Promise<void> {
    this.#busy = this.#busy.then(work);
    return this.#busy;
  }

  #open(): Form {
    const { questionnaire, response, valueSets, populated, variables } = this.#view;
    return openForm({
      questionnaire,
      response,
      ...(valueSets === undefined ? {} : { valueSets }),
      ...(populated === undefined ? {} : { populated }),
      ...(variables === undefined ? {} : { variables }),
      author: this.#author,
      today: localDay(new Date()),
      now: () => localInstant(new Date()),
      ...(this.#evaluate === undefined ? {} : { evaluate: this.#evaluate }),
    });
  }

  #snapshot(): DraftState {
    const { unsettled, questionnaire, sources } = this.#view;
    return {
      shown: this.#form.view(), save: this.#save, population: this.#population, sources, dropped: this.#dropped, joined: this.#joined,
      unsettled: unsettled === undefined || this.#settled ? [] : mergeResponses({ questionnaire, ...unsettled, mine: this.#form.response() }).conflicts,
    };
  }

  #publish(): void {
    this.#state = shareUnchanged(this.#state, this.#snapshot());
    this.#listeners.forEach((listener) => listener());
  }
}

/** The engine answers a path that is not there with a RangeError. */
function isPossible(edit: Edit, form: Form): boolean {
  try {
    edit(form);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function populationOf({ population }: FormView): PopulationState {
  if (population.status === 'not-started') return { kind: 'reading' };
  return { kind: population.status, warnings: population.warnings };
}

function isConflict(failure: Failure): boolean {
  return failure.code === 'CASE_CONFLICT' || failure.code === 'FORM_CHANGED';
}

function mayPass({ status }: Failure): boolean {
  return status === 0 || status === 408 || status === 429 || status >= 500;
}

/** What was answered, whatever else the server adds to an answer and in whatever order it keeps its properties. */
function answersIn({ item = [] }: { readonly item?: readonly QuestionnaireResponseItem[] }): string {
  const listed = (items: readonly QuestionnaireResponseItem[]): unknown => items.map(({ linkId, answer = [], item: inside = [] }) => [linkId, answer.map(({ extension: _extension, id: _id, item: below = [], ...value }) => [sorted(value), listed(below)]), listed(inside)]);
  return JSON.stringify(listed(item));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value).map(([key, inside]) => [key, sorted(inside)] as const).sort(([one], [other]) => (one < other ? -1 : 1));
}
