import type { Bundle, Questionnaire, QuestionnaireResponse, Resource, ValueSet } from '@medplum/fhirtypes';
import { z } from 'zod/mini';
import type { PriorAuthCase } from './case.ts';
import type { EvidenceReference } from './coverage-requirement/requirement.ts';
import type { DenialRisk } from './learning/denial-risk.ts';
import type { DecisionWords } from './payer-decision/decision-words.ts';
import type { Packet } from './packet.ts';
import type { Clock } from './payer-decision/deadlines.ts';
import type { AnswerValue } from './questionnaire/form.ts';

/*
 * One table of what the panel may ask of the server. The server maps over it (a missing handler does not compile);
 * the panel has one typed `call`. Every message is sent with header `x-panel-session`, the id in the panel's address;
 * the secret itself is an HttpOnly cookie of that id, so two charts in two tabs never share a session.
 */

export const PANEL_SESSION_HEADER = 'x-panel-session';

export interface PanelSession {
  readonly user: {
    readonly reference: string;
    readonly name: string;
    /** NUCC provider taxonomy code, when the EHR says it. */
    readonly roleCode?: string;
  };
  readonly needPatientBanner: boolean;
  readonly caseId: string;
  readonly expiresAt: string;
}

export interface CaseView {
  readonly case: PriorAuthCase;
  readonly clock: Clock | null;
  /** Present when the payer has answered. */
  readonly decisionWords: DecisionWords | null;
  readonly risk: DenialRisk | null;
}

/** One payer form of a case: the questionnaire as the payer sent it and the response as last saved. */
export interface FormView {
  readonly formId: string;
  readonly questionnaire: Questionnaire;
  readonly response: QuestionnaireResponse;
  /** Grows by one at each save; send back the one you edited. */
  readonly version: number;
  /** linkId path -> where an automatic answer came from. */
  readonly sources: Readonly<Record<string, readonly EvidenceReference[]>>;
  readonly population: PopulationView;
  /** The payer asks a few questions at a time and says when the form is complete (`nextQuestion`). */
  readonly adaptive?: boolean;
  /** Expanded value sets of the payer's package, for `openForm`. Longer ones are searched with `searchOptions`. */
  readonly valueSets?: readonly ValueSet[];
  /** By linkId: what the record offers for a question, beside the payer's own options. */
  readonly offers?: Readonly<Record<string, OfferedAnswers>>;
  /** The response as the record last filled it in; "clear my change" puts an answer back to what it is here. */
  readonly populated?: QuestionnaireResponse;
  /** Launch context and what the form's queries and CQL variables gave, by name, as far as expressions that run on the screen use them: `variables` of `openForm`. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Who saved it last, and when. */
  readonly saved?: { readonly by: Person; readonly at: string };
  /** Answers that someone else changed in the record system and that contradict ours; a person decides, with `mergeResponses`. */
  readonly unsettled?: Unsettled;
  /** Of a completed form: who stood for it. */
  readonly attestation?: Attestation;
}

export interface Person {
  readonly reference: string;
  readonly name: string;
}

/** What the other side began with, and what it came to. */
export interface Unsettled {
  readonly base: QuestionnaireResponse;
  readonly theirs: QuestionnaireResponse;
}

export interface Attestation {
  readonly by: Person;
  readonly at: string;
  /** The words shown to the person when the form was completed. */
  readonly statement: string;
}

/** A case in the hands of a colleague: a Task in the record system, if that takes it. */
export interface HandOver {
  readonly status: 'requested' | 'in-progress' | 'completed' | 'cancelled';
  readonly by: Person;
  /** A person, a role or an organization. */
  readonly to: Person;
  readonly at: string;
  readonly note: string;
  /** Labels of the questions without an answer, per form. */
  readonly missing: readonly { readonly form: string; readonly questions: readonly string[] }[];
  /** "Task/1"; null when the record system does not keep it: only this program knows of it then. */
  readonly task: string | null;
  readonly takenBy?: Person;
}

/** Whom the case may be handed to: Practitioner, PractitionerRole or Organization. */
export interface Colleague extends Person {
  readonly role?: string;
}

export interface OfferedAnswers {
  /** Of candidateExpression, in its order: a person may choose one of them or answer something else. */
  readonly candidates: readonly OfferedAnswer[];
  /** Of contextExpression: shown beside the question, never answers. */
  readonly context: readonly OfferedContext[];
}

export interface OfferedAnswer {
  readonly value: AnswerValue;
  readonly label: string;
  /** The record entry it comes from. */
  readonly source?: EvidenceReference;
}

export interface OfferedContext {
  readonly label: string;
  readonly entries: readonly { readonly text: string; readonly source?: EvidenceReference }[];
}

/** How far the reading of the record for one form is. `idle`: nothing runs. */
export interface ReadProgress {
  readonly step: 'idle' | 'reading' | 'calculating' | 'filling-in';
  /** Parts of the record that were read, of those that the form needs. */
  readonly done: number;
  readonly total: number;
}

export interface PopulationView {
  readonly status: 'not-started' | 'done' | 'failed';
  /** What could not be filled in, in words for staff; never patient data. */
  readonly warnings: readonly string[];
  /** `shipped-elm` or how the CQL was compiled; absent when the form has no CQL. */
  readonly cql?: 'shipped-elm' | 'compiled-strict' | 'compiled-lenient';
}

/** What a payer says against an answer. */
export interface PayerProblem {
  /** Absent when it is about the form as a whole. */
  readonly linkId?: string;
  readonly message: string;
}

export interface AnswerOptionFound {
  readonly system?: string;
  readonly code: string;
  readonly display: string;
}

/** An entry of this patient's record, or a person or place it names, that an answer may point at. */
export interface ReferenceFound {
  readonly reference: string;
  readonly display: string;
  readonly date?: string;
}

/** What would be sent, for the person who submits (PAS: review must be possible, never required). */
export interface SubmissionPreview {
  readonly items: readonly { readonly sequence: number; readonly display: string; readonly code: string }[];
  readonly resources: readonly { readonly resourceType: string; readonly display: string; readonly why: string }[];
  /** Problems that stop the submission, each with what to do. */
  readonly problems: readonly { readonly code: string; readonly message: string; readonly nextStep: string }[];
}

const nothing = z.object({});
const formId = z.object({ formId: z.string().check(z.minLength(1), z.maxLength(200)) });
const response = z.looseObject({ resourceType: z.literal('QuestionnaireResponse') });
/** PostgreSQL keeps no U+0000 and no half of a surrogate pair. */
const words = z.string().check(z.trim(), z.maxLength(2000), z.refine((text) => !/\p{Surrogate}/u.test(text) && !text.includes('\u0000'), 'must be well-formed Unicode without U+0000'));
const statement = words.check(z.minLength(1));
const colleague = z.string().check(z.regex(/^(Practitioner|PractitionerRole|Organization)\/[A-Za-z0-9\-.]{1,64}$/));

export const PANEL_API = {
  readSession: { method: 'GET', path: '/session', request: nothing },
  readCase: { method: 'GET', path: '/case', request: nothing },
  listForms: { method: 'GET', path: '/questionnaires', request: nothing },
  populateForm: { method: 'POST', path: '/questionnaires/populate', request: formId },
  readProgress: { method: 'GET', path: '/questionnaires/progress', request: formId },
  saveForm: { method: 'PUT', path: '/questionnaires/save', request: z.object({ formId: z.string(), version: z.int(), response, settled: z.optional(z.literal(true)) }) },
  completeForm: { method: 'POST', path: '/questionnaires/complete', request: z.object({ formId: z.string(), version: z.int(), response, statement: z.optional(statement) }) },
  nextQuestion: { method: 'POST', path: '/questionnaires/next', request: z.object({ formId: z.string(), version: z.int(), response }) },
  readResponseBundle: { method: 'GET', path: '/questionnaires/bundle', request: formId },
  searchOptions: { method: 'GET', path: '/questionnaires/options', request: z.object({ formId: z.string(), linkId: z.string().check(z.minLength(1), z.maxLength(300)), filter: z.string().check(z.maxLength(100)) }) },
  readSource: { method: 'GET', path: '/source', request: z.object({ reference: z.string().check(z.regex(/^[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/)) }) },
  searchReferences: { method: 'GET', path: '/source/search', request: z.object({ types: z.string().check(z.regex(/^[A-Z][A-Za-z]+(,[A-Z][A-Za-z]+){0,19}$/)), filter: z.string().check(z.maxLength(100)) }) },
  previewSubmission: { method: 'GET', path: '/pas-bundle/preview', request: nothing },
  submit: { method: 'POST', path: '/pas-bundle/submit', request: z.object({ caseVersion: z.int() }) },
  listColleagues: { method: 'GET', path: '/colleagues', request: z.object({ q: words.check(z.maxLength(100)) }) },
  readHandOver: { method: 'GET', path: '/hand-over', request: nothing },
  handOver: { method: 'POST', path: '/hand-over', request: z.object({ to: colleague, note: words }) },
  takeOver: { method: 'POST', path: '/hand-over/take', request: nothing },
  cancelHandOver: { method: 'POST', path: '/hand-over/cancel', request: nothing },
  readPacket: { method: 'GET', path: '/packet', request: nothing },
  closeSession: { method: 'POST', path: '/session/close', request: nothing },
} as const;

export type PanelMessage = keyof typeof PANEL_API;
export type PanelRequest<M extends PanelMessage> = z.infer<(typeof PANEL_API)[M]['request']>;

export interface PanelReplies {
  readonly readSession: PanelSession;
  readonly readCase: CaseView;
  /** `notices`: the payer's words where it sent no form. */
  readonly listForms: { readonly forms: readonly FormView[]; readonly notices?: readonly string[] };
  readonly populateForm: { readonly form: FormView };
  readonly readProgress: ReadProgress;
  readonly saveForm: { readonly form: FormView };
  readonly completeForm: { readonly form: FormView; readonly case: PriorAuthCase };
  /** `problems`: what the payer does not accept, and then nothing was saved. */
  readonly nextQuestion: { readonly form: FormView; readonly completed: boolean; readonly problems: readonly PayerProblem[]; readonly case: PriorAuthCase };
  /** DTR-QRBundle: the response as it is shared, with what its answers refer to. */
  readonly readResponseBundle: { readonly bundle: Bundle };
  readonly searchOptions: { readonly options: readonly AnswerOptionFound[]; readonly more: boolean };
  readonly readSource: { readonly resource: Resource; readonly summary: readonly { readonly label: string; readonly value: string }[] };
  readonly searchReferences: { readonly references: readonly ReferenceFound[]; readonly more: boolean };
  readonly previewSubmission: SubmissionPreview;
  readonly submit: CaseView;
  readonly listColleagues: { readonly colleagues: readonly Colleague[] };
  readonly readHandOver: { readonly handOver: HandOver | null };
  readonly handOver: { readonly handOver: HandOver };
  readonly takeOver: { readonly handOver: HandOver };
  readonly cancelHandOver: { readonly handOver: HandOver };
  readonly readPacket: Packet;
  readonly closeSession: Record<string, never>;
}

/** Every JSON API of ours answers a failure with this body and the fitting HTTP status. */
export interface ErrorReply {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly nextStep?: string;
    /** With FORM_CHANGED: the form as it is now. */
    readonly current?: FormView;
  };
}
