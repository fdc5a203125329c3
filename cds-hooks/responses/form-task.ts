import type { Organization, Reference, Task } from '@medplum/fhirtypes';
import { referenceTo, relativeReference } from '#fhir/base/reference.ts';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import type { PolicyResponse } from '#prior-auth/coverage-requirement/policy-response.ts';
import type { DeterminedFocus } from '../determined-focus.ts';
import type { CrdVersion } from '../hook-call.ts';

type Form = Extract<PolicyResponse, { type: 'form-completion' }>;

const SDC_CODES = 'http://hl7.org/fhir/uv/sdc/CodeSystem/temp';

/** The task to fill in a form (CRD profile taskquestionnaire). Undefined where no organization is known that asks for it. */
export function formTask(form: Form, label: string, { focus, coverage, payer, payerName, today }: DeterminedFocus, patientId: string, version: CrdVersion): Task | undefined {
  const requester = organizationOf(coverage?.payor?.[0], payer, payerName);
  const order = referenceTo(focus);
  if (!requester) return undefined;
  return {
    resourceType: 'Task',
    status: 'ready',
    intent: 'order',
    code: { coding: [{ system: SDC_CODES, code: 'complete-questionnaire' }], text: 'Complete questionnaire' },
    description: label,
    ...(order ? { basedOn: [{ reference: order }] } : {}),
    for: { reference: `Patient/${patientId}` },
    authoredOn: today,
    requester,
    ...(form.afterCompletion === 'prior-auth-include' ? { reasonCode: { coding: [{ system: CRD_URLS.codesTemp, code: 'reason-prior-auth' }] } } : {}),
    input: [
      { type: { coding: [{ system: SDC_CODES, code: 'questionnaire' }], text: 'questionnaire' }, valueCanonical: form.questionnaire },
      // 2.2 has no after-completion action any more.
      ...(version === '2.0' ? [{ type: { coding: [{ system: CRD_URLS.codesTemp, code: 'after-completion-action' }], text: 'after completion' }, valueCodeableConcept: { coding: [{ system: CRD_URLS.codesTemp, code: form.afterCompletion }] } }] : []),
    ],
  };
}

function organizationOf(payor: Reference | undefined, payer: DeterminedFocus['payer'], payerName: string): Reference<Organization> | undefined {
  if (payor?.reference && relativeReference(payor.reference)?.startsWith('Organization/')) return { reference: payor.reference };
  const [identifier] = payer?.organizationIdentifiers ?? [];
  return identifier && { type: 'Organization', identifier, display: payerName };
}
