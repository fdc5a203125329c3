import type { Patient, Resource } from '@medplum/fhirtypes';
import { referenceTo } from '#fhir/base/reference.ts';
import { calendarDay } from '#prior-auth/coverage-requirement/calendar-day.ts';
import { conditionalOn, type Determination, determine, findPolicy, withReason } from '#prior-auth/coverage-requirement/determine.ts';
import { emissionFaults } from '#prior-auth/coverage-requirement/emission-rules.ts';
import { type Chart, readChart } from '#prior-auth/coverage-requirement/evidence.ts';
import { readFocusService } from '#prior-auth/order/read-focus-service.ts';
import { allowedAnswer, type Guarding } from '../answer-rules/allowed-answer.ts';
import type { Configuration } from '../configuration.ts';
import { carriesAuthorization } from '../authorization-on-order.ts';
import { type CardParts, cardsFor } from '../cards-for.ts';
import { coverageAction } from '../coverage-action.ts';
import { chooseCoverage, type CoverageChoice, namedCoverages } from '../coverage-choice.ts';
import { askedFocus } from '../delegation/asked-focus.ts';
import type { AnswerSource, Delegation } from '../delegation/delegation.ts';
import type { DeterminedFocus } from '../determined-focus.ts';
import type { HookAnswer } from '../hook-answer.ts';
import { type HookCall, PRIMARY_HOOKS } from '../hook-call.ts';
import type { RecordSource } from '../record.ts';
import { Refusal } from '../refusal.ts';
import { ANSWER_WRITERS } from '../versions/answer-writers.ts';
import { type Foci, findFoci } from './foci.ts';
import { isWorthSaying, withoutDocuments } from './secondary-hook.ts';

export interface AnswerParts extends CardParts {
  readonly now: () => number;
  readonly onFault: (why: string) => void;
  readonly onAnswerFault: Guarding['onFault'];
  /** Undefined: payers' own services are not asked. */
  readonly delegation?: Delegation | undefined;
  /** Queries of this hook's discovery, by key. */
  readonly ownPrefetch: Readonly<Record<string, string>>;
  /** When the answer must be complete. Made when first asked for. */
  readonly deadline: () => AbortSignal;
}

export interface HookResult {
  readonly answer: HookAnswer;
  readonly determined: readonly DeterminedFocus[];
  /** Who answered, for each of `determined`. */
  readonly sources: readonly AnswerSource[];
  /** For the audit trail: model version and band of each score, by order. */
  readonly scores: Readonly<Record<string, string>>;
}

/** Where no payer is known, the day is taken in UTC. */
const NO_PAYER_TIME_ZONE = 'UTC';
/** In place of an answer that breaks the rules. */
const INCONCLUSIVE = { docPurpose: [], questionnaires: [], cause: 'technical' as const, ...conditionalOn('OTH', 'The rule for this service could not be evaluated.') };
const NOTHING: HookResult = { answer: { cards: [], systemActions: [] }, determined: [], sources: [], scores: {} };

/**
 * The answer to any hook, in the version the call asks for. A secondary hook whose data cannot be had is answered with nothing.
 * @throws Refusal of a primary hook: 412 when what it is about, or its coverage, cannot be had; statusNotConforming when the patient has no coverage.
 */
export async function answerHook(call: HookCall, record: RecordSource, configuration: Configuration, parts: AnswerParts): Promise<HookResult> {
  const writer = ANSWER_WRITERS[call.version];
  const primary = PRIMARY_HOOKS.has(call.hook);
  const sent = new Set(call.orders.flatMap((order) => namedCoverages(order)));
  const [ofSent, patient, foci] = await Promise.all([record.coverages([...sent]), record.patient(), findFoci(call, record, writer)]);
  if (primary && foci.resources.length === 0) throw new Refusal(412, 'not-found', 'What the call is about is neither in the prefetch nor to be had from the FHIR server.');

  const ofRead = foci.resources.flatMap((focus) => namedCoverages(focus, foci.lookUp)).filter((reference) => !sent.has(reference));
  const coverages = ofRead.length === 0 ? ofSent : await record.coverages([...sent, ...ofRead]);
  const choices = foci.resources.map((focus) => ({ focus, choice: chooseCoverage(namedCoverages(focus, foci.lookUp), coverages, (payer, instant = parts.now()) => calendarDay(instant, payer?.timeZone ?? NO_PAYER_TIME_ZONE)) }));
  const chosen = choices.filter((each): each is Chosen => each.choice.kind === 'chosen');
  if (chosen.length === 0 && primary) throw withoutCoverage(choices[0]?.choice.kind === 'none' ? choices[0].choice.why : undefined, writer.statusNotConforming);
  if (chosen.length === 0) return NOTHING;

  const asking = parts.delegation?.begin({
    call, patient, writer, deadline: parts.deadline, ownPrefetch: parts.ownPrefetch,
    foci: chosen.flatMap(({ focus, choice: { reference, coverage, payer, fault } }) => (fault ? [] : [{ ...askedFocus(focus, reference, call.appointments, foci.lookUp), coverageResource: coverage, payer }])),
  });
  // What goes wrong beside our own determination is told when it is waited for.
  asking?.catch(() => undefined);
  const ours = await determineAll(chosen, { patient, lookUp: foci.lookUp, record, parts });
  const payers = await asking;
  const merged = ours.map((each) => payers?.merged(each) ?? { focus: each, source: 'library' as const });
  const determined = merged.map(({ focus: each }) => {
    const emitted: DeterminedFocus = { ...each, determination: emittable(wanted(each.determination, configuration), parts) };
    return primary ? emitted : withoutDocuments(emitted);
  });
  const open = determined.filter((each) => !carriesAuthorization(each));
  const toSay = configuration.coverageInformation ? open.filter((each) => primary || isWorthSaying(each)) : [];
  const systemActions = toSay.flatMap(({ focus, determination }) => coverageAction(focus, determination.requirement, writer) ?? []);
  const { cards, systemActions: responded, scores, risks } = await cardsFor(open, { call, configuration, writer, parts });
  const payersCards = (payers?.cards ?? []).filter((card) => configuration.wants(card.source.topic.code));
  const answer = allowedAnswer({ cards: [...cards, ...payersCards].slice(0, configuration.maxCards), systemActions: [...systemActions, ...responded] }, {
    hook: call.hook,
    version: call.version,
    sent: new Map(determined.map(({ focus }) => [referenceTo(focus) ?? '', focus])),
    drafts: new Set(call.orders.flatMap((order) => referenceTo(order) ?? [])),
    coverageInformation: configuration.coverageInformation,
    inconclusive: (resource, coverage) => coverageAction(resource, { coverage, date: calendarDay(parts.now(), NO_PAYER_TIME_ZONE), assertionId: parts.newId(), ...INCONCLUSIVE }, writer),
    onFault: parts.onAnswerFault,
  });
  // Signing comes after selecting: what selecting shows need not be shown again. Only what leaves is shown.
  const shown = call.hook === 'order-select' ? answer.cards.flatMap(({ uuid }) => risks.get(uuid) ?? []) : [];
  for (const risk of shown) parts.shownRisks.note(risk);
  return { answer, determined, sources: merged.map(({ source }) => source), scores };
}

interface Chosen {
  readonly focus: Resource;
  readonly choice: Extract<CoverageChoice, { kind: 'chosen' }>;
}

interface Known {
  readonly patient: Patient | undefined;
  readonly lookUp: Foci['lookUp'];
  readonly record: RecordSource;
  readonly parts: AnswerParts;
}

/** The chart is read only as far as the policies in play look at it. */
async function determineAll(chosen: readonly Chosen[], { patient, lookUp, record, parts }: Known): Promise<readonly DeterminedFocus[]> {
  const asked = chosen.map(({ focus, choice }) => {
    const { payer, coverage } = choice;
    return { focus, choice, payer, coverage, patient, service: readFocusService(focus, lookUp), today: calendarDay(parts.now(), payer?.timeZone ?? NO_PAYER_TIME_ZONE) };
  });
  const policies = asked.flatMap((each) => (each.choice.fault ? [] : (findPolicy(parts.policies, each) ?? [])));
  const evidenceTypes = new Set(policies.flatMap(({ revision }) => revision.criteria.flatMap((criterion) => criterion.evidence.map(({ type }) => type))));
  const resources = evidenceTypes.size === 0 ? [] : await record.evidence(evidenceTypes);
  let read: Chart | undefined;
  const chart = (): Chart => (read ??= readChart(resources));
  return asked.map(({ choice, ...each }) => {
    const determined = withUnread(record.unread(), determine(parts.policies, { ...each, order: each.focus, coverage: choice.reference, coverageFault: choice.fault, chart, assertionId: parts.newId() }));
    return {
      ...each,
      payerName: each.payer?.name ?? 'Payer',
      otherPayers: choice.otherPayers,
      determination: choice.remark === undefined ? determined : withReason(determined, choice.remark),
    };
  });
}

/** A criterion that is not found is one thing, a record that could not be searched another. */
function withUnread(unread: readonly string[], determination: Determination): Determination {
  if (unread.length === 0) return determination;
  const criteria = determination.applicable?.revision.criteria ?? [];
  const open = new Set(determination.findings.filter(({ status, criterionId }) => status !== 'met' && criteria.some(({ id, evidence }) => id === criterionId && evidence.some(({ type }) => unread.includes(type)))));
  if (open.size === 0) return determination;
  // What was read may say no; that nothing was found may be for want of the rest.
  const findings = determination.findings.map((finding) => (open.has(finding) && finding.status === 'unknown' ? { ...finding, unread: true as const } : finding));
  return withReason({ ...determination, findings }, `Not checked, because it could not be read from the record: ${unread.toSorted().join(', ')}.`);
}

/** Who has switched unsolicited determinations off is told that an authorization is needed, not that one was given unasked. */
function wanted(determination: Determination, { unsolicitedDeterminations }: Configuration): Determination {
  if (unsolicitedDeterminations || determination.requirement.paNeeded !== 'satisfied') return determination;
  const { satisfiedPaId: _notAsked, ...requirement } = determination.requirement;
  return { ...determination, requirement: { ...requirement, paNeeded: 'auth-needed' } };
}

/** Every answer passes the emission rules. A policy that breaks one is our fault, not the clinician's: the order gets a conditional answer. */
function emittable(determination: Determination, { onFault }: AnswerParts): Determination {
  const faults = emissionFaults([determination.requirement]);
  if (faults.length === 0) return determination;
  onFault(faults.map((fault) => fault.rule).join(','));
  const { coverage, date, assertionId } = determination.requirement;
  return { ...determination, requirement: { coverage, date, assertionId, ...INCONCLUSIVE } };
}

/** `none`: why the patient has no coverage; undefined when it could not be had. */
function withoutCoverage(none: string | undefined, statusNotConforming: number): Refusal {
  return none === undefined
    ? new Refusal(412, 'not-found', 'The coverage is neither in the prefetch nor to be had from the FHIR server.')
    : new Refusal(statusNotConforming, 'business-rule', none);
}
