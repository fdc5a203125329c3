import type { SubmissionInput } from '#prior-auth/pas-bundle/submission-input.ts';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { EhrClient } from '../ehr/ehr-client.ts';
import type { PanelParts } from './panel-parts.ts';

/** Everything the submission is built from, read now: the EHR is the truth, not what was read at launch. */
export async function gatherSubmission({ forms, gatherer }: PanelParts, ehr: EhrClient, priorAuthCase: PriorAuthCase): Promise<SubmissionInput> {
  const completed = (await forms.list(priorAuthCase.id)).filter((form) => form.completed);
  return gatherer.gather(ehr, priorAuthCase, {
    questionnaireResponses: completed.map(({ response, ehrReference }) => ({ ...response, id: ehrReference?.split('/')[1] ?? `form-${completed.findIndex((each) => each.response === response) + 1}` })),
    evidence: completed.flatMap(({ sources }) => Object.values(sources).flat()),
  });
}
