import type { DenialRiskModel } from '#models/serve/denial-risk-model.ts';
import { toDenialRiskFacts } from '#prior-auth/coverage-requirement/denial-risk-facts.ts';
import type { DenialRisk } from '#prior-auth/learning/denial-risk.ts';
import { denialRiskCard, instructionsCard, panelLinkCard } from '../cards.ts';
import type { Configuration } from '../configuration.ts';
import type { DeterminedFocus } from '../determined-focus.ts';
import type { Card } from '../hook-answer.ts';
import { type HookCall, PRIMARY_HOOKS } from '../hook-call.ts';
import type { AnswerWriter } from '../versions/answer-writer.ts';

export interface CardParts {
  readonly model: Pick<DenialRiskModel, 'score'>;
  readonly panelLaunchUrl: string;
  readonly newId: () => string;
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
  /** Model version and band of each score, by order. */
  readonly scores: Readonly<Record<string, string>>;
}

/** A score later than this is left out of the answer. */
const MODEL_DEADLINE_MS = 250;

/**
 * Cards where an authorization is needed. What asks for documents, and the score, come with primary hooks only: so neither is shown at
 * selection and again at signing.
 */
export async function cardsForFocus(determined: readonly DeterminedFocus[], request: CardRequest): Promise<CardsOfAnswer> {
  const each = await Promise.all(determined.map((focus) => cardsOf(focus, request)));
  return { cards: each.flatMap(({ cards }) => cards).filter((card) => request.configuration.wants(card.source.topic.code)), scores: Object.assign({}, ...each.map(({ scores }) => scores)) as Record<string, string> };
}

async function cardsOf({ service, determination, payerName, ...rest }: DeterminedFocus, { call, configuration, writer, parts }: CardRequest): Promise<CardsOfAnswer> {
  const { paNeeded } = determination.requirement;
  if (!PRIMARY_HOOKS.has(call.hook) || !determination.applicable || !service || (paNeeded !== 'auth-needed' && paNeeded !== 'performpa')) return { cards: [], scores: {} };
  const subject = () => ({ service, determination, payerName, uuid: parts.newId(), writer });
  const instructions = configuration.wants('guideline') ? instructionsCard(subject()) : undefined;
  const risk = configuration.wants('denial-risk') ? await scoreInTime({ service, determination, payerName, ...rest }, parts) : undefined;
  return {
    cards: [...(instructions ? [instructions] : []), ...(risk ? [denialRiskCard(subject(), risk)] : []), ...(configuration.wants('prior-auth-panel') ? [panelLinkCard(subject(), parts.panelLaunchUrl)] : [])],
    scores: risk ? { [`denial-risk ${service.order}`]: `${risk.modelVersion} ${risk.band}${risk.simulated ? ' simulated' : ''}` } : {},
  };
}

/** A model that is missing, slow or broken costs the card, never the answer. */
async function scoreInTime({ determination, service, patient, today }: DeterminedFocus, { model, onRisk }: CardParts): Promise<DenialRisk | undefined> {
  if (!service) return undefined;
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
