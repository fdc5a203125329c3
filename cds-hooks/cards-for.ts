import { withoutSlashes } from '#fhir/base/reference.ts';
import type { DenialRiskModel } from '#models/serve/live-model.ts';
import { toDenialRiskFacts } from '#prior-auth/coverage-requirement/denial-risk-facts.ts';
import type { PolicyLibrary } from '#prior-auth/coverage-requirement/policy-library.ts';
import type { DenialRisk } from '#prior-auth/learning/denial-risk.ts';
import type { Configuration } from './configuration.ts';
import type { DeterminedFocus } from './determined-focus.ts';
import type { Action, Card, HookAnswer } from './hook-answer.ts';
import { type HookCall, PRIMARY_HOOKS } from './hook-call.ts';
import { DENIAL_RISK, denialRiskCard } from './readiness/denial-risk-card.ts';
import { instructionsCard, PANEL_LINK, panelLinkCard } from './readiness/own-cards.ts';
import type { ShownRisk, ShownRisks } from './readiness/shown-risks.ts';
import { responsesTo } from './responses/responses-to.ts';
import type { AnswerWriter } from './versions/answer-writer.ts';

export interface CardParts {
  readonly policies: PolicyLibrary;
  readonly model: Pick<DenialRiskModel, 'score'>;
  readonly shownRisks: Pick<ShownRisks, 'seenElsewhere' | 'note'>;
  readonly panelLaunchUrl: string;
  readonly newId: () => string;
  /** Who calls: an id of an order means something at that client only. */
  readonly client: string;
  /** Until the call's deadline, milliseconds; negative after it. */
  readonly timeLeftMs: () => number;
  readonly onRisk: (outcome: 'scored' | 'failed', error?: unknown) => void;
}

export interface CardRequest {
  readonly call: HookCall;
  readonly configuration: Configuration;
  readonly writer: AnswerWriter;
  readonly parts: CardParts;
}

export interface CardsOfAnswer {
  readonly cards: readonly Card[];
  /** Besides coverage-information. */
  readonly systemActions: readonly Action[];
  /** Model version and band of each score, by order. */
  readonly scores: Readonly<Record<string, string>>;
  /** The denial-risk cards among `cards`, by uuid, with what they show. */
  readonly risks: ReadonlyMap<string, ShownRisk>;
}

/** A score later than this, or than the call's deadline, is left out of the answer. */
const MODEL_DEADLINE_MS = 250;
/** What a model has all the same when the chart took all the time; it needs a few milliseconds. */
const MODEL_LEAST_MS = 20;

/** Everything that is answered besides coverage-information: for each order what to document, how likely a denial is, and what its policy responds. */
export async function cardsFor(determined: readonly DeterminedFocus[], request: CardRequest): Promise<CardsOfAnswer> {
  const { call, configuration, writer, parts } = request;
  const responses = responsesTo(determined, call, { library: parts.policies, writer, configuration, newId: parts.newId });
  const each = await Promise.all(determined.map((focus, i) => cardsOf(focus, responses[i], request)));
  return {
    cards: each.flatMap(({ cards }) => cards),
    systemActions: responses.flatMap(({ systemActions }) => systemActions),
    scores: Object.fromEntries(each.flatMap(({ score }) => (score ? [score] : []))),
    risks: new Map(each.flatMap(({ shown }) => (shown ? [shown] : []))),
  };
}

interface CardsOfFocus {
  readonly cards: readonly Card[];
  readonly score?: readonly [name: string, value: string];
  readonly shown?: readonly [cardUuid: string, risk: ShownRisk];
}

async function cardsOf(focus: DeterminedFocus, responses: HookAnswer | undefined, { call, configuration, writer, parts }: CardRequest): Promise<CardsOfFocus> {
  const { service, determination } = focus;
  const { paNeeded } = determination.requirement;
  const given = responses?.cards ?? [];
  if (!determination.applicable || !service || (paNeeded !== 'auth-needed' && paNeeded !== 'performpa')) return { cards: given };
  const subject = { focus, writer };
  // What asks for documents comes with primary hooks only (CRD, hook categories).
  const primary = PRIMARY_HOOKS.has(call.hook);
  const risk = configuration.wants(DENIAL_RISK) ? await scoreInTime(focus, call, parts) : undefined;
  const shown = risk && { hook: call.hook, client: parts.client, patientId: call.patientId, focus, risk };
  const riskCard = shown && !parts.shownRisks.seenElsewhere(shown) ? denialRiskCard(subject, shown.risk, primary) : undefined;
  const instructions = primary && configuration.wants('guideline') ? instructionsCard(subject, risk === undefined) : undefined;
  const panel = primary && configuration.wants(PANEL_LINK) ? panelLinkCard(subject, parts.panelLaunchUrl) : undefined;
  return {
    cards: [...(instructions ? [instructions] : []), ...(riskCard ? [riskCard] : []), ...given, ...(panel ? [panel] : [])],
    ...(shown && riskCard ? { shown: [riskCard.uuid, shown] } : {}),
    ...(risk ? { score: [`denial-risk ${service.order}`, `${risk.modelVersion} ${risk.band}${risk.simulated ? ' simulated' : ''}`] } : {}),
  };
}

/** A model that is missing, slow or broken costs the card, never the answer. */
async function scoreInTime({ determination, service, patient, today }: DeterminedFocus, { fhirServer }: HookCall, { client, model, timeLeftMs, onRisk }: CardParts): Promise<DenialRisk | undefined> {
  if (!service) return undefined;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('The denial-risk model did not answer in time.')), Math.max(MODEL_LEAST_MS, Math.min(MODEL_DEADLINE_MS, timeLeftMs())));
  });
  try {
    const risk = await Promise.race([model.score(toDenialRiskFacts(determination, service, patient, today), { clinicId: fhirServer === undefined ? client : withoutSlashes(fhirServer) }), tooLate]);
    onRisk('scored');
    return risk;
  } catch (error) {
    onRisk('failed', error);
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
