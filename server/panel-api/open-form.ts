import type { PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { StoredForm } from '../store/forms.ts';

/** Throws CASE_STEP_NOT_ALLOWED for a form whose request has left. While the payer decides, the forms that it asks for then are open. */
export function mustBeOpen({ state }: PriorAuthCase, { package: { ask } }: Pick<StoredForm, 'package'>): void {
  if (ask === undefined && (state.kind === 'questionnaire' || state.kind === 'ready' || state.kind === 'refused')) return;
  if (ask !== undefined && state.kind === 'pended' && state.asks?.some(({ id, state: stands, answer }) => id === ask && stands === 'open' && answer?.kind !== 'sending')) return;
  throw new PriorAuthError('CASE_STEP_NOT_ALLOWED', `A form of a case in state ${state.kind} cannot be changed.`, { nextStep: 'Load the case again: it has moved on.' });
}
