import type { Organization, Patient, Practitioner, PractitionerRole, RelatedPerson, Resource } from '@medplum/fhirtypes';
import { relativeReference } from '#fhir/base/reference.ts';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { isOrder } from '#prior-auth/order/read-requested-service.ts';
import type { Order } from '#prior-auth/order/requested-service.ts';
import { answerReferences } from '#prior-auth/questionnaire/dtr-versions/response-bundle.ts';
import type { SubmissionInput } from '#prior-auth/pas-bundle/submission-input.ts';
import type { EhrClient } from './ehr-client.ts';
import { toPayerOrganization } from './payer-organization.ts';
import { requesterOf } from './read-launch.ts';

export type CaseRecord = Omit<SubmissionInput, 'questionnaireResponses' | 'evidence' | 'supporting'>;
/** What people and forms bring to the record. */
type Brought = Pick<SubmissionInput, 'questionnaireResponses' | 'evidence' | 'criteria' | 'chosen' | 'diagnosisChoices'>;

export interface SubmissionGatherer {
  /** The case's own resources as the EHR has them now. Throws ORDER_NOT_FOUND, COVERAGE_NOT_FOUND, PAYER_NOT_CONFIGURED, EHR_*. */
  readRecord(ehr: EhrClient, priorAuthCase: PriorAuthCase): Promise<CaseRecord>;
  /** With everything that the order, a response or its evidence names. */
  gather(ehr: EhrClient, priorAuthCase: PriorAuthCase, forms: Brought): Promise<SubmissionInput>;
}

export function createSubmissionGatherer(payers: PayerDirectory, clinic: Organization): SubmissionGatherer {
  const readRecord = async (ehr: EhrClient, priorAuthCase: PriorAuthCase): Promise<CaseRecord> => {
    const { service, further = [], requirement } = priorAuthCase;
    const [patient, coverage, order, ...others] = await Promise.all([
      ehr.read('Patient', priorAuthCase.patient.id),
      ehr.follow(requirement.coverage),
      ehr.follow(service.order),
      ...further.map((each) => ehr.follow(each.order)),
    ]);
    if (!isOrder(order)) throw new PriorAuthError('ORDER_NOT_FOUND', 'The order is not in the EHR any more.', { nextStep: 'Look whether the order was cancelled.' });
    const furtherOrders = others.map((other, index): Order => {
      if (isOrder(other)) return other;
      throw new PriorAuthError('ORDER_NOT_FOUND', `The further order ${further[index]?.order ?? ''} is not in the EHR any more.`, { nextStep: 'Take it out of the request, or look whether it was cancelled.' });
    });
    if (coverage?.resourceType !== 'Coverage') throw new PriorAuthError('COVERAGE_NOT_FOUND', 'The coverage of this case is not in the EHR any more.', { nextStep: 'Check the patient’s insurance, then sign the order again.' });
    if (!patient) throw new PriorAuthError('EHR_REFUSED', 'The EHR does not show the patient.', { nextStep: 'Ask whoever looks after the EHR whether this app may read patients.' });
    const payer = payers.byId(priorAuthCase.payer.id);
    if (!payer) throw new PriorAuthError('PAYER_NOT_CONFIGURED', `The payer ${priorAuthCase.payer.id} is not configured any more.`, { nextStep: 'Ask whoever runs this server to add the payer again.' });
    const [requester, subscriber] = await Promise.all([readRequester(ehr, requesterOf(order)?.reference), readSubscriber(ehr, coverage.subscriber?.reference ?? coverage.policyHolder?.reference, patient)]);
    return { case: priorAuthCase, patient, coverage, order, ...(furtherOrders.length > 0 ? { furtherOrders } : {}), subscriber, ...requester, clinic, payerOrganization: toPayerOrganization(payer) };
  };
  return {
    readRecord,
    async gather(ehr, priorAuthCase, forms) {
      const record = await readRecord(ehr, priorAuthCase);
      const named = new Set([
        ...[priorAuthCase.service, ...(priorAuthCase.further ?? [])].flatMap(({ reasonReferences }) => reasonReferences),
        ...[...forms.evidence, ...(forms.criteria ?? [])].map(({ reference }) => reference),
        ...(forms.chosen?.include ?? []),
        ...forms.questionnaireResponses.flatMap(answerReferences),
        ...[record.order, ...(record.furtherOrders ?? [])].flatMap(namedByOrder),
      ]);
      const found = await Promise.all([...named].map((reference) => ehr.follow(reference)));
      const own = found.filter((resource): resource is Resource => resource !== undefined && isOf(resource, priorAuthCase.patient.id));
      const more = new Set(own.flatMap(behind).filter((reference) => !named.has(reference)));
      const farther = await Promise.all([...more].map((reference) => (reference.startsWith('Binary/') ? readContent(ehr, reference) : ehr.follow(reference))));
      return { ...record, ...forms, supporting: [...own, ...farther.filter((resource): resource is Resource => resource !== undefined && (resource.resourceType === 'Binary' || isOf(resource, priorAuthCase.patient.id)))] };
    },
  };
}

function namedByOrder(order: Order): string[] {
  const named = 'supportingInfo' in order ? (order.supportingInfo ?? []) : order.resourceType === 'MedicationRequest' ? (order.supportingInformation ?? []) : [];
  const performer = 'performer' in order ? [order.performer ?? []].flat() : [];
  const dispenser = order.resourceType === 'MedicationRequest' ? [order.dispenseRequest?.performer ?? []].flat() : [];
  const places = order.resourceType === 'ServiceRequest' ? (order.locationReference ?? []) : [];
  return [...named, ...performer, ...dispenser, ...places].flatMap(({ reference }) => relativeReference(reference ?? '') ?? []);
}

/** What can be sent only with something else: a role with its person and employer, a place with who runs it, a prescription with its drug, a document with its content. */
function behind(resource: Resource): string[] {
  const references = (): readonly (string | undefined)[] => {
    if (resource.resourceType === 'PractitionerRole') return [resource.practitioner?.reference, resource.organization?.reference];
    if (resource.resourceType === 'Location') return [resource.managingOrganization?.reference];
    if (resource.resourceType === 'MedicationRequest') return [resource.medicationReference?.reference];
    return resource.resourceType === 'DocumentReference' ? resource.content.map(({ attachment }) => (attachment.data ? undefined : attachment.url)) : [];
  };
  return references().flatMap((reference) => relativeReference(reference ?? '') ?? []);
}

/** Many EHRs answer for a Binary with its bytes, whatever is asked for, or not at all: the document then goes without, as far as the payer's version allows, and is named. */
async function readContent(ehr: EhrClient, reference: string): Promise<Resource | undefined> {
  try {
    return await ehr.follow(reference);
  } catch (error) {
    if (error instanceof PriorAuthError && (error.code === 'EHR_REFUSED' || error.code === 'EHR_UNAVAILABLE')) return undefined;
    throw error;
  }
}

interface Requester {
  readonly practitioner: Practitioner | undefined;
  readonly practitionerRole: PractitionerRole | undefined;
  readonly organization: Organization | undefined;
}

async function readRequester(ehr: EhrClient, reference: string | undefined): Promise<Requester> {
  const named = await ehr.follow(reference);
  const practitionerRole = named?.resourceType === 'PractitionerRole' ? named : named?.resourceType === 'Practitioner' ? await roleOf(ehr, named) : undefined;
  const practitioner = named?.resourceType === 'Practitioner' ? named : await ehr.follow(practitionerRole?.practitioner?.reference);
  const organization = named?.resourceType === 'Organization' ? named : await ehr.follow(practitionerRole?.organization?.reference);
  return {
    practitioner: practitioner?.resourceType === 'Practitioner' ? practitioner : undefined,
    practitionerRole,
    organization: organization?.resourceType === 'Organization' ? organization : undefined,
  };
}

/** Many EHRs have no roles, or do not let an app search them; the request goes without. */
async function roleOf(ehr: EhrClient, practitioner: Practitioner): Promise<PractitionerRole | undefined> {
  try {
    const roles = await ehr.search('PractitionerRole', { practitioner: `Practitioner/${practitioner.id}` });
    return roles.find((role): role is PractitionerRole => role.resourceType === 'PractitionerRole' && role.active !== false);
  } catch (error) {
    if (error instanceof PriorAuthError && error.code === 'EHR_REFUSED') return undefined;
    throw error;
  }
}

async function readSubscriber(ehr: EhrClient, reference: string | undefined, patient: Patient): Promise<Patient | RelatedPerson | undefined> {
  if (!reference || relativeReference(reference) === `Patient/${patient.id}`) return undefined;
  const found = await ehr.follow(reference);
  return found?.resourceType === 'Patient' || found?.resourceType === 'RelatedPerson' ? found : undefined;
}

const WHO_AND_WHERE: readonly string[] = ['Practitioner', 'PractitionerRole', 'Organization', 'Location', 'HealthcareService', 'Device', 'Medication'];

/** True for a resource of this patient, and for people and places that are nobody's record. */
export function isOf(resource: Resource, patientId: string): boolean {
  if (WHO_AND_WHERE.includes(resource.resourceType)) return true;
  if (resource.resourceType === 'Patient') return resource.id === patientId;
  const owners = ['subject', 'patient', 'beneficiary'] as const;
  return owners.some((owner) => owner in resource && relativeReference((resource as Partial<Record<typeof owner, { reference?: string }>>)[owner]?.reference ?? '') === `Patient/${patientId}`);
}
