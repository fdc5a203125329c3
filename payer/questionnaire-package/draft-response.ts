import type { Extension, QuestionnaireItem, QuestionnaireResponse, QuestionnaireResponseItem } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { referenceTo, relativeReference } from '#fhir/base/reference.ts';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';
import { writeIntendedUse } from '#fhir/dtr/intended-use.ts';
import { writeQrContext } from '#fhir/dtr/qr-context.ts';
import { adaptiveQuestionnaire } from '../next-question/adaptive-questionnaire.ts';
import type { DtrVersion } from '../questionnaires/dtr-version.ts';
import type { PayerForm } from '../questionnaires/form-library.ts';
import type { PackageRequest } from './package-request.ts';


interface DraftInput {
  readonly form: PayerForm;
  readonly request: PackageRequest;
  readonly version: DtrVersion['version'];
  readonly nowMs: number;
}

/** An empty response about the coverage and the orders. In 2.0.1 there is none without an order: its qr-context wants one. */
export function draftResponse({ form, request, version, nowMs }: DraftInput): QuestionnaireResponse | undefined {
  const coverage = request.coverages.map((one) => referenceTo(one)).find((reference) => reference !== undefined);
  const orders = request.orders.flatMap((order) => referenceTo(order) ?? []);
  const patient = relativeReference(request.coverages[0]?.beneficiary?.reference ?? '');
  if (!coverage || !patient || (version === '2.0.1' && orders.length === 0)) return undefined;
  const authored = new Date(nowMs).toISOString();
  return {
    resourceType: 'QuestionnaireResponse',
    ...(form.adaptive
      ? { meta: { profile: [DTR_URLS.sdcAdaptiveResponse] }, contained: [adaptiveQuestionnaire(form, [])] }
      : { meta: { profile: [version === '2.0.1' ? DTR_URLS.questionnaireResponse : `${DTR_URLS.questionnaireResponse}|${version}`] } }),
    extension: [...context(coverage, orders, version), writeIntendedUse('withpa')],
    questionnaire: form.adaptive ? `#${form.questionnaire.id}` : `${form.questionnaire.url}|${form.questionnaire.version}`,
    status: 'in-progress',
    subject: { reference: patient },
    authored,
    author: { type: 'Organization', identifier: { system: CODE_SYSTEMS.npi, value: '1234567893' }, display: form.questionnaire.publisher ?? 'Payer' },
    ...(form.adaptive ? {} : { item: emptyItems(form.questionnaire.item ?? []) }),
  };
}

function context(coverage: string, orders: readonly string[], version: DtrVersion['version']): Extension[] {
  return version === '2.0.1' ? writeQrContext([coverage, ...orders]) : [{ url: DTR_URLS.qrCoverage, valueReference: { reference: coverage } }, ...writeQrContext(orders)];
}

function emptyItems(items: readonly QuestionnaireItem[]): QuestionnaireResponseItem[] {
  return items.filter(({ type, enableWhen }) => type !== 'display' && !enableWhen).map(({ linkId, text, type, item }) => {
    const inner = type === 'group' ? emptyItems(item ?? []) : [];
    return { linkId, ...(text ? { text } : {}), ...(inner.length > 0 ? { item: inner } : {}) };
  });
}
