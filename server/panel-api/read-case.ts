import { viewCase } from './case-view.ts';
import type { PanelHandler, PanelParts } from './panel-parts.ts';

export function readCase(parts: PanelParts): PanelHandler<'readCase'> {
  return async (_request, { caseId, session }) => {
    const priorAuthCase = await parts.cases.read(caseId);
    parts.audit.record({ action: 'case-viewed', who: session.user.reference, what: [`Patient/${priorAuthCase.patient.id}`], caseId });
    return viewCase(parts, priorAuthCase);
  };
}
