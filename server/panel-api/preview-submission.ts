import type { PanelHandler, PanelParts } from './panel-parts.ts';
import { gatherSubmission } from './submission-input.ts';

export function previewSubmission(parts: PanelParts): PanelHandler<'previewSubmission'> {
  return async (_request, { caseId, ehr }) => parts.sender.preview(await gatherSubmission(parts, ehr, await parts.cases.read(caseId)));
}
