import type { CaseStateKind, PriorAuthCase } from '#prior-auth/case.ts';
import type { CaseView } from '#prior-auth/panel-api.ts';
import { sayDecision } from '#prior-auth/payer-decision/decision-words.ts';
import { dutiesOf } from '#prior-auth/payer-decision/duties.ts';
import { readAuthorizations } from '../pas/case-actions/record-use.ts';
import { caseClock, decisionOf } from '../store/case-clock.ts';
import { readAskedItems } from './asked-items.ts';
import type { PanelParts } from './panel-parts.ts';

const BEFORE_SENDING: readonly CaseStateKind[] = ['questionnaire', 'ready', 'no-authorization-needed'];

export async function viewCase(parts: Pick<PanelParts, 'store' | 'forms' | 'risks' | 'appealOutlookOf' | 'timeZoneOf' | 'now'>, priorAuthCase: PriorAuthCase): Promise<CaseView> {
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
    ...appealOutlook(parts, priorAuthCase),
    ...(asked ? { asked } : {}),
    ...(authorizations.length > 0 ? { authorizations } : {}),
    ...(askForms.length > 0 ? { askForms } : {}),
  };
}

/** The case's own order is the request's first item; what was added to it later is not likened to anything. */
function appealOutlook({ appealOutlookOf }: Pick<PanelParts, 'appealOutlookOf'>, priorAuthCase: PriorAuthCase): Pick<CaseView, 'appealOutlook'> {
  const denied = priorAuthCase.state.kind === 'decided' && priorAuthCase.state.decision.items.some(({ sequence, decision }) => sequence === 1 && decision.kind === 'denied');
  const outlook = denied ? appealOutlookOf?.(priorAuthCase.service) : null;
  return outlook ? { appealOutlook: outlook } : {};
}

async function readAskForms({ forms }: Pick<PanelParts, 'forms'>, { id, state }: PriorAuthCase): Promise<NonNullable<CaseView['askForms']>> {
  if (state.kind !== 'pended' || !state.asks?.some(({ wants }) => wants.kind === 'questionnaire')) return [];
  return (await forms.list(id)).flatMap(({ formId, completed, package: { ask } }) => (ask === undefined ? [] : [{ askId: ask, formId, completed }]));
}
