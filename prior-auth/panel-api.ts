import type { Bundle, Questionnaire, QuestionnaireResponse, Resource, ValueSet } from '@medplum/fhirtypes';
import { z } from 'zod/mini';
import type { PriorAuthCase } from './case.ts';
import type { EvidenceReference } from './coverage-requirement/requirement.ts';
import type { AppealOutlook } from './learning/appeal-outlook.ts';
import type { DenialRisk } from './learning/denial-risk.ts';
import type { DecisionWords } from './payer-decision/decision-words.ts';
import type { Packet } from './packet.ts';
import type { SubmissionProblem } from './pas-bundle/submission-input.ts';
import type { Clock } from './payer-decision/deadlines.ts';
import type { Duties } from './payer-decision/duties.ts';
import type { Authorization } from './payer-decision/authorization-register.ts';
import { enteredDecision } from './payer-decision/entered-decision.ts';
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
  /** What the payer owes us and what we owe the payer, kept apart. */
  readonly duties?: Duties;
  /** Present when the payer has answered. */
  readonly decisionWords: DecisionWords | null;
  readonly risk: DenialRisk | null;
  /** Of a denied first item that has like cases among the external reviews; absent else. */
  readonly appealOutlook?: AppealOutlook;
  /** The items as the payer has them, or as they are on their way there; absent before that. */
  readonly asked?: readonly AskedItem[];
  /** What the payer authorized and how much of it is used; absent where it authorized nothing. */
  readonly authorizations?: readonly Authorization[];
  /** Forms that the payer asked for while it decides, once they were opened. */
  readonly askForms?: readonly { readonly askId: string; readonly formId: string; readonly completed: boolean }[];
}

/** A file that answers what a payer asked for, or a note made into one. */
export interface AnswerFile {
  readonly title: string;
  readonly contentType: (typeof ANSWER_FILE_TYPES)[number];
  /** Base64. */
  readonly data: string;
}

/** Kinds that payers take as attachments; what comes must also begin as its kind does. */
export const ANSWER_FILE_TYPES = ['application/pdf', 'image/jpeg', 'image/png', 'image/tiff', 'text/plain'] as const;
export const MOST_ANSWER_FILES = 10;
/** Of all files of one answer, before base64. */
export const MOST_ANSWER_BYTES = 8_000_000;

/** One item of the request that was sent. */
export interface AskedItem {
  readonly sequence: number;
  readonly display: string;
  readonly code?: string;
  readonly quantity?: { readonly value: number; readonly unit?: string };
  /** YYYY-MM-DD, or the day on which it begins and the one on which it ends. */
  readonly serviced?: { readonly start?: string; readonly end?: string };
  /** A person took it out of the request. */
  readonly cancelled?: true;
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
  /** `order`: relative reference of the order behind the item. */
  readonly items: readonly { readonly sequence: number; readonly display: string; readonly code: string; readonly order?: string }[];
  /** `reference`: the record's entry. `optional`: a person may leave it out (`SubmissionInput.chosen.exclude`). */
  readonly resources: readonly { readonly resourceType: string; readonly display: string; readonly why: string; readonly reference?: string; readonly optional?: true }[];
  /** What would support the request and is not sent, and the reason. `byPerson`: left out on the review screen, and may be put back. */
  readonly leftOut?: readonly LeftOut[];
  /** Does not stop the submission. */
  readonly warnings?: readonly { readonly code: string; readonly message: string }[];
  /** Problems that stop the submission, each with what to do. `diagnosis`: answered by `SubmissionInput.diagnosisChoices`. */
  readonly problems: readonly SubmissionProblem[];
}

export interface SubmissionReview extends SubmissionPreview {
  readonly chosen: ReviewChoices;
}

/** What a person chose on the review screen; references are relative ones of record entries. */
export interface ReviewChoices {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** ICD-10-CM codes by `DiagnosisQuestion.reason`. */
  readonly diagnoses: Readonly<Record<string, string>>;
}

/** Another order of this patient. */
export interface FurtherOrder {
  readonly reference: string;
  readonly display: string;
  readonly code?: string;
  /** As the record has it. */
  readonly date?: string;
  /** Forms that the payer wants for it. */
  readonly forms: number;
  /** Why it cannot go with this request; absent where it can. */
  readonly obstacle?: 'not-asked' | 'nothing-needed' | 'other-coverage' | 'already-sent' | 'in-another-request' | 'unreadable';
}

export interface LeftOut {
  readonly reference: string;
  readonly resourceType: string;
  readonly display: string;
  readonly reason: string;
  readonly byPerson?: true;
}

const nothing = z.object({});
const formId = z.object({ formId: z.string().check(z.minLength(1), z.maxLength(200)) });
const response = z.looseObject({ resourceType: z.literal('QuestionnaireResponse') });
/** PostgreSQL keeps no U+0000 and no half of a surrogate pair. */
const words = z.string().check(z.trim(), z.maxLength(2000), z.refine((text) => !/\p{Surrogate}/u.test(text) && !text.includes('\u0000'), 'must be well-formed Unicode without U+0000'));
const statement = words.check(z.minLength(1));
const orderReference = z.string().check(z.regex(/^(ServiceRequest|DeviceRequest|MedicationRequest|NutritionOrder|VisionPrescription)\/[A-Za-z0-9\-.]{1,64}$/));
const recordReference = z.string().check(z.regex(/^[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/));
/** Of one request that this program sends; payers' own limits are lower or none. */
const MOST_ITEMS = 50;
const MOST_CHOSEN = 200;
const colleague = z.string().check(z.regex(/^(Practitioner|PractitionerRole|Organization)\/[A-Za-z0-9\-.]{1,64}$/));

/** The version of the case that the person looked at. */
const ofVersion = z.object({ caseVersion: z.int() });
const byHand = { reference: z.optional(words.check(z.minLength(1), z.maxLength(100))), submittedAt: z.optional(z.iso.datetime()) };
const askId = z.string().check(z.minLength(1), z.maxLength(1000));
const sequence = z.int().check(z.positive(), z.maximum(10_000));
const day = z.iso.date();
const quantity = z.object({ value: z.number().check(z.positive(), z.maximum(1_000_000)), unit: z.optional(words.check(z.minLength(1), z.maxLength(50))) });
const requestChange = z.object({
  cancel: z.array(sequence).check(z.maxLength(MOST_ITEMS)),
  change: z
    .array(z.object({ sequence, quantity: z.optional(quantity), serviced: z.optional(z.union([z.strictObject({ date: day }), z.strictObject({ period: z.object({ start: z.optional(day), end: z.optional(day) }) })])) }))
    .check(z.maxLength(MOST_ITEMS)),
  add: z.array(orderReference).check(z.maxLength(MOST_ITEMS)),
});

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
  listFurtherOrders: { method: 'GET', path: '/pas-bundle/orders', request: nothing },
  chooseSubmission: {
    method: 'PUT',
    path: '/pas-bundle/choices',
    request: z.object({
      caseVersion: z.int(),
      further: z.array(orderReference).check(z.maxLength(MOST_ITEMS - 1)),
      include: z.array(recordReference).check(z.maxLength(MOST_CHOSEN)),
      exclude: z.array(recordReference).check(z.maxLength(MOST_CHOSEN)),
      diagnoses: z.record(z.string().check(z.minLength(1), z.maxLength(300)), z.string().check(z.regex(/^[A-Z]\d[0-9A-Z](\.?[0-9A-Z]{1,4})?$/))),
    }),
  },
  previewSubmission: { method: 'GET', path: '/pas-bundle/preview', request: nothing },
  submit: { method: 'POST', path: '/pas-bundle/submit', request: z.object({ caseVersion: z.int() }) },
  holdRequest: { method: 'POST', path: '/case/hold', request: ofVersion },
  releaseRequest: { method: 'POST', path: '/case/release', request: ofVersion },
  resendRequest: { method: 'POST', path: '/case/resend', request: ofVersion },
  withdrawRequest: { method: 'POST', path: '/case/withdraw', request: ofVersion },
  checkNow: { method: 'POST', path: '/case/check-now', request: ofVersion },
  switchToManual: { method: 'POST', path: '/case/manual', request: z.extend(ofVersion, byHand) },
  updateManual: { method: 'PUT', path: '/case/manual', request: z.extend(ofVersion, byHand) },
  switchBack: { method: 'POST', path: '/case/switch-back', request: ofVersion },
  recordDecision: { method: 'POST', path: '/case/decision', request: z.extend(ofVersion, { decision: enteredDecision }) },
  requestAgain: { method: 'POST', path: '/case/request-again', request: ofVersion },
  renewAuthorization: { method: 'POST', path: '/case/renew', request: ofVersion },
  changeRequest: { method: 'POST', path: '/case/change', request: z.extend(ofVersion, { change: requestChange }) },
  cancelRequest: { method: 'POST', path: '/case/cancel', request: ofVersion },
  answerAsk: {
    method: 'POST',
    path: '/asks/answer',
    request: z.extend(ofVersion, {
      askId,
      references: z.array(recordReference).check(z.maxLength(MOST_CHOSEN)),
      files: z.array(z.object({ title: words.check(z.minLength(1), z.maxLength(200)), contentType: z.enum(ANSWER_FILE_TYPES), data: z.string().check(z.minLength(1), z.maxLength(Math.ceil(MOST_ANSWER_BYTES / 3) * 4)) })).check(z.maxLength(MOST_ANSWER_FILES)),
      note: z.optional(statement),
      /** Where the payer asked for one of several kinds: which this is. */
      code: z.optional(z.string().check(z.minLength(1), z.maxLength(50))),
    }),
  },
  openAskForm: { method: 'POST', path: '/asks/form', request: z.extend(ofVersion, { askId }) },
  recordUse: { method: 'POST', path: '/case/use', request: z.extend(ofVersion, { sequence, quantity: z.number().check(z.minimum(-1_000_000), z.maximum(1_000_000)), usedOn: day, note: z.optional(words.check(z.minLength(1), z.maxLength(500))) }) },
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
  readonly listFurtherOrders: { readonly orders: readonly FurtherOrder[]; /** Types that the EHR did not let us search. */ readonly unread: readonly string[] };
  readonly chooseSubmission: { readonly view: CaseView; readonly review: SubmissionReview };
  readonly previewSubmission: SubmissionReview;
  readonly submit: CaseView;
  readonly holdRequest: CaseView;
  readonly releaseRequest: CaseView;
  readonly resendRequest: CaseView;
  readonly withdrawRequest: CaseView;
  readonly checkNow: CaseView;
  readonly switchToManual: CaseView;
  readonly updateManual: CaseView;
  readonly switchBack: CaseView;
  readonly recordDecision: CaseView;
  /** The new case; the session is about it from now on. */
  readonly requestAgain: CaseView;
  readonly renewAuthorization: CaseView;
  readonly changeRequest: CaseView;
  readonly cancelRequest: CaseView;
  readonly answerAsk: CaseView;
  /** The payer's form is among `listForms` from now on. */
  readonly openAskForm: CaseView;
  readonly recordUse: CaseView;
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
