import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { EvidenceReference } from '#prior-auth/coverage-requirement/requirement.ts';
import { writeResponse } from '#prior-auth/questionnaire/dtr-versions/write-response.ts';
import type { SubmissionInput } from '#prior-auth/pas-bundle/submission-input.ts';
import type { EhrClient } from '../ehr/ehr-client.ts';
import type { PanelParts } from './panel-parts.ts';

/** Everything the submission is built from, read now: the EHR is the truth, not what was read at launch. */
export async function gatherSubmission(parts: PanelParts, ehr: EhrClient, priorAuthCase: PriorAuthCase): Promise<SubmissionInput> {
  const { forms, gatherer } = parts;
  const [all, { include, exclude, diagnoses }] = await Promise.all([forms.list(priorAuthCase.id), parts.reviewChoices.read(priorAuthCase.id)]);
  // A form of another coverage's payer is not this payer's to see.
  const completed = all.filter((form) => form.completed && form.package.payerId === undefined);
  return gatherer.gather(ehr, priorAuthCase, {
    chosen: { include, exclude },
    diagnosisChoices: diagnoses,
    questionnaireResponses: completed.map(({ response, ehrReference }) => ({ ...writeResponse(parts.payerAccess(priorAuthCase.payer.id)?.dtr.version ?? '2.0.1', response), id: ehrReference?.split('/')[1] ?? `form-${completed.findIndex((each) => each.response === response) + 1}` })),
    evidence: completed.flatMap(({ sources }) => Object.values(sources).flat()),
    ...(all.length > 0 ? {} : { criteria: await evidenceOfPolicy(parts, ehr, priorAuthCase) }),
  });
}

/** Where the payer has no form, what its criteria rest on is sent, and no more of the chart. */
async function evidenceOfPolicy({ gatherer, determineCase }: PanelParts, ehr: EhrClient, priorAuthCase: PriorAuthCase): Promise<readonly EvidenceReference[]> {
  const { determination } = await determineCase(priorAuthCase, ehr, await gatherer.readRecord(ehr, priorAuthCase));
  return [...new Map(determination.findings.flatMap(({ evidence }) => evidence).map((each) => [each.reference, each])).values()];
}
