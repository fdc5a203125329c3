import type { Extension, QuestionnaireResponse } from '@medplum/fhirtypes';
import { extensionByUrl, extensionsByUrl } from '#fhir/base/extension.ts';
import { relativeReference } from '#fhir/base/reference.ts';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import { readRequirement } from '#prior-auth/coverage-requirement/read-requirement.ts';
import type { CoverageRequirement } from '#prior-auth/coverage-requirement/requirement.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { isOrder } from '#prior-auth/order/read-requested-service.ts';
import type { EhrClient } from '../ehr/ehr-client.ts';
import type { PanelParts } from './panel-parts.ts';

const NOT_ON_ORDER = 'The record system did not take the payer’s answer onto the order. It is kept here.';

/** The requirement as the finished form leaves it, when the payer says that nothing more is needed. */
export function satisfiedRequirement(before: CoverageRequirement, response: QuestionnaireResponse): CoverageRequirement | undefined {
  const own = relativeReference(before.coverage) ?? before.coverage;
  const answered = readRequirement(response).find(({ coverage, paNeeded, satisfiedPaId }) => (relativeReference(coverage) ?? coverage) === own && (paNeeded === 'satisfied' || satisfiedPaId !== undefined));
  return answered && { ...before, ...answered, coverage: before.coverage, paNeeded: 'satisfied', assertionId: before.assertionId, questionnaires: before.questionnaires };
}

/** Onto the order as the EHR has it now. Gives a warning for staff when the EHR does not take it. */
export async function copyCoverageInformation({ log }: Pick<PanelParts, 'log'>, ehr: EhrClient, caseId: string, response: QuestionnaireResponse, orderReference: string): Promise<string | undefined> {
  const received = extensionsByUrl(response, CRD_URLS.coverageInformation);
  if (received.length === 0) return undefined;
  try {
    // Somebody may change the order meanwhile; a second reading has their change too.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const order = await ehr.follow(orderReference);
      if (!isOrder(order)) return NOT_ON_ORDER;
      const written = await ehr.update({ ...order, extension: replaceCoverageInformation(order.extension ?? [], received) }, order.meta?.versionId ?? null);
      if (written.kind === 'saved') return undefined;
    }
    return NOT_ON_ORDER;
  } catch (error) {
    if (!(error instanceof PriorAuthError)) throw error;
    log.warn({ err: error, caseId, code: error.code }, 'the EHR did not take coverage-information onto the order');
    return NOT_ON_ORDER;
  }
}

/** The same coverage and assertion: replaced (2.2.0). The same coverage, and the new one says nothing of which assertion it answers: replaced too (2.0.1). */
export function replaceCoverageInformation(present: readonly Extension[], received: readonly Extension[]): Extension[] {
  const coverageOf = (information: Extension) => relativeReference(extensionByUrl(information, 'coverage')?.valueReference?.reference ?? '');
  const assertionOf = (information: Extension) => extensionByUrl(information, 'coverage-assertion-id')?.valueString;
  const isReplaced = (old: Extension) => old.url === CRD_URLS.coverageInformation
    && received.some((fresh) => coverageOf(fresh) === coverageOf(old) && (assertionOf(fresh) === undefined || assertionOf(fresh) === assertionOf(old)));
  return [...present.filter((old) => !isReplaced(old)), ...received];
}
