import type { Bundle, BundleEntry, Parameters, QuestionnaireItem, QuestionnaireResponse, QuestionnaireResponseItem, Resource } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { operationOutcome } from '#fhir/base/operation-outcome.ts';
import { referenceTo, relativeReference } from '#fhir/base/reference.ts';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';
import { writeIntendedUse } from '#fhir/dtr/intended-use.ts';
import { writeQrContext } from '#fhir/dtr/qr-context.ts';
import type { PayerForm } from '../questionnaires/form-library.ts';
import type { ChosenForms } from './choose-forms.ts';
import type { PackageRequest } from './package-request.ts';

export interface PackageSetting {
  readonly fhirBase: string;
  readonly nowMs: number;
  readonly newId: () => string;
}

/** DTR 2.0.1 dtr-qpackage-output-parameters: a bundle for each form, then what could not be served. */
export function buildPackages(chosen: ChosenForms, request: PackageRequest, setting: PackageSetting): Parameters {
  const since = request.changedSince;
  const forms = since === undefined ? chosen.forms : chosen.forms.filter(({ questionnaire }) => Date.parse(questionnaire.date ?? '') > Date.parse(since));
  const issues = chosen.unknown.map((canonical) => ({ severity: 'warning' as const, code: 'not-found' as const, diagnostics: `The questionnaire ${canonical} is not available here.` }));
  const [first, ...rest] = issues;
  return {
    resourceType: 'Parameters',
    meta: { profile: [DTR_URLS.packageOutput] },
    parameter: [
      ...forms.map((form) => ({ name: 'PackageBundle', resource: packageBundle(form, request, setting) })),
      ...(first ? [{ name: 'operationOutcome', resource: operationOutcome([first, ...rest]) }] : []),
    ],
  };
}

function packageBundle(form: PayerForm, request: PackageRequest, setting: PackageSetting): Bundle {
  const at = (resource: Resource): BundleEntry => ({ fullUrl: `${setting.fhirBase}/${resource.resourceType}/${resource.id}`, resource });
  const draft = draftResponse(form, request, setting);
  return {
    resourceType: 'Bundle',
    meta: { profile: [DTR_URLS.packageBundle] },
    type: 'collection',
    timestamp: new Date(setting.nowMs).toISOString(),
    entry: [at(form.questionnaire), ...form.libraries.map(at), ...form.valueSets.map(at), ...(draft ? [{ fullUrl: `urn:uuid:${setting.newId()}`, resource: draft }] : [])],
  };
}

/** Without an order there is nothing a response could be about (qr-context wants one): then no draft. */
function draftResponse({ questionnaire }: PayerForm, request: PackageRequest, setting: PackageSetting): QuestionnaireResponse | undefined {
  const coverage = request.coverages.map((one) => referenceTo(one)).find((reference) => reference !== undefined);
  const orders = request.orders.flatMap((order) => referenceTo(order) ?? []);
  const patient = relativeReference(request.coverages[0]?.beneficiary?.reference ?? '');
  if (!coverage || orders.length === 0 || !patient) return undefined;
  return {
    resourceType: 'QuestionnaireResponse',
    meta: { profile: [DTR_URLS.questionnaireResponse] },
    extension: [...writeQrContext([coverage, ...orders]), writeIntendedUse('withpa')],
    questionnaire: `${questionnaire.url}|${questionnaire.version}`,
    status: 'in-progress',
    subject: { reference: patient },
    authored: new Date(setting.nowMs).toISOString(),
    author: { type: 'Organization', identifier: { system: CODE_SYSTEMS.npi, value: '1234567893' }, display: questionnaire.publisher ?? 'Payer' },
    item: emptyItems(questionnaire.item ?? []),
  };
}

function emptyItems(items: readonly QuestionnaireItem[]): QuestionnaireResponseItem[] {
  return items.filter(({ type, enableWhen }) => type !== 'display' && !enableWhen).map(({ linkId, text, type, item }) => {
    const inner = type === 'group' ? emptyItems(item ?? []) : [];
    return { linkId, ...(text ? { text } : {}), ...(inner.length > 0 ? { item: inner } : {}) };
  });
}
