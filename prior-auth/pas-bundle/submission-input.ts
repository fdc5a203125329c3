import type { Coverage, Organization, Patient, Practitioner, PractitionerRole, QuestionnaireResponse, RelatedPerson, Resource } from '@medplum/fhirtypes';
import type { PriorAuthCase } from '../case.ts';
import type { EvidenceReference } from '../coverage-requirement/requirement.ts';
import type { Order, RequestedService } from '../order/requested-service.ts';

/** Everything a submission is built from: resources as the EHR gave them, with the ids they have there. Nothing here needs to be clean. */
export interface SubmissionInput {
  readonly case: PriorAuthCase;
  readonly patient: Patient;
  readonly coverage: Coverage;
  /** Coverage.subscriber or policyHolder when it is not the patient and could be read. */
  readonly subscriber?: Patient | RelatedPerson | undefined;
  readonly order: Order;
  /** The orders of `case.further`, in its order: items 2, 3, … */
  readonly furtherOrders?: readonly Order[] | undefined;
  /** The ordering clinician, as far as the EHR says. */
  readonly practitioner?: Practitioner | undefined;
  readonly practitionerRole?: PractitionerRole | undefined;
  /** The clinician's organization as the EHR has it. */
  readonly organization?: Organization | undefined;
  /** The clinic that submits, as configured: stands in for what the EHR does not say (NPI, name, address, telecom). */
  readonly clinic: Organization;
  /** The payer as configured; its identifiers are the ones the payer knows itself by. */
  readonly payerOrganization: Organization;
  /** Completed responses, one per questionnaire. */
  readonly questionnaireResponses: readonly QuestionnaireResponse[];
  /** Record entries that answers of the responses came from (`FormView.sources`). */
  readonly evidence: readonly EvidenceReference[];
  /** Resources read from the EHR that may be needed: conditions of the order's reason, evidence, locations. Only those that the order, a response or `evidence` names are sent. */
  readonly supporting: readonly Resource[];
  /** Where a policy decided without a form: record entries that its criteria rest on. */
  readonly criteria?: readonly EvidenceReference[] | undefined;
  /** What a person chose on the review screen: relative references of record entries to send besides, and not to send. */
  readonly chosen?: { readonly include: readonly string[]; readonly exclude: readonly string[] } | undefined;
  /** ICD-10-CM codes that a person gave for reasons without one, by `DiagnosisQuestion.reason`. */
  readonly diagnosisChoices?: Readonly<Record<string, string>> | undefined;
}

/** A reason of the order that has no ICD-10-CM code and maps to none, or to several: a person says which it is. */
export interface DiagnosisQuestion {
  /** Key of the answer in `diagnosisChoices`: "Condition/123", or "system|code" of a reason that is only coded in the order. */
  readonly reason: string;
  /** As the record words it. */
  readonly display: string;
  /** What the configured map offers; empty when it knows none. Any ICD-10-CM code may be answered. */
  readonly candidates: readonly { readonly code: string; readonly display?: string }[];
}

/** One order of a request and what was read from it. */
export interface AskedOrder {
  readonly service: RequestedService;
  readonly order: Order;
}

/** The orders of a request: item n is the nth. */
export function askedOrders({ case: { service, further = [] }, order, furtherOrders = [] }: SubmissionInput): readonly AskedOrder[] {
  return [{ service, order }, ...further.flatMap((each, index) => (furtherOrders[index] ? [{ service: each, order: furtherOrders[index] }] : []))];
}

export interface SubmissionProblem {
  /** Stable, e.g. `MEMBER_ID_MISSING`. */
  readonly code: string;
  readonly message: string;
  readonly nextStep: string;
  /** With DIAGNOSIS_NOT_ICD10CM: what the person is asked. */
  readonly diagnosis?: DiagnosisQuestion;
}
