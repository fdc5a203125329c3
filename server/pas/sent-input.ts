import type { Bundle, Coverage, Organization, Patient, Resource } from '@medplum/fhirtypes';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { isOrder } from '#prior-auth/order/read-requested-service.ts';
import type { SubmissionInput } from '#prior-auth/pas-bundle/submission-input.ts';

/** A request as it was sent, read as the record that it came from: enough to change or cancel what is in it, without asking the EHR. Nothing is added by it. */
export function sentInput(priorAuthCase: PriorAuthCase, bundle: Bundle): SubmissionInput {
  const resources = (bundle.entry ?? []).flatMap(({ resource }) => resource ?? []);
  const patient = resources.find((resource): resource is Patient => resource.resourceType === 'Patient' && hasProfile(resource, 'beneficiary'));
  const coverage = resources.find((resource): resource is Coverage => resource.resourceType === 'Coverage');
  const clinic = resources.find((resource): resource is Organization => resource.resourceType === 'Organization' && hasProfile(resource, 'requestor'));
  const payerOrganization = resources.find((resource): resource is Organization => resource.resourceType === 'Organization' && hasProfile(resource, 'insurer'));
  const orders = resources.filter(isOrder);
  const [order, ...furtherOrders] = orders;
  if (!patient || !coverage || !clinic || !payerOrganization || !order) throw new PriorAuthError('PAS_BUNDLE_INVALID', `The stored request of case ${priorAuthCase.id} lacks a party or its order.`);
  return { case: priorAuthCase, patient, coverage, order, furtherOrders, clinic, payerOrganization, questionnaireResponses: [], evidence: [], supporting: [] };
}

function hasProfile({ meta }: Resource, name: string): boolean {
  return meta?.profile?.some((profile) => profile.endsWith(name)) ?? false;
}
