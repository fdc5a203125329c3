import { createHash } from 'node:crypto';
import type { Extension, QuestionnaireResponse } from '@medplum/fhirtypes';
import { extensionsByUrl, withExtensions } from '#fhir/base/extension.ts';
import { relativeReference } from '#fhir/base/reference.ts';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import { writeCoverageInformation } from '#fhir/crd/coverage-information.ts';
import { writeCoverageInformation22 } from '#fhir/crd/coverage-information-2-2.ts';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';
import { writeIntendedUse } from '#fhir/dtr/intended-use.ts';
import { readQrContext } from '#fhir/dtr/qr-context.ts';
import type { KeptDetermination } from '../questionnaire-package/determination-record.ts';
import type { Determination } from '../questionnaires/adaptive-form.ts';
import type { DtrVersion } from '../questionnaires/dtr-version.ts';
import type { NextRequest } from './read-next-request.ts';

/**
 * Puts what the answers say of the coverage on the completed response, once for each coverage that it is about; nothing when it names none.
 * The ids follow from the request: the same one sent again gets the same number.
 */
export function determine(
  { response: asked, form }: NextRequest,
  completed: QuestionnaireResponse,
  determination: Determination | undefined,
  version: DtrVersion['version'],
  nowMs: number,
): { response: QuestionnaireResponse; determinations: KeptDetermination[] } {
  if (!determination) return { response: completed, determinations: [] };
  const questionnaire = `${form.questionnaire.url}|${form.questionnaire.version}`;
  const given = coveragesOf(asked).map((coverage) => {
    const hash = createHash('sha256').update(JSON.stringify([questionnaire, coverage, asked])).digest('hex');
    const assertionId = hash.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    const authorizationNumber = determination.paNeeded === 'satisfied' ? `PA-${hash.slice(32, 42).toUpperCase()}` : undefined;
    return { assertionId, authorizationNumber, extension: coverageInformation({ coverage, assertionId, authorizationNumber, determination, version, nowMs }) };
  });
  const extensions = withExtensions(completed, CRD_URLS.coverageInformation, given.map(({ extension }) => extension));
  const response: QuestionnaireResponse = {
    ...completed,
    // Nothing is left to submit: the form is kept on record.
    extension: determination.paNeeded === 'satisfied' && given.length > 0 ? withExtensions({ extension: extensions }, DTR_URLS.intendedUse, [writeIntendedUse('retain-doc')]) : extensions,
  };
  const text = JSON.stringify(response);
  return {
    response,
    determinations: given.map(({ assertionId, authorizationNumber }) => ({ assertionId, questionnaire, response: text, ...(authorizationNumber === undefined ? {} : { authorizationNumber }) })),
  };
}

function coveragesOf(response: QuestionnaireResponse): string[] {
  const named = [...extensionsByUrl(response, DTR_URLS.qrCoverage).flatMap(({ valueReference }) => valueReference?.reference ?? []), ...readQrContext(response)];
  return [...new Set(named.filter((reference) => relativeReference(reference)?.startsWith('Coverage/')))];
}

interface Said {
  readonly coverage: string;
  readonly assertionId: string;
  readonly authorizationNumber: string | undefined;
  readonly determination: Determination;
  readonly version: DtrVersion['version'];
  readonly nowMs: number;
}

function coverageInformation({ coverage, assertionId, authorizationNumber, determination: { covered, paNeeded, reason, validDays }, version, nowMs }: Said): Extension {
  const dayAfter = (days: number) => new Date(nowMs + days * 86_400_000).toISOString().slice(0, 10);
  const facts = {
    coverage, covered, paNeeded, assertionId, date: dayAfter(0),
    reasons: reason === undefined ? [] : [{ text: reason }],
    ...(authorizationNumber === undefined ? {} : { satisfiedPaId: authorizationNumber }),
  };
  if (version === '2.0.1') return writeCoverageInformation(facts);
  return writeCoverageInformation22({ ...facts, docNeeded: [], docPurpose: [], infoNeeded: [], billingCodes: [], details: [], dependencies: [], questionnaires: [], contacts: [], ...(validDays === undefined ? {} : { expiryDate: dayAfter(validDays) }) });
}
