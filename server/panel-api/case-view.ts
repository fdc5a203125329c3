import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { CaseView } from '#prior-auth/panel-api.ts';
import { sayDecision } from '#prior-auth/payer-decision/decision-words.ts';
import { caseClock, decisionOf } from '../store/case-clock.ts';
import type { PanelParts } from './panel-parts.ts';

export async function viewCase({ risks, timeZoneOf }: Pick<PanelParts, 'risks' | 'timeZoneOf'>, priorAuthCase: PriorAuthCase): Promise<CaseView> {
  const decision = decisionOf(priorAuthCase);
  return {
    case: priorAuthCase,
    clock: caseClock(priorAuthCase, timeZoneOf),
    decisionWords: decision ? sayDecision(decision) : null,
    risk: await risks.read(priorAuthCase.id),
  };
}
