import type { CaseStateKind, PriorAuthCase } from '#prior-auth/case.ts';
import type { CaseView } from '#prior-auth/panel-api.ts';
import { sayDecision } from '#prior-auth/payer-decision/decision-words.ts';
import { caseClock, decisionOf } from '../store/case-clock.ts';
import { readAskedItems } from './asked-items.ts';
import type { PanelParts } from './panel-parts.ts';

const BEFORE_SENDING: readonly CaseStateKind[] = ['questionnaire', 'ready', 'no-authorization-needed'];

export async function viewCase({ store, risks, timeZoneOf }: Pick<PanelParts, 'store' | 'risks' | 'timeZoneOf'>, priorAuthCase: PriorAuthCase): Promise<CaseView> {
  const decision = decisionOf(priorAuthCase);
  const asked = BEFORE_SENDING.includes(priorAuthCase.state.kind) ? undefined : await readAskedItems(store, priorAuthCase);
  return {
    case: priorAuthCase,
    clock: caseClock(priorAuthCase, timeZoneOf),
    decisionWords: decision ? sayDecision(decision) : null,
    risk: await risks.read(priorAuthCase.id),
    ...(asked ? { asked } : {}),
  };
}
