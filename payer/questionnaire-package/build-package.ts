import type { Bundle, BundleEntry, Library, Parameters, Questionnaire, ValueSet } from '@medplum/fhirtypes';
import { operationOutcome } from '#fhir/base/operation-outcome.ts';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';
import type { PayerForm } from '../questionnaires/form-library.ts';
import { type ServedAt, servedValueSet } from '../questionnaires/serve-form.ts';
import type { ChosenForms } from './choose-forms.ts';
import { draftResponse } from './draft-response.ts';
import type { PackageRequest } from './package-request.ts';

export interface PackageSetting {
  readonly at: ServedAt;
  readonly nowMs: number;
  readonly newId: () => string;
}

/** The operation's answer: a bundle for each form, then what could not be served. */
export function buildPackages({ forms, warnings }: ChosenForms, request: PackageRequest, setting: PackageSetting): Parameters {
  const { version, part } = setting.at.dtr;
  const [first, ...rest] = warnings;
  return {
    resourceType: 'Parameters',
    meta: { profile: [version === '2.0.1' ? DTR_URLS.packageOutput : `${DTR_URLS.packageOutput}|${version}`] },
    parameter: [
      ...forms.map((form) => ({ name: part.bundle, resource: packageBundle(form, request, setting) })),
      ...(first ? [{ name: part.outcome, resource: operationOutcome([first, ...rest]) }] : []),
    ],
  };
}

function packageBundle(form: PayerForm, request: PackageRequest, { at, nowMs, newId }: PackageSetting): Bundle {
  const entry = (resource: Questionnaire | Library | ValueSet): BundleEntry => ({ fullUrl: `${at.fhirBase}/${resource.resourceType}/${resource.id}`, resource });
  const draft = draftResponse({ form, request, version: at.dtr.version, nowMs });
  return {
    resourceType: 'Bundle',
    meta: { profile: [at.dtr.version === '2.0.1' ? DTR_URLS.packageBundle : `${DTR_URLS.packageBundle}|${at.dtr.version}`] },
    type: 'collection',
    timestamp: new Date(nowMs).toISOString(),
    entry: [
      entry(form.questionnaire),
      ...form.libraries.map(entry),
      ...form.valueSets.flatMap((set) => servedValueSet(set, at, nowMs) ?? []).map(entry),
      ...(draft ? [{ fullUrl: `urn:uuid:${newId()}`, resource: draft }] : []),
    ],
  };
}
