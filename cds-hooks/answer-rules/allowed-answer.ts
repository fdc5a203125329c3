import type { Resource } from '@medplum/fhirtypes';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import type { Action, HookAnswer } from '../hook-answer.ts';
import { carriesCoverageInformation, targetOf } from './action-rules.ts';
import { answerFaults, type AnswerContext, type FaultInAnswer } from './answer-rules.ts';
import { coverageOf } from './coverage-information-rules.ts';
import { isLoose, type Loose, looseList } from './fault.ts';

export interface Guarding extends AnswerContext {
  /** Puts on the resource, in place of a faulty answer, that nothing certain can be said under that coverage. */
  readonly inconclusive: (resource: Resource, coverage: string) => Action | undefined;
  /** Hears every fault, with the uuid of the card where it is one. */
  readonly onFault: (fault: FaultInAnswer, cardUuid: string | undefined) => void;
}

/**
 * Every answer passes here before it leaves. What breaks a rule is not sent: a card or action is left out, a coverage-information becomes an
 * inconclusive one. The clinician loses a card, never the answer.
 */
export function allowedAnswer(answer: HookAnswer, guarding: Guarding): HookAnswer {
  const faults = answerFaults(answer, guarding);
  if (faults.length === 0) return answer;
  for (const fault of faults) guarding.onFault(fault, fault.part === 'card' ? answer.cards[fault.index]?.uuid : undefined);
  const faulty = (part: FaultInAnswer['part'], index: number): readonly FaultInAnswer[] => faults.filter((fault) => fault.part === part && fault.index === index);
  const cards = answer.cards.filter((_, index) => faulty('card', index).length === 0);
  const systemActions = answer.systemActions.flatMap((action, index) => {
    const found = faulty('system-action', index);
    if (found.length === 0) return [action];
    return found.some(({ rule }) => rule === 'one-update') ? [] : (instead(action, guarding) ?? []);
  });
  const allowed = { cards, systemActions: guarding.coverageInformation ? systemActions : systemActions.filter((action) => !carriesCoverageInformation(action as unknown as Loose)) };
  // What was left out may be what the answer as a whole had to have.
  for (const fault of answerFaults(allowed, guarding)) if (!faults.some(({ rule }) => rule === fault.rule)) guarding.onFault(fault, undefined);
  return allowed;
}

function instead(action: Action, guarding: Guarding): Action | undefined {
  const loose = action as unknown as Loose;
  const before = guarding.sent.get(targetOf(loose) ?? '');
  if (!before || !carriesCoverageInformation(loose)) return undefined;
  const sent = new Set(extensionsOf(before).map((extension) => JSON.stringify(extension)));
  const added = extensionsOf(action.resource).find((extension) => extension['url'] === CRD_URLS.coverageInformation && !sent.has(JSON.stringify(extension)));
  const coverage = added && coverageOf(added);
  const inconclusive = coverage === undefined ? undefined : guarding.inconclusive(before, coverage);
  if (!inconclusive || answerFaults({ cards: [], systemActions: [inconclusive] }, guarding).length > 0) return undefined;
  return inconclusive;
}

function extensionsOf(resource: unknown): readonly Loose[] {
  return looseList(isLoose(resource) ? resource['extension'] : undefined);
}
