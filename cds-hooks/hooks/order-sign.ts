import type { Patient, Resource } from '@medplum/fhirtypes';
import { referenceTo, relativeReference } from '#fhir/base/reference.ts';
import type { DenialRiskModel } from '#models/serve/denial-risk-model.ts';
import { calendarDay } from '#prior-auth/coverage-requirement/calendar-day.ts';
import { toDenialRiskFacts } from '#prior-auth/coverage-requirement/denial-risk-facts.ts';
import { conditionalOn, type Determination, determine, findPolicy } from '#prior-auth/coverage-requirement/determine.ts';
import { emissionFaults } from '#prior-auth/coverage-requirement/emission-rules.ts';
import { type Chart, readChart } from '#prior-auth/coverage-requirement/evidence.ts';
import type { PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import type { PolicyLibrary } from '#prior-auth/coverage-requirement/policy-library.ts';
import type { DenialRisk } from '#prior-auth/learning/denial-risk.ts';
import { isOrder, readRequestedService } from '#prior-auth/order/read-requested-service.ts';
import type { RequestedService } from '#prior-auth/order/requested-service.ts';
import { type Card, denialRiskCard, instructionsCard, panelLinkCard } from '../cards.ts';
import type { Configuration } from '../configuration.ts';
import { answeredOrder } from '../coverage-action.ts';
import type { OrderSignCall } from '../order-sign-call.ts';
import type { CoverageOfPayer, RecordSource } from '../record.ts';
import { Refusal } from '../refusal.ts';

export interface OrderSignParts {
  readonly policies: PolicyLibrary;
  readonly payers: PayerDirectory;
  readonly model: Pick<DenialRiskModel, 'score'>;
  readonly panelLaunchUrl: string;
  readonly now: () => number;
  readonly newId: () => string;
  readonly onRisk: (outcome: 'scored' | 'failed', error?: unknown) => void;
  readonly onFault: (why: string) => void;
}

export interface OrderSignAnswer {
  readonly cards: readonly Card[];
  readonly systemActions: readonly { readonly type: 'update'; readonly description: string; readonly resource: Resource }[];
}

export interface OrderSignResult {
  readonly answer: OrderSignAnswer;
  readonly determinations: readonly Determination[];
  /** For the audit trail: model version and band of each score, by order. */
  readonly scores: Readonly<Record<string, string>>;
}

interface DeterminedOrder {
  readonly order: Resource;
  readonly service: RequestedService | undefined;
  readonly patient: Patient | undefined;
  readonly determination: Determination;
  readonly payerName: string;
  readonly today: string;
}

/** A score later than this is left out of the answer. */
const MODEL_DEADLINE_MS = 250;
/** Where no payer is known, the day is taken in UTC. */
const NO_PAYER_TIME_ZONE = 'UTC';

/** @throws Refusal 412 when the coverage cannot be had, 422 when the patient has none that is active. */
export async function answerOrderSign(call: OrderSignCall, record: RecordSource, configuration: Configuration, parts: OrderSignParts): Promise<OrderSignResult> {
  const [coverages, patient] = await Promise.all([record.coverages(), record.patient()]);
  const asked = call.draftOrders.map((order) => {
    const { coverage, payer } = coverageOf(order, coverages);
    const service = isOrder(order) ? readRequestedService(order) : undefined;
    return { order, service, coverage, payer, today: calendarDay(parts.now(), payer?.timeZone ?? NO_PAYER_TIME_ZONE), patient };
  });

  const evidenceTypes = new Set(asked.flatMap((each) => findPolicy(parts.policies, each)?.revision.criteria.flatMap((criterion) => criterion.evidence.map(({ type }) => type)) ?? []));
  const resources = evidenceTypes.size === 0 ? [] : await record.evidence(evidenceTypes);
  let read: Chart | undefined;
  const chart = (): Chart => (read ??= readChart(resources));

  const determined = asked.map((each): DeterminedOrder => {
    const determination = determine(parts.policies, { ...each, chart, assertionId: parts.newId() });
    return { ...each, determination: emittable(determination, parts), payerName: each.payer?.name ?? 'Payer' };
  });

  const systemActions = configuration.coverageInformation ? determined.map(({ order, determination }) => answeredOrder(order, determination.requirement)) : [];
  const cards = await Promise.all(determined.map((each) => cardsOf(each, configuration, parts)));
  return {
    answer: { cards: cards.flatMap((each) => each.cards).slice(0, configuration.maxCards), systemActions },
    determinations: determined.map((each) => each.determination),
    scores: Object.fromEntries(cards.flatMap(({ order, risk }) => (risk ? [[`denial-risk ${order}`, `${risk.modelVersion} ${risk.band}${risk.simulated ? ' simulated' : ''}`]] : []))),
  };
}

/** The order's own insurance first, then the coverage billed first. */
function coverageOf(order: Resource, coverages: readonly CoverageOfPayer[] | undefined): { readonly coverage: string; readonly payer: CoverageOfPayer['payer'] } {
  const insurance = ('insurance' in order ? ((order.insurance as readonly { readonly reference?: string }[] | undefined) ?? []) : []).flatMap((each) => relativeReference(each.reference ?? '') ?? []);
  const named = coverages?.find(({ coverage }) => insurance.includes(referenceTo(coverage) ?? ''));
  const primary = coverages?.toSorted((a, b) => (a.coverage.order ?? 1) - (b.coverage.order ?? 1)).find(({ coverage }) => coverage.id !== undefined);
  const chosen = named ?? primary;
  if (chosen) return { coverage: `Coverage/${chosen.coverage.id}`, payer: chosen.payer };
  if (coverages) throw new Refusal(422, 'business-rule', 'The patient has no active coverage: this service answers for active coverages only.');
  const [first] = insurance.filter((reference) => reference.startsWith('Coverage/'));
  if (!first) throw new Refusal(412, 'not-found', 'The coverage is neither in the prefetch nor to be had from the FHIR server.');
  return { coverage: first, payer: undefined };
}

/** Every answer passes the emission rules. A policy that breaks one is our fault, not the clinician's: the order gets a conditional answer. */
function emittable(determination: Determination, { onFault }: OrderSignParts): Determination {
  const faults = emissionFaults([determination.requirement]);
  if (faults.length === 0) return determination;
  onFault(faults.map((fault) => fault.rule).join(','));
  const { coverage, date, assertionId } = determination.requirement;
  const requirement = { coverage, date, assertionId, docPurpose: [], questionnaires: [], ...conditionalOn('OTH', 'The rule for this service could not be evaluated.') };
  return { ...determination, requirement };
}

async function cardsOf({ service, patient, determination, payerName, today }: DeterminedOrder, configuration: Configuration, parts: OrderSignParts): Promise<{ readonly cards: readonly Card[]; readonly order: string; readonly risk: DenialRisk | undefined }> {
  const { paNeeded } = determination.requirement;
  if (!determination.applicable || !service || (paNeeded !== 'auth-needed' && paNeeded !== 'performpa')) return { cards: [], order: '', risk: undefined };
  const subject = () => ({ service, determination, payerName, uuid: parts.newId() });
  const instructions = configuration.instructions ? instructionsCard(subject()) : undefined;
  const risk = configuration.denialRisk ? await scoreInTime(determination, service, patient, today, parts) : undefined;
  const cards = [...(instructions ? [instructions] : []), ...(risk ? [denialRiskCard(subject(), risk)] : []), ...(configuration.panelLink ? [panelLinkCard(subject(), parts.panelLaunchUrl)] : [])];
  return { cards, order: service.order, risk };
}

/** A model that is missing, slow or broken costs the card, never the answer. */
async function scoreInTime(determination: Determination, service: RequestedService, patient: Patient | undefined, today: string, { model, onRisk }: OrderSignParts): Promise<DenialRisk | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('The denial-risk model did not answer in time.')), MODEL_DEADLINE_MS);
  });
  try {
    const risk = await Promise.race([model.score(toDenialRiskFacts(determination, service, patient, today)), tooLate]);
    onRisk('scored');
    return risk;
  } catch (error) {
    onRisk('failed', error);
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
