import type { PriorAuthCase } from '#prior-auth/case.ts';
import { sayDecision, type DecisionWords } from '#prior-auth/payer-decision/decision-words.ts';
import { language } from './language.ts';

/** The payer's decision on a case in the page's language; null while there is none. */
export function sayCaseDecision({ state }: PriorAuthCase): DecisionWords | null {
  return state.kind === 'pended' || state.kind === 'decided' ? sayDecision(state.decision, language) : null;
}
