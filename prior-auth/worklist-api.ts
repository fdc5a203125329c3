import { z } from 'zod/mini';
import { CASE_STEPS, type CaseStateKind, type PriorAuthCase } from './case.ts';
import type { HandOver, Person } from './panel-api.ts';
import type { Authorization } from './payer-decision/authorization-register.ts';
import type { Clock } from './payer-decision/deadlines.ts';
import type { DecisionWords } from './payer-decision/decision-words.ts';
import type { Duties } from './payer-decision/duties.ts';

/*
 * What the staff's worklist asks of the server, all below /work/api:
 * GET /session, POST /session/close, GET /cases?FILTERS, POST /cases/search (filters and words; words may name a patient and stay out of addresses),
 * POST /cases/export (CSV), GET /cases/:id, POST /cases/:id/notes, POST /cases/:id/decision (`enteredDecision`), POST /cases/:id/use, POST /payers/:id/pause, POST /payers/:id/resume, POST /steps, GET /events (server-sent), GET /people,
 * GET and POST /views, POST /views/:id, POST /views/:id/remove.
 */

export interface WorklistSession {
  readonly user: Person;
}

export const WHO_MUST_ACT = ['us', 'payer', 'nobody'] as const;
export type WhoMustAct = (typeof WHO_MUST_ACT)[number];

export const WORKLIST_SORTS = ['clock', 'updated', 'touch', 'ends'] as const;

/** PostgreSQL keeps no U+0000 and no half of a surrogate pair. */
const storable = z.refine<string>((text) => !/\p{Surrogate}/u.test(text) && !text.includes('\u0000'), 'must be well-formed Unicode without U+0000');
const words = (most: number) => z.string().check(z.trim(), z.maxLength(most), storable);
const said = (most: number) => words(most).check(z.minLength(1));
const date = z.iso.date();
const person = z.strictObject({ reference: z.string().check(z.regex(/^[A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/)), name: said(200) });

/** What the list shows; what is absent is not asked for. */
export const worklistQuery = z.strictObject({
  state: z.optional(z.custom<CaseStateKind>((value) => typeof value === 'string' && Object.hasOwn(CASE_STEPS, value), 'not a state of a case')),
  /** Of our payer directory. */
  payer: z.optional(said(100)),
  /** Relative reference of who ordered. */
  requester: z.optional(said(200)),
  /** Code of the case's first service. */
  service: z.optional(said(100)),
  clock: z.optional(z.enum(['expedited', 'standard'])),
  /** The payer's time is over. */
  overdue: z.optional(z.literal('true')),
  mustAct: z.optional(z.enum(WHO_MUST_ACT)),
  wantsMore: z.optional(z.literal('true')),
  handedOver: z.optional(z.literal('true')),
  /** To be looked at again on this day (YYYY-MM-DD, of the reader's calendar) or before. */
  touchDue: z.optional(date),
  /** Relative reference of a member of staff, or `nobody`. */
  assigned: z.optional(said(200)),
  /** The register of authorizations: those that have an end, and end on this day or before. `any`: all of them. */
  endsBy: z.optional(z.union([z.literal('any'), date])),
  q: z.optional(words(100)),
  sort: z._default(z.enum(WORKLIST_SORTS), 'clock'),
});
export type WorklistQuery = z.infer<typeof worklistQuery>;

export const worklistSearch = z.extend(worklistQuery, { after: z.optional(z.string().check(z.maxLength(200))) });
export type WorklistSearch = z.input<typeof worklistSearch>;

/** Who has signed in here or ordered: whom a case may be assigned to. */
export interface WorklistPeople {
  readonly people: readonly Person[];
}

export interface WorklistRow {
  readonly caseId: string;
  readonly patientName: string;
  readonly service: string;
  readonly serviceCode: string | null;
  readonly payerName: string;
  /** Name of who ordered, where it is known; else the reference. */
  readonly requester: string | null;
  readonly state: CaseStateKind;
  readonly mustAct: WhoMustAct;
  /** The payer asks for more before it decides, by this day where it says one. */
  readonly wantsMore: { readonly due: string | null } | null;
  /** Overall decision when there is one. */
  readonly decision: DecisionWords | null;
  readonly clock: Clock | null;
  readonly updatedAt: string;
  /** YYYY-MM-DD. */
  readonly nextTouch: string | null;
  readonly assignedTo: Person | null;
  /** In a colleague's hands, or waiting to be taken over. */
  readonly handedOver?: { readonly by: string; readonly to: string; readonly at: string; readonly takenBy?: string };
  /** What the payer authorized, where it did. */
  readonly authorizations: readonly RegisteredAuthorization[];
}

/** One line of the register. */
export interface RegisteredAuthorization extends Authorization {
  readonly service: string;
}

/** Counts hold for all cases of the record system, whatever the filters. */
export interface WorklistCounts {
  /** When they were counted: with very many cases a little before the rows were read. */
  readonly at: string;
  readonly all: number;
  readonly states: Readonly<Partial<Record<CaseStateKind, number>>>;
  readonly mustAct: Readonly<Record<WhoMustAct, number>>;
  readonly wantsMore: number;
  readonly overdue: number;
  readonly handedOver: number;
  /** What the filters may be set to, the commonest first. */
  readonly payers: readonly Choice[];
  readonly requesters: readonly Choice[];
  readonly services: readonly Choice[];
}

interface Choice {
  readonly value: string;
  readonly name: string;
  readonly count: number;
}

export interface WorklistPage {
  readonly rows: readonly WorklistRow[];
  /** Pass as `after` to read on; null at the end. */
  readonly next: string | null;
  /** Cases that fit; `more`: at least so many. */
  readonly found: { readonly count: number; readonly more: boolean };
  readonly counts: WorklistCounts;
  /** Payers that cannot be reached and what waits for them. */
  readonly outages: readonly PayerOutage[];
}

/** How the line to a payer stands when it is not simply open. Instants are ISO. */
export interface PayerOutage {
  readonly payerId: string;
  readonly payerName: string;
  /** `draining`: what waited is being sent, in its order. `paused`: by a member of staff. `manual`: by configuration. */
  readonly line: 'down' | 'draining' | 'paused' | 'manual';
  readonly waiting: number;
  readonly oldestQueuedAt: string | null;
  readonly nextTryAt: string | null;
  readonly drained: { readonly done: number; readonly of: number } | null;
  readonly paused: { readonly at: string; readonly by: string; readonly note: string } | null;
}

export const pauseOfLine = z.strictObject({ note: words(500) });

/** Units of an authorized item that were provided; below zero takes an earlier entry back. */
export const usedUnits = z.strictObject({ sequence: z.int().check(z.positive()), quantity: z.number().check(z.refine((value) => value !== 0)), usedOn: date, note: z.optional(words(500)) });
export type UsedUnits = z.infer<typeof usedUnits>;

/** What staff write down: a note, or a call to the payer. */
export const newNote = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('note'), text: said(4000) }),
  z.strictObject({ kind: z.literal('call'), withWhom: said(200), outcome: said(4000), reference: z.optional(words(100)) }),
]);
export type NewNote = z.infer<typeof newNote>;

export interface CaseNote {
  readonly id: string;
  readonly at: string;
  readonly by: Person;
  readonly note: NewNote;
}

/** What may be done to a case from the list. */
export const worklistAction = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('set-next-touch'), on: z.nullable(date) }),
  z.strictObject({ kind: z.literal('assign'), to: z.nullable(person) }),
  z.strictObject({ kind: z.literal('hold') }),
  z.strictObject({ kind: z.literal('release') }),
  z.strictObject({ kind: z.literal('resend') }),
  z.strictObject({ kind: z.literal('withdraw') }),
  z.strictObject({ kind: z.literal('check-now') }),
  z.strictObject({ kind: z.literal('switch-to-manual'), reference: z.optional(words(100)) }),
  z.strictObject({ kind: z.literal('switch-back') }),
  z.strictObject({ kind: z.literal('cancel-request') }),
  z.strictObject({ kind: z.literal('request-again') }),
  z.strictObject({ kind: z.literal('renew') }),
]);
export type WorklistAction = z.infer<typeof worklistAction>;

export const MOST_STEPS = 200;
export const worklistSteps = z.strictObject({ steps: z.array(z.strictObject({ caseId: z.uuid(), action: worklistAction })).check(z.minLength(1), z.maxLength(MOST_STEPS)) });
export type WorklistSteps = z.infer<typeof worklistSteps>;

/** One for each step, in its order. */
export type StepResult =
  /** `undo`: the step that takes it back, where one does. */
  | { readonly kind: 'done'; readonly caseId: string; readonly undo?: WorklistAction }
  | { readonly kind: 'refused'; readonly caseId: string; readonly code: string; readonly message: string };

export const newView = z.strictObject({ name: said(80), shared: z.boolean(), query: worklistQuery });
export type NewView = z.input<typeof newView>;

export interface SavedView {
  readonly id: string;
  readonly name: string;
  readonly shared: boolean;
  readonly mine: boolean;
  readonly ownerName: string;
  readonly query: WorklistQuery;
}

/** What the timeline tells, in the order of a case’s way; viewing and reading are in the audit trail but are no steps. */
export const TIMELINE_ACTIONS = [
  'case-opened', 'panel-launched', 'denial-risk-scored', 'questionnaire-populated', 'questionnaire-saved', 'questionnaire-completed',
  'questionnaire-attested', 'questionnaire-merged', 'handed-over', 'hand-over-taken', 'hand-over-cancelled', 'hand-over-completed',
  'packet-printed', 'submission-chosen', 'pas-bundle-queued', 'request-held', 'request-released', 'request-resent',
  'request-withdrawn', 'pas-bundle-sent', 'pas-bundle-refused', 'payer-asked', 'payer-decision-received', 'information-queued',
  'information-sent', 'information-refused', 'request-changed', 'request-cancelled', 'asked-again', 'switched-to-manual',
  'switched-back', 'decision-entered', 'authorization-used', 'note-written', 'call-logged', 'next-touch-set',
  'case-assigned', 'appeal-recorded', 'label-overridden',
] as const;
export type TimelineAction = (typeof TIMELINE_ACTIONS)[number];

export interface WorklistCase {
  readonly case: PriorAuthCase;
  readonly clock: Clock | null;
  readonly decision: DecisionWords | null;
  readonly duties: Duties;
  readonly mustAct: WhoMustAct;
  readonly nextTouch: string | null;
  readonly assignedTo: Person | null;
  readonly handOver: HandOver | null;
  readonly requester: string | null;
  readonly authorizations: readonly RegisteredAuthorization[];
  /** Newest first. */
  readonly notes: readonly CaseNote[];
  /** Oldest first: who did what, from the audit trail; `who` is a name where one is known. */
  readonly timeline: readonly { readonly at: string; readonly who: string; readonly action: TimelineAction }[];
}
