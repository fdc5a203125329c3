import { PriorAuthError } from '#prior-auth/errors.ts';
import type { PanelHandler, PanelParts } from './panel-parts.ts';

/** Answers that fit what a person types. The payer is asked from here: the browser has neither its address nor our rights there. */
export function searchOptions(parts: PanelParts): PanelHandler<'searchOptions'> {
  return async ({ formId, linkId, filter }, { caseId }) => {
    const [priorAuthCase, form] = await Promise.all([parts.cases.read(caseId), parts.forms.read(caseId, formId)]);
    const access = parts.payerAccess(form.package.payerId ?? priorAuthCase.payer.id);
    if (!access) throw new PriorAuthError('PAYER_NOT_CONFIGURED', 'This server does not know the payer of this form any more.', { nextStep: 'Ask whoever runs this server to add the payer again.' });
    return parts.optionSearch.search(access, form.package, linkId, filter);
  };
}
