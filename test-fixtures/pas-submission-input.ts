import type { DeviceRequest, Patient, Practitioner, QuestionnaireResponse } from '@medplum/fhirtypes';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import { readRequestedService } from '#prior-auth/order/read-requested-service.ts';
import type { Order } from '#prior-auth/order/requested-service.ts';
import type { SubmissionInput } from '#prior-auth/pas-bundle/submission-input.ts';

const EHR = 'http://localhost:3000/ehr/fhir';

const order: DeviceRequest = {
  resourceType: 'DeviceRequest',
  id: 'order-1',
  status: 'active',
  intent: 'original-order',
  codeCodeableConcept: { coding: [{ system: 'https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'E1390 ', display: 'Oxygen concentrator' }] },
  subject: { reference: 'Patient/patient-1' },
  authoredOn: '2026-11-20',
  requester: { reference: 'Practitioner/clinician-1' },
  reasonReference: [{ reference: 'Condition/copd' }],
};

/** A case that can be sent; `changes` and `facts` make it another one. Everybody in it is invented. */
export function sampleInput(changes: Partial<SubmissionInput> = {}, facts: Partial<PriorAuthCase> = {}): SubmissionInput {
  const asked: Order = changes.order ?? order;
  return {
    case: {
      id: '0193f000-0000-7000-8000-000000000001',
      version: 1,
      createdAt: '2026-11-20T10:00:00.000Z',
      updatedAt: '2026-11-20T10:00:00.000Z',
      ehrBase: EHR,
      patient: { id: 'patient-1', name: 'Ada Example' },
      service: readRequestedService(asked),
      payer: { id: 'cascade-medicare', name: 'Cascade Medicare Administrative Contractor (synthetic)' },
      requirement: { coverage: 'Coverage/coverage-1', covered: 'covered', paNeeded: 'auth-needed', docPurpose: [], infoNeeded: [], reasons: [], questionnaires: [], date: '2026-11-20', assertionId: 'a-1' },
      state: { kind: 'ready' },
      ...facts,
    },
    patient: samplePatient,
    coverage: {
      resourceType: 'Coverage',
      id: 'coverage-1',
      status: 'active',
      subscriberId: 'M-100',
      beneficiary: { reference: 'Patient/patient-1' },
      payor: [{ reference: 'Organization/payer-in-ehr' }],
    },
    order: asked,
    practitioner: samplePractitioner,
    clinic: {
      resourceType: 'Organization',
      id: 'clinic',
      active: true,
      name: 'Harbor Clinic (synthetic)',
      identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '1245319599' }],
      telecom: [{ system: 'phone', value: '555-0100' }],
      address: [{ line: ['1 Main St'], city: 'Portland', state: 'OR', postalCode: '97201' }],
    },
    payerOrganization: { resourceType: 'Organization', active: true, name: 'Cascade Medicare Administrative Contractor (synthetic)', identifier: [{ system: 'https://openpriorauth.org/payer-id', value: 'cascade-medicare' }] },
    questionnaireResponses: [sampleForm],
    evidence: [{ reference: 'Observation/saturation', display: 'Oxygen saturation 86 %' }],
    supporting: [
      {
        resourceType: 'Condition',
        id: 'copd',
        clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }] },
        code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'J449', display: 'COPD, unspecified' }] },
        subject: { reference: 'Patient/patient-1' },
        recordedDate: '2024-03',
      },
      {
        resourceType: 'Observation',
        id: 'saturation',
        status: 'final',
        category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }],
        code: { coding: [{ system: 'http://loinc.org', code: '59408-5' }] },
        subject: { reference: 'Patient/patient-1' },
        encounter: { reference: 'Encounter/not-sent' },
        effectiveDateTime: '2026-11-12T09:00:00Z',
        valueQuantity: { value: 86, unit: '%', system: 'http://unitsofmeasure.org', code: '%' },
      },
      { resourceType: 'Condition', id: 'not-named', code: { text: 'Something the payer has no business with' }, subject: { reference: 'Patient/patient-1' } },
    ],
    ...changes,
  };
}

export const samplePatient: Patient = {
  resourceType: 'Patient',
  id: 'patient-1',
  identifier: [
    { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] }, system: 'http://localhost:3000/mrn', value: '77' },
    { system: 'http://hl7.org/fhir/sid/us-ssn', value: '999-00-1111' },
  ],
  name: [{ family: 'Example', given: ['Ada'] }],
  gender: 'female',
  birthDate: '1950-02',
};

export const sampleForm: QuestionnaireResponse = {
  resourceType: 'QuestionnaireResponse',
  id: 'form-1',
  questionnaire: 'https://payer.openpriorauth.org/fhir/Questionnaire/home-oxygen|1.0.0',
  status: 'completed',
  subject: { reference: 'Patient/patient-1' },
  authored: '2026-11-20T10:05:00Z',
  author: { reference: 'Practitioner/clinician-1' },
  item: [{ linkId: 'resting-saturation', answer: [{ valueQuantity: { value: 86, unit: '%', system: 'http://unitsofmeasure.org', code: '%' } }] }],
};

export const samplePractitioner: Practitioner = {
  resourceType: 'Practitioner',
  id: 'clinician-1',
  identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '1122334463' }],
  name: [{ family: 'Fairchild', given: ['Helen'] }],
};
