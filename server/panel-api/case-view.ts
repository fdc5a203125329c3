import type { CaseStateKind, PriorAuthCase } from '#prior-auth/case.ts';
import type { CaseView } from '#prior-auth/panel-api.ts';
import { sayDecision } from '#prior-auth/payer-decision/decision-words.ts';
import { dutiesOf } from '#prior-auth/payer-decision/duties.ts';
import { readAuthorizations } from '../pas/case-actions/record-use.ts';
import { caseClock, decisionOf } from '../store/case-clock.ts';
import { readAskedItems } from './asked-items.ts';
import type { PanelParts } from './panel-parts.ts';

const BEFORE_SENDING: readonly CaseStateKind[] = ['questionnaire', 'ready', 'no-authorization-needed'];

export async function viewCase(parts: Pick<PanelParts, 'store' | 'forms' | 'risks' | 'timeZoneOf' | 'now'>, priorAuthCase: PriorAuthCase): Promise<CaseView> {
  const { store, risks, timeZoneOf } = parts;
  const decision = decisionOf(priorAuthCase);
  const asked = BEFORE_SENDING.includes(priorAuthCase.state.kind) ? undefined : await readAskedItems(store, priorAuthCase);
  const [authorizations, askForms] = await Promise.all([readAuthorizations(parts, priorAuthCase), readAskForms(parts, priorAuthCase)]);
  return {
    case: priorAuthCase,
    clock: caseClock(priorAuthCase, timeZoneOf),
    duties: dutiesOf(priorAuthCase, timeZoneOf(priorAuthCase.payer.id), parts.now()),
    decisionWords: decision ? sayDecision(decision) : null,
    risk: await risks.read(priorAuthCase.id),
    ...(asked ? { asked } : {}),
    ...(authorizations.length > 0 ? { authorizations } : {}),
    ...(askForms.length > 0 ? { askForms } : {}),
  };
}

async function readAskForms({ forms }: Pick<PanelParts, 'forms'>, { id, state }: PriorAuthCase): Promise<NonNullable<CaseView['askForms']>> {
  if (state.kind !== 'pended' || !state.asks?.some(({ wants }) => wants.kind === 'questionnaire')) return [];
  return (await forms.list(id)).flatMap(({ formId, completed, package: { ask } }) => (ask === undefined ? [] : [{ askId: ask, formId, completed }]));
}
