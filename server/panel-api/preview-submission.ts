import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { SubmissionReview } from '#prior-auth/panel-api.ts';
import type { EhrClient } from '../ehr/ehr-client.ts';
import type { PanelHandler, PanelParts } from './panel-parts.ts';
import { gatherSubmission } from './submission-input.ts';

export function previewSubmission(parts: PanelParts): PanelHandler<'previewSubmission'> {
  return async (_request, { caseId, ehr }) => reviewOf(parts, ehr, await parts.cases.read(caseId));
}

export async function reviewOf(parts: PanelParts, ehr: EhrClient, priorAuthCase: PriorAuthCase): Promise<SubmissionReview> {
  const [input, chosen] = await Promise.all([gatherSubmission(parts, ehr, priorAuthCase), parts.reviewChoices.read(priorAuthCase.id)]);
  return { ...parts.sender.preview(input), chosen };
}
