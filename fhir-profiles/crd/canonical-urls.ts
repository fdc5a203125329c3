const CRD = 'http://hl7.org/fhir/us/davinci-crd';

export const CRD_URLS = {
  coverageInformation: `${CRD}/StructureDefinition/ext-coverage-information`,
  serviceRequest: `${CRD}/StructureDefinition/profile-servicerequest`,
  deviceRequest: `${CRD}/StructureDefinition/profile-devicerequest`,
  nutritionOrder: `${CRD}/StructureDefinition/profile-nutritionorder`,
  visionPrescription: `${CRD}/StructureDefinition/profile-visionprescription`,
  communicationRequest: `${CRD}/StructureDefinition/profile-communicationrequest`,
  appointment: `${CRD}/StructureDefinition/profile-appointment`,
  encounter: `${CRD}/StructureDefinition/profile-encounter`,
  medicationRequest: `${CRD}/StructureDefinition/profile-medicationrequest`,
  coverage: `${CRD}/StructureDefinition/profile-coverage`,
  patient: `${CRD}/StructureDefinition/profile-patient`,
  taskQuestionnaire: `${CRD}/StructureDefinition/profile-taskquestionnaire`,
  codesTemp: `${CRD}/CodeSystem/temp`,
  /** 2.2: an appointment with and without a service request it is based on. */
  appointmentWithOrder: `${CRD}/StructureDefinition/profile-appointment-with-order`,
  appointmentNoOrder: `${CRD}/StructureDefinition/profile-appointment-no-order`,
  /** 2.2: types of cards. */
  cardTypes: 'http://terminology.hl7.org/CodeSystem/cdshooks-card-type',
  /** 2.2: codes of coverage-information's details. */
  coverageDetails: 'http://terminology.hl7.org/CodeSystem/crd-coverage-detail',
} as const;
